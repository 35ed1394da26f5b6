/**
 * Panels, legend and bar: markup from the server, put in place at once.
 *
 * As Dash components they would be a thousand records and messages of its renderer for each click.
 * What stands already is kept and changed where it differs, so that the focus, what is unfolded and
 * what is scrolled stay. Links of the markup change the address as Dash's own links do.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Set in the browser; the server does not know of them. */
  const OWN = ['open', 'data-seen'];
  /** What the browser builds inside an element from its own data. */
  const BUILT = '[data-chart], [data-grid], [data-tree]';
  /** Elements that are not the same if these differ. */
  const NAMED = ['id', 'data-fold'];
  /** @type {WeakMap<Element, string>} markup that a box holds */
  const written = new WeakMap();

  /** @param {Element} old @param {Element} fresh */
  function changeAttributes(old, fresh) {
    fresh.getAttributeNames().forEach(function (name) {
      if (old.getAttribute(name) !== fresh.getAttribute(name)) {
        old.setAttribute(name, fresh.getAttribute(name));
      }
    });
    old.getAttributeNames().forEach(function (name) {
      if (!fresh.hasAttribute(name) && !OWN.includes(name)) old.removeAttribute(name);
    });
  }

  /** @param {Node} old @param {Node} fresh @returns {boolean} whether one can become the other */
  function isSame(old, fresh) {
    return old.nodeName === fresh.nodeName && (fresh.nodeType !== Node.ELEMENT_NODE ||
      (old.matches(BUILT) === fresh.matches(BUILT) && NAMED.every(function (name) {
        return old.getAttribute(name) === fresh.getAttribute(name);
      })));
  }

  /** @param {Node} old @param {Node} fresh makes the children of one like those of the other */
  function change(old, fresh) {
    const before = Array.from(old.childNodes);
    Array.from(fresh.childNodes).forEach(function (next, at) {
      const present = before[at];
      if (!present) old.appendChild(next);
      else if (!isSame(present, next)) old.replaceChild(next, present);
      else if (next.nodeType === Node.TEXT_NODE) {
        if (present.data !== next.data) present.data = next.data;
      } else {
        changeAttributes(present, next);
        if (!next.matches(BUILT)) change(present, next);
      }
    });
    before.slice(fresh.childNodes.length).forEach(function (rest) { rest.remove(); });
  }

  /**
   * Puts markup into a box.
   *
   * @param {Element} box @param {string} markup as the server wrote it
   * @returns {boolean} whether anything was to change
   */
  PinganMap.putMarkup = function (box, markup) {
    if (written.get(box) === markup && (box.hasChildNodes() || !markup)) return false;
    const fresh = document.createElement('template');
    fresh.innerHTML = markup;
    change(box, fresh.content);
    written.set(box, markup);
    return true;
  };

  /** @param {?Object<string, string>} panels markup by the id of its box */
  function applyPanels(panels) {
    Object.entries(panels || {}).forEach(function (entry) {
      const box = document.getElementById(entry[0]);
      if (box) PinganMap.putMarkup(box, entry[1]);
    });
    return window.dash_clientside.no_update;
  }

  /** @param {MouseEvent} event @returns {?HTMLAnchorElement} the link that it follows in this page */
  PinganMap.linkOf = function (event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return null;
    return event.target.closest && event.target.closest('a[data-link]');
  };

  document.addEventListener('click', function (event) {
    const link = PinganMap.linkOf(event);
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    window.history.pushState({}, '', link.href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside);
  window.dash_clientside.pingan = Object.assign({}, window.dash_clientside.pingan,
    { applyPanels: applyPanels });
}());
