/**
 * The pages beside the map, in the browser.
 *
 * `html[data-page]` names the page that is open (`map`, `areas`, ...); the style sheet shows the map
 * or the pages by it. Clientside callbacks: `pinganDesk.address` gives the address for the server
 * once the page's library is there, and `pinganDesk.hrefs` keeps the query in the navigation.
 */
(function () {
  'use strict';

  const PAGES = ['areas', 'hotspots', 'index', 'forecast', 'data'];
  const page = document.documentElement;
  let current = '';
  let library = null;

  /** @param {string} pathname @returns {string} name of the page at a path; the map by default */
  function nameOf(pathname) {
    const name = pathname.replace(/^\//, '');
    return PAGES.includes(name) ? name : 'map';
  }

  /** @returns {string} id of what the page is about: the pages' box, or the map's panels */
  function contentId() { return page.dataset.page === 'map' ? 'notice' : 'page'; }

  /** Mark the page in `html` and in the navigation. @param {string} pathname */
  function mark(pathname) {
    const name = nameOf(pathname);
    const changed = page.dataset.page !== name;
    page.dataset.page = name;
    document.querySelectorAll('.site-nav a').forEach(function (link) {
      const here = link.id === 'nav-' + name;
      if (here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      if (here && changed && link.scrollIntoView) {
        link.parentElement.scrollLeft = link.offsetLeft - link.parentElement.offsetLeft - 40;
      }
    });
    return changed;
  }

  /** Theme and language as the address asks for them; the map sets the same for itself. */
  function dress(search) {
    const asked = new URLSearchParams(search);
    const theme = asked.get('theme');
    const dark = theme === 'dark' ||
      (theme !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
    page.dataset.theme = dark ? 'dark' : 'light';
    page.lang = asked.get('lang') === 'en' ? 'en' : 'zh-CN';
  }

  /** @param {string} source @returns {Promise<void>} once the script has run */
  function load(source) {
    return new Promise(function (resolve, reject) {
      const script = document.createElement('script');
      script.src = source;
      script.onload = function () { resolve(); };
      script.onerror = function () { reject(new Error('did not load: ' + source)); };
      document.head.appendChild(script);
    });
  }

  /** @param {HTMLElement} box @param {string} pathname @returns {Promise<void>} */
  function ready(box, pathname) {
    if (!box.dataset.grids.split(' ').includes(pathname)) return Promise.resolve();
    if (!library) {
      library = load(box.dataset.library).catch(function (error) {
        library = null; // the next page tries again
        throw error;
      });
    }
    return library;
  }

  /**
   * The address for the server, once what the page needs is there; nothing while the map is open.
   *
   * @param {string} pathname
   * @param {string} search
   * @returns {Promise<string>|object}
   */
  function address(pathname, search) {
    const none = window.dash_clientside.no_update;
    const changed = mark(pathname || '/');
    const asked = (pathname || '/') + (search || '');
    const isSame = asked === current;
    current = asked;
    if (page.dataset.page === 'map') return none;
    dress(search || '');
    if (isSame) return none; // Dash's Location tells the same address twice now and then
    const box = document.getElementById('page');
    box.setAttribute('aria-busy', 'true');
    if (changed) box.scrollTop = 0;
    return ready(box, pathname).then(function () { return asked === current ? asked : none; });
  }

  /** @param {string} search @returns {string[]} addresses of the navigation's links */
  function hrefs(search) {
    const english = new URLSearchParams(search || '').get('lang') === 'en';
    return ['map'].concat(PAGES).map(function (name) {
      return (name === 'map' ? '/' : '/' + name) + (search || '');
    }).concat(['/weekly', '/letters', '/command', '/methods'].map(function (path) { return path + (english ? '?lang=en' : ''); }));
  }

  /** Dash tells nobody when it has drawn: watch the box for it. */
  function watch() {
    const box = document.getElementById('page');
    if (!box) {
      setTimeout(watch, 50);
      return;
    }
    mark(window.location.pathname);
    new MutationObserver(function () {
      box.removeAttribute('aria-busy');
      const title = box.querySelector('h1');
      if (title && page.dataset.page !== 'map') {
        document.title = title.textContent + ' · ' + document.title.split(' · ').pop();
      }
      document.dispatchEvent(new CustomEvent('pingan:page', { detail: page.dataset.page }));
    }).observe(box, { childList: true });
  }

  document.addEventListener('click', function (event) {
    const link = event.target.closest ? event.target.closest('a') : null;
    if (!link) return;
    if (link.classList.contains('skip-link')) {
      event.preventDefault();
      const box = document.getElementById(contentId());
      box.setAttribute('tabindex', '-1');
      box.focus();
    } else if (page.dataset.page !== 'map' && link.closest('.search-results')) {
      // What is found is shown where one is.
      event.preventDefault();
      event.stopPropagation();
      const wanted = new URL(link.href);
      window.history.pushState({}, '', window.location.pathname + wanted.search);
      window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
    }
  }, true);

  mark(window.location.pathname);
  if (page.dataset.page !== 'map') dress(window.location.search);
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    pinganDesk: { address: address, hrefs: hrefs }
  });
  watch();
}());
