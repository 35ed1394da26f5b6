/**
 * The camera of the MapLibre GL engine: where the map looks, by our wish or the reader's hand.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const OURS = { pingan: true }; // rides on the events of camera moves that we start

  /** Motion stays under 200 ms. */
  const motion = {
    EASE_MS: 160,
    /** Whether a software rasteriser draws; a frame then costs 100 ms and motion is a slide show. */
    software: false,
    /** @returns {boolean} whether motion is welcome */
    isWelcome: function () {
      const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
      return !motion.software && !document.hidden && !reduced;
    }
  };

  /** What an engine with a MapLibre `map`, a `view` and a `container` does with its camera. */
  class GlCamera {
    /** Ease to the focus. */
    fit() {
      if (this.map) this.fitFocus(motion.isWelcome());
    }

    /** @returns {?{lng: number, lat: number, zoom: number}} null before there is a map */
    look() { return this.map && this.camera(); }

    /** @param {[number, number]} place @returns {{x: number, y: number}} in pixels of the box */
    project(place) { return this.map.project(place); }

    /** @param {[number, number]} place to have in the middle, as if the reader had moved there */
    centre(place) { this.map.jumpTo({ center: place }, { originalEvent: true }); }

    /** Follow the size of the box; not under the hand, as a resize drops what the hand is doing. */
    watchBox() {
      let holds = false;
      let due = false;
      const resize = () => {
        due = holds;
        if (!holds) this.map.resize();
      };
      const grasp = () => { holds = true; };
      const letGo = () => {
        holds = false;
        // The map ends its move in its next frame.
        if (due) requestAnimationFrame(() => requestAnimationFrame(() => this.map && resize()));
      };
      const canvas = this.map.getCanvasContainer();
      const box = new ResizeObserver(resize);
      box.observe(this.container);
      canvas.addEventListener('pointerdown', grasp);
      ['pointerup', 'pointercancel'].forEach((name) => window.addEventListener(name, letGo));
      this.leaveBox = () => {
        box.disconnect();
        ['pointerup', 'pointercancel'].forEach((name) => window.removeEventListener(name, letGo));
      };
    }

    moveCamera() {
      const camera = this.view.camera;
      this.strayed = false;
      if (!camera) {
        this.fitFocus(motion.isWelcome() && this.shown !== null);
        return;
      }
      const now = this.camera();
      // The echo of the user's own move.
      if (PinganMap.isSameCamera([now.lng, now.lat, now.zoom], camera)) return;
      this.map.easeTo({ center: [camera[0], camera[1]], zoom: camera[2],
        duration: motion.isWelcome() ? motion.EASE_MS : 0 }, OURS);
    }

    /** @param {boolean} eased */
    fitFocus(eased) {
      this.strayed = false;
      this.map.fitBounds(this.view.focus.bounds, { padding: this.padding(), linear: true,
        duration: eased ? motion.EASE_MS : 0 }, OURS);
    }

    /** @returns {object} pixels kept free round the focus */
    padding() { return PinganMap.padding(this.container); }

    /** @returns {{lng: number, lat: number, zoom: number}} */
    camera() {
      const center = this.map.getCenter();
      return { lng: center.lng, lat: center.lat, zoom: this.map.getZoom() };
    }

    reportCamera() {
      this.strayed = true;
      this.onEvent(Object.assign({ kind: 'camera',
        bounds: this.map.getBounds().toArray().flat() }, this.camera()));
    }

    /** @param {[number, number, number]} camera lng, lat, zoom: of a twin that the user moves */
    follow(camera) {
      this.strayed = true;
      if (this.map) this.map.jumpTo({ center: [camera[0], camera[1]], zoom: camera[2] }, OURS);
    }
  }

  PinganMap.GlCamera = GlCamera;
  PinganMap.glMotion = motion;
}());
