/**
 * The MapLibre GL engine: life of the map, camera, values, events.
 *
 * MapLibre 6 ships as ES modules and finds its worker beside itself, so the page needs only
 * `script-src 'self'; worker-src 'self'`. Geometry stays in the map; a recolouring sets the feature
 * state of the areas whose byte changed and nothing else.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const MODULE = new URL('vendor/maplibre-gl.mjs', PinganMap.assets).href;
  const STYLESHEET = new URL('vendor/maplibre-gl.css', PinganMap.assets).href;
  const PAN_PX = 200;

  /** Longest time that drawing is held back for tiles on their way. */
  const HOLD_MS = 400;
  const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

  /** @type {?Promise<object>} */
  let library = null;

  /** @returns {Promise<object>} the MapLibre module */
  function loadLibrary() {
    if (!library) {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = STYLESHEET;
      document.head.appendChild(link);
      library = import(MODULE).then(function (module) {
        module.prewarm(); // the worker starts while the page is still asking for its layout
        return module;
      });
    }
    return library;
  }

  /** One map in one container. */
  class GlEngine extends PinganMap.GlCamera {
    /**
     * @param {HTMLElement} container
     * @param {function(MapEvent): void} onEvent
     */
    constructor(container, onEvent) {
      super();
      this.container = container;
      this.onEvent = onEvent;
      this.module = null;
      this.map = null;
      this.layers = null; // GlLayers, once the style is loaded
      this.overlays = null; // GlOverlays, as long
      this.view = null;
      this.values = null;
      this.shown = null; // key of the fills whose values are on screen
      this.applied = {}; // key -> bands and inks held by the map's feature state
      this.appliedVersion = null;
      this.awaited = null; // values whose frame is not drawn yet
      this.heldSince = 0; // when drawing was last held back, 0 if it is not
      this.hovered = -1;
      this.strayed = false; // the reader has moved the camera since it was set
      this.wheeled = false; // since the last move ended
      this.fail = (error) => onEvent({ kind: 'error',
        message: String((error && error.message) || error) });
      loadLibrary().then((module) => {
        this.module = module;
        this.start();
      }).catch(this.fail);
    }

    /** @param {View} view */
    applyView(view) {
      const before = this.view;
      this.view = view;
      if (!this.map) {
        this.start();
        return;
      }
      if (PinganMap.staleLayers(before, view).length) {
        this.applied = {};
        this.shown = null;
        this.awaited = null;
      }
      PinganMap.keys.name(this.map.getCanvas(), view);
      if (PinganMap.cameraWish(before) !== PinganMap.cameraWish(view)) this.moveCamera();
      this.sync();
    }

    /** @param {DecodedValues} values */
    applyValues(values) {
      this.values = values;
      this.sync();
    }

    destroy() {
      document.removeEventListener('pingan:print', this.redraw);
      if (this.map) {
        this.leaveBox();
        this.map.remove();
      }
      this.map = null;
      this.layers = null;
    }

    /** @param {number} index of an area to outline as if pointed at; -1 for none */
    highlight(index) {
      if (this.layers && this.shown) this.layers.mark('hover', this.shown, index);
    }

    /** Make the map once both the library and a view are here. */
    start() {
      if (!this.module || !this.view || this.map) return;
      const camera = this.view.camera;
      this.map = new this.module.Map(Object.assign({
        container: this.container,
        style: PinganMap.GlLayers.baseStyle(),
        localIdeographFontFamily: PinganMap.style.FONT_STACK,
        attributionControl: false,
        fadeDuration: 0,
        validateStyle: false,
        renderWorldCopies: false,
        trackResize: false, // see watchBox
        dragRotate: false,
        touchPitch: false,
        minZoom: Math.min.apply(null, this.view.levels.map((row) => row.minzoom)), // none lower
        maxZoom: 18,
        maxTileCacheZoomLevels: 2 // of tiles out of sight; the browser's own cache has them all
      }, camera ? { center: [camera[0], camera[1]], zoom: camera[2] } : {
        bounds: this.view.focus.bounds, fitBoundsOptions: { padding: this.padding() } }));
      this.map.touchZoomRotate.disableRotation();
      this.map.keyboard.disableRotation();
      this.listen();
    }

    listen() {
      const map = this.map;
      this.redraw = () => map.redraw(); // its picture is gone once it was shown
      document.addEventListener('pingan:print', this.redraw);
      this.holdDrawing();
      this.watchBox();
      PinganMap.keys.name(map.getCanvas(), this.view);
      map.on('style.load', () => {
        this.layers = new PinganMap.GlLayers(map);
        this.overlays = new PinganMap.GlOverlays(map, this.layers);
        this.sync();
      });
      map.on('render', () => this.reportPaint());
      map.on('click', (event) => this.click(this.pick(event.point), event.lngLat));
      map.on('mousemove', (event) => this.hover(this.pick(event.point), event));
      map.on('mouseout', () => this.hover(-1, null));
      map.on('wheel', () => { this.wheeled = true; });
      map.on('dragstart', () => this.hover(-1, null));
      map.on('move', (event) => {
        if (!event.pingan) this.onEvent(Object.assign({ kind: 'moving' }, this.camera()));
      });
      map.on('moveend', (event) => {
        const byUser = event.originalEvent || this.wheeled; // a wheel zoom ends without its event
        this.wheeled = false;
        if (byUser && !event.pingan) this.reportCamera();
      });
      map.on('resize', () => {
        if (!this.strayed && !this.view.camera) this.fitFocus(false);
      });
      map.on('error', (event) => this.fail(event.error || event));
      map.getCanvas().addEventListener('keydown', (event) => this.onKey(event));
      map.addControl(PinganMap.zoomControl(() => this.view, () => {
        this.fitFocus(PinganMap.glMotion.isWelcome());
        this.onEvent({ kind: 'camera', reset: true });
      }));
    }

    // --- view and values to the map -------------------------------------------------------------

    /** Idempotent; run after every change. */
    sync() {
      if (!this.layers || !this.view) return;
      const view = this.view;
      this.layers.setView(view);
      const target = PinganMap.keyOf(view);
      if (!this.layers.tileSet(target)) {
        this.fail('no tiles for ' + target);
        return;
      }
      this.layers.wantFill(target);
      if (target !== this.shown && this.applied[target]) {
        // Colours of an earlier visit must not flash up before the new values come.
        this.map.removeFeatureState({ source: target, sourceLayer: PinganMap.tileLayer(target) });
        delete this.applied[target];
      }
      if (PinganMap.belongs(this.values, view)) this.commit(target);
      if (this.shown === target && !this.awaited) this.orient();
    }

    /** What lies over the colours: with the values that belong to the view, never with older ones. */
    syncOverlays() {
      const view = this.view;
      this.layers.showOnly([this.shown].concat((view.overlays || []).map((row) => row.key)));
      this.overlays.apply(view, this.values.overlays || {}, (key, bands) => {
        this.setStates(key, bands);
      });
      this.layers.paint('fill:' + this.shown,
        { 'fill-opacity': view.opacity == null ? 1 : view.opacity });
    }

    /** Lines, marks and names: after the colours, whose tiles they would hold up. */
    orient() {
      const view = this.view;
      this.layers.syncLines();
      this.layers.syncMarks();
      if (PinganMap.belongs(this.values, view)) this.syncOverlays();
      PinganMap.labels.show(this.map, view, () => this.layers !== null && this.view === view)
        .catch(this.fail);
    }

    /**
     * Put the values on the map and let its fills be the ones shown.
     *
     * @param {string} key
     */
    commit(key) {
      if (this.shown !== key) {
        this.hover(-1, null);
        this.highlight(-1);
        this.layers.showOnly([key]);
        this.shown = key;
        this.appliedVersion = null;
      }
      const held = this.applied[key];
      if (this.appliedVersion === this.values.version) {
        if (held.inks !== this.layers.inks(key)) this.setStates(key, held.bands);
        return;
      }
      const changed = this.setStates(key, this.values.bands);
      this.appliedVersion = this.values.version;
      this.awaited = this.values;
      this.heldSince = 0;
      performance.clearMarks('pingan:applied'); // a browser keeps marks until it is told
      performance.mark('pingan:applied', { detail: { version: this.values.version, key: key,
        changed: changed } });
      this.map.triggerRepaint();
    }

    /**
     * @param {string} key
     * @param {Uint8Array} bands
     * @returns {number} how many areas changed
     */
    setStates(key, bands) {
      const last = this.applied[key];
      const inks = this.layers.inks(key);
      const absent = inks[PinganMap.BAND.ABSENT];
      const feature = { source: key, sourceLayer: PinganMap.tileLayer(key), id: 0 };
      let changed = 0;
      let hatched = false;
      for (let i = 0; i < bands.length; i += 1) {
        const ink = inks[bands[i]];
        if (ink.h) hatched = true;
        if (ink !== (last ? last.inks[last.bands[i]] : absent)) {
          feature.id = i;
          this.map.setFeatureState(feature, ink);
          changed += 1;
        }
      }
      this.applied[key] = { bands: bands, inks: inks };
      if (hatched) this.layers.hatch(key);
      return changed;
    }

    /**
     * Every arriving tile asks for a frame of the whole map. Where software draws, those frames
     * take the processor from the worker that cuts the next tile, so while values wait for tiles
     * and nothing moves, drawing waits too.
     */
    holdDrawing() {
      const draw = this.map.triggerRepaint.bind(this.map);
      this.map.triggerRepaint = () => {
        if (!this.mayHold()) {
          draw();
        } else if (!this.heldSince) {
          draw(); // this frame asks for the tiles
          this.heldSince = performance.now();
          setTimeout(draw, HOLD_MS);
        }
      };
    }

    /** @returns {boolean} whether a frame now would only show part of the awaited values */
    mayHold() {
      const software = PinganMap.glMotion.software;
      if (!software || !this.awaited || !this.layers || this.map.isMoving()) return false;
      const key = this.awaited.key;
      const late = this.heldSince && performance.now() - this.heldSince > HOLD_MS;
      return !late && this.map.getSource(key).loaded() && !this.map.isSourceLoaded(key);
    }

    /**
     * Values are painted once a frame with every tile of theirs was drawn, and drawn means that
     * the graphics process is done with it: a software rasteriser takes longer than our script.
     */
    reportPaint() {
      const awaited = this.awaited;
      if (!awaited || awaited.key !== this.shown || !this.map.isSourceLoaded(this.shown)) return;
      this.awaited = null;
      const gl = this.map.getCanvas().getContext('webgl2');
      const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      gl.flush();
      const poll = () => {
        if (!this.layers) return; // destroyed meanwhile
        if (fence && !gl.isContextLost() &&
            gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) {
          setTimeout(poll, 2);
          return;
        }
        gl.deleteSync(fence);
        this.onEvent({ kind: 'painted', version: awaited.version, key: awaited.key });
        if (!this.awaited) this.orient();
      };
      setTimeout(poll, 0);
    }

    // --- events -------------------------------------------------------------------------------

    /**
     * @param {{x: number, y: number}} point
     * @returns {number} index of the drawn area there, -1 for none
     */
    pick(point) {
      const id = 'fill:' + this.shown;
      if (!this.applied[this.shown] || !this.map.getLayer(id)) return -1;
      const bands = this.applied[this.shown].bands;
      const found = this.map.queryRenderedFeatures(point, { layers: [id] });
      const index = found.length ? Number(found[0].id) : -1;
      const band = bands[index]; // undefined outside the array
      const empty = PinganMap.tileLayer(this.shown) === 'cells' && band === 0;
      return band === undefined || band === PinganMap.BAND.ABSENT || empty ? -1 : index;
    }

    /** @param {number} index @param {{lng: number, lat: number}} at */
    click(index, at) {
      if (index < 0) return;
      this.onEvent({ kind: 'click', key: this.shown, index: index, lng: at.lng, lat: at.lat });
    }

    /** Plain arrows lead over the areas (map_keys.js); with Shift they move the map. */
    onKey(event) {
      const step = PinganMap.keys.STEPS[event.key];
      if (!step || !event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation(); // MapLibre would turn the map
      const motion = PinganMap.glMotion;
      this.map.panBy([step[0] * PAN_PX, -step[1] * PAN_PX],
        { duration: motion.isWelcome() ? motion.EASE_MS : 0 }, { originalEvent: event });
    }

    /** @param {number} index @param {?object} event MapLibre's, null where there is none */
    hover(index, event) {
      const icon = event && this.overlays ? this.overlays.pick(event.point) : null;
      const note = icon ? icon.label : '';
      if (index === this.hovered) {
        if (index >= 0) this.onEvent({ kind: 'move', point: event.point, note: note });
        return;
      }
      this.hovered = index;
      this.highlight(index);
      this.map.getCanvas().style.cursor = index < 0 ? '' : 'pointer';
      this.onEvent(index < 0 ? { kind: 'leave' } : { kind: 'hover', key: this.shown, index: index,
        point: event.point, note: note, lng: event.lngLat.lng, lat: event.lngLat.lat });
    }

  }

  PinganMap.register('gl', {
    preload: loadLibrary,
    supported: function () {
      const gl = document.createElement('canvas').getContext('webgl2');
      if (!gl) return false;
      const renderer = gl.getExtension('WEBGL_debug_renderer_info');
      PinganMap.glMotion.software = Boolean(renderer) &&
        SOFTWARE.test(gl.getParameter(renderer.UNMASKED_RENDERER_WEBGL));
      const lose = gl.getExtension('WEBGL_lose_context');
      if (lose) lose.loseContext(); // a page may hold only so many live contexts
      return true;
    },
    software: function () { return PinganMap.glMotion.software; }, // known once `supported` was asked
    create: function (container, onEvent) { return new GlEngine(container, onEvent); }
  });
}());
