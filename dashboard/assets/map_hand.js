/**
 * What the reader's hand does to the camera. An answer tells where the map was when it was asked
 * for; where the hand has moved it since, there it stays.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Places and zooms that differ by less are one: the address holds so many decimals. */
  const SAME = [2e-5, 2e-5, 0.02];
  /** @type {?[number, number, number]} lng, lat, zoom where the map was left; null = by its focus */
  let last = null;
  let asked = null; // the same when the answer under way was asked for

  /** @param {number} value @param {number} decimals @returns {number} */
  function round(value, decimals) { return Number(value.toFixed(decimals)); }

  /**
   * @param {MapEvent} event of the camera
   * @returns {object} the same in the server's words
   */
  function moved(event) {
    if (event.reset) {
      last = null;
      return { kind: 'camera', reset: true };
    }
    last = [round(event.lng, 5), round(event.lat, 5), round(event.zoom, 2)];
    return { kind: 'camera', lng: last[0], lat: last[1], zoom: last[2],
      bounds: event.bounds.map(function (edge) { return round(edge, 5); }) };
  }

  /** @param {?number[]} one @param {?number[]} other @returns {boolean} */
  function isSame(one, other) {
    if (!one || !other) return !one && !other;
    return one.every(function (part, i) { return Math.abs(part - other[i]) < SAME[i]; });
  }

  /**
   * @param {View} view of an answer
   * @returns {View} it, with the camera of now if the answer does not ask for another one
   */
  function kept(view) {
    if (asked && isSame(view.camera, asked)) {
      return isSame(last, asked) ? view : Object.assign({}, view, { camera: last });
    }
    last = view.camera;
    return view;
  }

  PinganMap.hand = { moved: moved, kept: kept,
    /** An answer is asked for. */
    ask: function () { asked = last; } };
}());
