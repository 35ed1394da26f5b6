/**
 * Names on the map: the areas inside the focus, drawn by the browser's own fonts.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const SOURCE = 'labels';
  /** More names than this cannot be read at once; the map then shows none. */
  const MOST = 400;
  const EMPTY = { type: 'FeatureCollection', features: [] };

  /**
   * @param {View} view
   * @param {Names} names
   * @returns {number[]} indices of the areas to name
   */
  function insideFocus(view, names) {
    const order = view.levels.map(function (row) { return row.level; });
    const gap = order.indexOf(view.level) - order.indexOf(view.focus.level);
    const box = view.focus.bounds;
    const chosen = [];
    for (let i = 0; i < names.names.length; i += 1) {
      const lng = names.lng[i];
      const lat = names.lat[i];
      let inside;
      if (gap === 0) inside = i === view.focus.index;
      else if (gap === 1) inside = names.parent[i] === view.focus.index;
      else inside = lng >= box[0] && lng <= box[2] && lat >= box[1] && lat <= box[3];
      if (inside && names.names[i] && lng != null) chosen.push(i);
    }
    return chosen.length > MOST ? [] : chosen;
  }

  /**
   * @param {View} view
   * @param {?Names} names
   * @returns {object} GeoJSON points with the property `name`
   */
  function pointsOf(view, names) {
    if (!names || view.labelled === false) return EMPTY;
    const features = insideFocus(view, names).map(function (i) {
      return {
        type: 'Feature',
        properties: { name: names.names[i] },
        geometry: { type: 'Point', coordinates: [names.lng[i], names.lat[i]] }
      };
    });
    return { type: 'FeatureCollection', features: features };
  }

  /**
   * Show the names of a view. Asynchronous: names never hold up colours.
   *
   * @param {object} map MapLibre map with its style loaded
   * @param {View} view
   * @param {function(): boolean} isCurrent false once another view has come
   * @returns {Promise<void>}
   */
  function show(map, view, isCurrent) {
    return PinganMap.loadNames(view.names).then(function (names) {
      if (!isCurrent()) return;
      if (!map.getSource(SOURCE)) {
        map.addSource(SOURCE, { type: 'geojson', data: EMPTY });
        map.addLayer({
          id: SOURCE,
          type: 'symbol',
          source: SOURCE,
          layout: {
            'text-field': ['get', 'name'],
            'text-font': ['Noto Sans CJK SC', 'sans-serif'],
            'text-size': 13,
            'text-max-width': 9,
            'text-padding': 4
          }
        });
      }
      restyle(map);
      map.getSource(SOURCE).setData(pointsOf(view, names));
    });
  }

  /** @param {object} map */
  function restyle(map) {
    if (!map.getLayer(SOURCE)) return;
    const colours = PinganMap.style.colours();
    map.setPaintProperty(SOURCE, 'text-color', colours.ink);
    map.setPaintProperty(SOURCE, 'text-halo-color', colours.halo);
    map.setPaintProperty(SOURCE, 'text-halo-width', 1.4);
  }

  PinganMap.labels = { show: show, restyle: restyle, insideFocus: insideFocus };
}());
