/**
 * Leaflet as the canvas engine wants it: the library on demand, and a map whose zoom is continuous,
 * whose jumps keep the old picture until the new one is drawn, and whose pixels are sharp.
 *
 * Zooms are MapLibre's (tiles of 512 pixels) towards the rest of the page; Leaflet's, of 256-pixel
 * tiles, is one more. Methods with a leading underscore are Leaflet 1.9's own; the version is pinned.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const TILE_PX = 512;
  const ZOOM_OFFSET = 1;
  const MAX_ZOOM = 18;
  const EASE_S = 0.16; // as the zoom's, which map_canvas.css times
  /** Pixels of the wheel for one zoom level; what is left of the way is made up by this a frame. */
  const WHEEL_PX = 300;
  const WHEEL_SHARE = 0.35;
  /** A followed map that has not moved for so long rests. */
  const REST_MS = 120;

  /** @type {?Promise<object>} */
  let library = null;

  /** @returns {Promise<{L: object, VectorTile: function, PbfReader: function}>} */
  function loadLibrary() {
    if (!library) {
      const address = (name) => new URL('vendor/' + name, PinganMap.assets).href;
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = address('leaflet.css');
      const styled = new Promise((resolve) => {
        link.onload = resolve;
        link.onerror = resolve;
      });
      document.head.prepend(link); // the page's own rules win
      library = Promise.all([import(address('leaflet.js')), import(address('vector-tile.mjs')),
        import(address('pbf.mjs')), styled]).then(([, tiles, pbf]) => ({
        L: window.L, VectorTile: tiles.VectorTile, PbfReader: pbf.PbfReader }));
    }
    return library;
  }

  const still = window.matchMedia('(prefers-reduced-motion: reduce)');

  /** @returns {boolean} whether motion is welcome */
  function mayMove() {
    return !document.hidden && !still.matches;
  }

  /** @param {object} L @returns {function} a map class */
  function mapClass(L) {
    const plain = L.Map.prototype;
    return L.Map.extend({
      /** A tile is a whole number of device pixels wide, or the whole picture is blurred. */
      _limitZoom: function (zoom) {
        const limited = plain._limitZoom.call(this, zoom);
        const whole = Math.round(limited);
        const side = TILE_PX * window.devicePixelRatio;
        return whole + Math.log2(Math.round(side * Math.pow(2, limited - whole)) / side);
      },

      /** Leaflet's own drops all tiles; here they stay until the new ones are drawn. */
      _resetView: function (center, zoom, noMoveStart) {
        if (!this._loaded) {
          plain._resetView.call(this, center, zoom, noMoveStart);
          return;
        }
        const limited = this._limitZoom(zoom);
        const zoomed = limited !== this._zoom;
        this._moveStart(zoomed, noMoveStart)._move(center, limited,
          zoomed ? undefined : { pinch: true })._moveEnd(zoomed);
      },

      _tryAnimatedZoom: function (center, zoom, options) {
        const wish = options || {};
        const far = Math.abs(zoom - this._zoom) > this.options.zoomAnimationThreshold;
        if (this._animatingZoom) return true;
        if (!mayMove() || wish.animate === false || far || this._nothingToAnimate()) return false;
        const shift = this._getCenterOffset(center)._divideBy(1 - 1 / this.getZoomScale(zoom));
        if (wish.animate !== true && !this.getSize().contains(shift)) return false;
        // Leaflet waits for a frame, which a busy page is slow to give, and asks for tiles only then.
        this._moveStart(true, wish.noMoveStart || false)._animateZoom(center, zoom, true);
        this.fire('aimed', { center: center, zoom: zoom });
        return true;
      },

      panBy: function (offset, options) {
        const wish = mayMove() ? options : Object.assign({}, options, { animate: false });
        return plain.panBy.call(this, offset, wish);
      }
    });
  }

  /** Where the map looks, and who moved it. */
  class LeafletCamera {
    /**
     * @param {object} L
     * @param {HTMLElement} box
     * @param {function(MapEvent): void} onEvent
     */
    constructor(L, box, onEvent) {
      this.L = L;
      this.onEvent = onEvent;
      this.byUser = false;
      this.last = ''; // camera last set or reported
      this.target = null; // zoom on the way to by wheel
      this.following = 0; // timer that ends a followed move
      const MapClass = mapClass(L);
      this.map = new MapClass(box, { attributionControl: false, zoomControl: false, zoomSnap: 0,
        scrollWheelZoom: false, fadeAnimation: false, inertia: mayMove(), minZoom: ZOOM_OFFSET,
        maxZoom: MAX_ZOOM + ZOOM_OFFSET, tapHold: false, bounceAtZoomLimits: false });
      this.listen(box);
    }

    listen(box) {
      const touched = () => { this.byUser = true; };
      ['pointerdown', 'touchstart', 'keydown'].forEach(function (name) {
        box.addEventListener(name, touched, { passive: true });
      });
      box.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
      this.map.on('move', () => {
        if (this.byUser) this.onEvent(Object.assign({ kind: 'moving' }, this.look()));
      });
      this.map.on('moveend', () => this.onMoveEnd());
    }

    /** @returns {{lng: number, lat: number, zoom: number}} */
    look() {
      const center = this.map.getCenter();
      return { lng: center.lng, lat: center.lat, zoom: this.map.getZoom() - ZOOM_OFFSET };
    }

    /** @returns {boolean} */
    isMoving() {
      const map = this.map;
      const panning = map._panAnim && map._panAnim._inProgress;
      return Boolean(map._animatingZoom || panning || map.dragging.moving() ||
        this.target !== null || this.following);
    }

    onMoveEnd() {
      if (this.target !== null) return; // the wheel is still turning
      const now = this.look();
      const text = [now.lng.toFixed(6), now.lat.toFixed(6), now.zoom.toFixed(3)].join();
      const moved = text !== this.last;
      this.last = text;
      if (!this.byUser || !moved) return;
      const bounds = this.map.getBounds();
      this.onEvent(Object.assign({ kind: 'camera', bounds: [bounds.getWest(), bounds.getSouth(),
        bounds.getEast(), bounds.getNorth()] }, now));
    }

    /** Stop whatever moves: ours or the reader's. */
    halt() {
      this.byUser = false;
      this.target = null;
      if (!this.map._loaded) return;
      this.map._stop();
      if (this.map._animatingZoom) this.map._onZoomTransitionEnd();
    }

    /**
     * @param {[number, number, number]} camera lng, lat, zoom
     * @param {boolean} eased
     */
    set([lng, lat, zoom], eased) {
      this.go(this.L.latLng(lat, lng), zoom + ZOOM_OFFSET, eased);
    }

    /**
     * @param {Bounds} bounds
     * @param {{top: number, right: number, bottom: number, left: number}} padding
     * @param {boolean} eased
     */
    fit([west, south, east, north], padding, eased) {
      const found = this.map._getBoundsCenterZoom(this.L.latLngBounds([south, west], [north, east]),
        { paddingTopLeft: [padding.left, padding.top],
          paddingBottomRight: [padding.right, padding.bottom] });
      this.go(found.center, found.zoom, eased);
    }

    go(center, zoom, eased) {
      this.halt();
      const map = this.map;
      const near = map._loaded &&
        Math.abs(zoom - map.getZoom()) <= map.options.zoomAnimationThreshold;
      if (eased && near && mayMove()) {
        map.setView(center, zoom, { animate: true, duration: EASE_S });
      } else {
        map._resetView(center, zoom);
      }
    }

    /**
     * Be there at once, exactly; another map leads. Tiles and names come when it rests.
     *
     * @param {[number, number, number]} camera
     */
    follow([lng, lat, zoom]) {
      const map = this.map;
      this.halt();
      if (!this.following) map._moveStart(true, false);
      map._move(this.L.latLng(lat, lng), zoom + ZOOM_OFFSET, { pinch: true });
      clearTimeout(this.following);
      this.following = setTimeout(() => {
        this.following = 0;
        this.settle();
      }, REST_MS);
    }

    /** The end of a move by steps: the layers take this zoom for good. */
    settle() {
      if (!this.map._loaded) return;
      this.map.fire('zoom'); // without the `pinch` of a step
      this.map._moveEnd(true);
    }

    // --- wheel ----------------------------------------------------------------------------------

    /** @param {WheelEvent} event */
    onWheel(event) {
      event.preventDefault();
      const pixels = event.deltaMode === 1 ? event.deltaY * 40 : event.deltaY;
      const started = this.target !== null;
      const from = started ? this.target : this.map.getZoom();
      if (!started) this.halt();
      this.byUser = true;
      this.target = Math.min(this.map.getMaxZoom(), Math.max(this.map.getMinZoom(),
        from - pixels / (event.ctrlKey ? WHEEL_PX / 3 : WHEEL_PX)));
      this.around = this.map.mouseEventToContainerPoint(event);
      if (started) return;
      this.map._moveStart(true, false);
      requestAnimationFrame(() => this.turn());
    }

    /** One frame of a wheel zoom: the place under the pointer stays. */
    turn() {
      if (this.target === null || !this.map._loaded) return;
      const map = this.map;
      const rest = this.target - map.getZoom();
      const last = Math.abs(rest) < 0.01 || !mayMove();
      const zoom = last ? map._limitZoom(this.target) : map.getZoom() + rest * WHEEL_SHARE;
      const half = map.getSize().divideBy(2);
      const offset = this.around.subtract(half).multiplyBy(1 - 1 / map.getZoomScale(zoom));
      const center = map.containerPointToLatLng(half.add(offset));
      if (!last) {
        map._move(center, zoom, { pinch: true, round: false });
        requestAnimationFrame(() => this.turn());
        return;
      }
      this.target = null;
      map._move(center, zoom, { pinch: true });
      this.settle();
    }

    destroy() {
      this.target = null;
      clearTimeout(this.following);
      this.map.remove();
    }
  }

  PinganMap.leaflet = { load: loadLibrary, Camera: LeafletCamera, mayMove: mayMove,
    TILE_PX: TILE_PX, ZOOM_OFFSET: ZOOM_OFFSET };
}());
