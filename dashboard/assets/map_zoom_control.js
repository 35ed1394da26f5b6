/** Buttons on the map: zoom in, zoom out, back to the whole focus. */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const TITLES = {
    zh: { zoom_in: '放大', zoom_out: '缩小', reset: '回到当前区域全图' },
    en: { zoom_in: 'Zoom in', zoom_out: 'Zoom out', reset: 'Fit the current area' }
  };
  const SIGNS = { zoom_in: '+', zoom_out: '−', reset: '⤢' };

  /**
   * A MapLibre control.
   *
   * @param {function(): View} viewNow read for the language at each use
   * @param {function(): void} onReset
   * @returns {{onAdd: function(object): HTMLElement, onRemove: function(): void}}
   */
  PinganMap.zoomControl = function (viewNow, onReset) {
    const box = document.createElement('div');
    box.className = 'maplibregl-ctrl map-zoom';

    function add(name, act) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'map-zoom-' + name;
      button.textContent = SIGNS[name];
      const label = function () {
        const view = viewNow();
        const own = (view.labels || {})[name];
        button.title = own || TITLES[view.lang === 'en' ? 'en' : 'zh'][name];
        button.setAttribute('aria-label', button.title);
      };
      label();
      button.addEventListener('pointerenter', label);
      button.addEventListener('focus', label);
      button.addEventListener('click', act);
      box.appendChild(button);
    }

    return {
      onAdd: function (map) {
        add('zoom_in', function (event) { map.zoomIn({}, { originalEvent: event }); });
        add('zoom_out', function (event) { map.zoomOut({}, { originalEvent: event }); });
        add('reset', onReset);
        return box;
      },
      onRemove: function () { box.remove(); },
      getDefaultPosition: function () { return 'top-right'; }
    };
  };
}());
