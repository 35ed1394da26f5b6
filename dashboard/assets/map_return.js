/**
 * The way back: leaving an area restores the camera and the level that the reader had above it, and
 * a link that stays in the area keeps the camera of now, not that of when the link was drawn.
 *
 * Kept in the page alone. The browser's own way back needs none of it: each entry of its history
 * holds its camera.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** @type {Object<string, {level: string, camera: ?Array<number>}>} by area, '' = the top */
  const kept = {};
  let here = null; // the view on the map

  /** @param {string} [search] @returns {string} code of the area in focus */
  function areaOf(search) { return new URLSearchParams(search || '').get('area') || ''; }

  /** @param {View} view */
  function applyView(view) {
    here = view;
    kept[areaOf(view.search)] = { camera: view.camera,
      level: new URLSearchParams(view.search || '').get('level') || '' };
  }

  /** @param {{reset: boolean}|{lng: number, lat: number, zoom: number}} camera the reader's */
  function moved(camera) {
    if (!here) return;
    kept[areaOf(here.search)].camera = camera.reset ? null :
      [camera.lng, camera.lat, camera.zoom];
  }

  /**
   * An address of this page as the reader left its area.
   *
   * @param {string} search
   * @param {string} hash
   * @returns {string}
   */
  function restored(search, hash) {
    const query = new URLSearchParams(search);
    const area = areaOf(search);
    const found = kept[area];
    if (!found) return '/' + search + hash;
    const isHere = area === areaOf(here.search);
    const level = query.get('level') || (isHere ? '' : found.level);
    const ordered = new URLSearchParams(); // as the server writes it
    if (area) ordered.set('area', area);
    if (query.has('selected')) ordered.set('selected', query.get('selected'));
    if (level) ordered.set('level', level);
    query.forEach(function (value, name) {
      if (!['area', 'selected', 'level'].includes(name)) ordered.set(name, value);
    });
    const text = ordered.toString();
    return '/' + (text ? '?' + text : '') +
      (found.camera ? '#camera=' + found.camera.join(',') : '');
  }

  /** @param {string} address goes there as Dash's own links do */
  function go(address) {
    window.history.pushState({}, '', address);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  }

  /** @returns {boolean} false where there is nothing to leave, or the server knows better */
  function leave() {
    if (!here || here.above == null || here.selected != null) return false;
    const query = new URLSearchParams(here.search);
    ['area', 'selected', 'level'].forEach(function (name) { query.delete(name); });
    const area = new URLSearchParams(here.above ? { area: here.above } : {});
    const text = [area.toString(), query.toString()].filter(Boolean).join('&');
    go(restored(text ? '?' + text : '', ''));
    return true;
  }

  /** A link of the map's own box: the breadcrumb, the panel of layers. */
  document.addEventListener('click', function (event) {
    const link = event.target.closest('.map-box a[href^="/"]');
    if (!link || !here || event.button || event.metaKey || event.ctrlKey || event.shiftKey ||
        event.altKey) return;
    const address = new URL(link.href);
    if (address.pathname !== '/') return;
    event.preventDefault();
    event.stopPropagation();
    go(restored(address.search, address.hash));
  }, true);

  PinganMap.wayBack = { applyView: applyView, moved: moved, leave: leave };
}());
