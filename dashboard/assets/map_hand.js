/**
 * What the reader's hand does to the camera. An answer tells where the map was when it was asked
 * for; where the hand has moved it since, there it stays.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const round = PinganMap.round;
  /** @type {?View} what the map showed when the newest answer was asked for */
  let asked = null;

  /** @param {MapEvent} event of the camera @returns {object} the same in the server's words */
  function told(event) {
    if (event.reset) return { kind: 'camera', reset: true };
    return { kind: 'camera', lng: round(event.lng, 5), lat: round(event.lat, 5),
      zoom: round(event.zoom, 2),
      bounds: event.bounds.map(function (edge) { return round(edge, 5); }) };
  }

  /** @param {View} view @param {object} camera as told @returns {View} the view as moved by hand */
  function moved(view, camera) {
    return Object.assign({}, view,
      { camera: camera.reset ? null : [camera.lng, camera.lat, camera.zoom] });
  }

  /**
   * @param {View} next of an answer
   * @param {?View} now on the map
   * @returns {View} the answer's, with the camera of now if it does not ask for another one
   */
  function kept(next, now) {
    const isEcho = asked && PinganMap.isSameCamera(next.camera, asked.camera) &&
      next.focus.level === asked.focus.level && next.focus.index === asked.focus.index;
    return isEcho ? Object.assign({}, next, { camera: now.camera }) : next;
  }

  PinganMap.hand = { told: told, moved: moved, kept: kept,
    /** @param {?View} view on the map, when an answer is asked for */
    ask: function (view) { asked = view; } };
}());
