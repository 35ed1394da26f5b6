/**
 * The canvas engine: the same vector tiles, drawn without WebGL on Leaflet's tiles.
 *
 * Taken by itself where WebGL2 is missing or drawn by software: panning moves finished canvases and
 * draws nothing. Same view, same values, same events as the GL engine.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const MARK = { width: 2, colour: 'mark' }; // of the area pointed at

  class CanvasEngine extends PinganMap.CanvasScene {
    /**
     * @param {HTMLElement} container
     * @param {function(MapEvent): void} onEvent
     */
    constructor(container, onEvent) {
      super();
      this.container = container;
      this.onEvent = onEvent;
      this.library = null;
      this.camera = null; // LeafletCamera, once there are a library and a view
      this.map = null;
      this.sheets = null;
      this.signs = null;
      this.view = null;
      this.values = null;
      this.shown = null; // key of the fill whose values are on screen
      this.applied = null; // values on screen, or being drawn
      this.awaited = null; // values that are not painted yet
      this.handed = ''; // of the scene as last handed over
      this.named = null; // view whose names are shown
      this.hovered = -1;
      this.strayed = false; // the reader has moved the camera since it was set
      this.warned = {};
      this.fail = (error) => onEvent({ kind: 'error',
        message: String((error && error.message) || error) });
      this.resized = new ResizeObserver(() => this.resize());
      this.resized.observe(container);
      PinganMap.leaflet.load().then((library) => {
        this.library = library;
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
        this.shown = null;
        this.applied = null;
        this.awaited = null;
        this.setRange();
      }
      this.nameBox();
      if (PinganMap.cameraWish(before) !== PinganMap.cameraWish(view)) this.moveCamera();
      this.sync();
    }

    /** @param {DecodedValues} values */
    applyValues(values) {
      this.values = values;
      this.sync();
    }

    /** @param {[number, number, number]} camera lng, lat, zoom: of a twin that the user moves */
    follow(camera) {
      this.strayed = true;
      if (this.camera) this.camera.follow(camera);
    }

    /** Ease to the focus. */
    fit() {
      if (this.camera) this.fitFocus(true);
    }

    /** @returns {?{lng: number, lat: number, zoom: number}} null before there is a map */
    look() { return this.camera && this.camera.look(); }

    /** @param {[number, number]} place @returns {{x: number, y: number}} in pixels of the box */
    project([lng, lat]) { return this.map.latLngToContainerPoint([lat, lng]); }

    /** @param {[number, number]} place to have in the middle, as if the reader had moved there */
    centre([lng, lat]) {
      this.camera.byUser = true;
      this.map.panTo([lat, lng], { animate: false });
    }

    /** @param {number} index of an area to outline as if pointed at; -1 for none */
    highlight(index) {
      if (!this.signs) return;
      this.signs.setHover(index < 0 || !this.shown ? null : { key: this.shown, index: index,
        width: MARK.width, colour: PinganMap.style.colours()[MARK.colour] },
      (...drawing) => this.sheets.trace(...drawing));
    }

    destroy() {
      this.resized.disconnect();
      if (this.sheets) this.sheets.destroy();
      if (this.camera) this.camera.destroy();
      this.map = null;
      this.sheets = null;
    }

    /** Make the map once the library, a view and a box with a size are here. */
    start() {
      const box = this.container;
      if (!this.library || !this.view || this.map || !box.clientWidth || !box.isConnected) return;
      const L = this.library.L;
      const inner = document.createElement('div');
      inner.className = 'map-leaflet';
      box.replaceChildren(inner);
      this.camera = new PinganMap.leaflet.Camera(L, inner, (event) => {
        if (event.kind === 'camera') this.strayed = true;
        this.onEvent(event);
      });
      this.map = this.camera.map;
      if (this.view.camera) this.camera.set(this.view.camera, false);
      else this.fitFocus(false);
      const store = PinganMap.tileStore(this.library, this.fail);
      this.sheets = new PinganMap.Sheets(L, this.map, store, () => this.onDrawn());
      this.setRange();
      this.sheets.grid.addTo(this.map);
      this.signs = new PinganMap.Signs(L, this.map, () => this.sheets.zoom());
      this.listen(inner, store.turns);
      this.nameBox();
      this.sync();
    }

    /** Sheets lie within the city; below the lowest tiles, those are drawn smaller. */
    setRange() {
      const [west, south, east, north] = this.view.city_bounds;
      const options = this.sheets.grid.options;
      options.bounds = this.library.L.latLngBounds([south, west], [north, east]);
      options.minNativeZoom = this.view.levels[0].minzoom + PinganMap.leaflet.ZOOM_OFFSET;
    }

    /** @param {HTMLElement} inner @param {Turns} turns */
    listen(inner, turns) {
      const map = this.map;
      const at = (event) => map.mouseEventToContainerPoint(event);
      map.on('click', (event) => this.click(this.pick(event.containerPoint), event.latlng));
      map.on('dragstart', () => this.hover(-1, null));
      map.on('movestart', () => turns.setMoving(map, this.camera.byUser));
      map.on('moveend unload', () => turns.setMoving(map, false));
      inner.addEventListener('pointermove', (event) => {
        if (event.pointerType === 'touch' || map.dragging.moving()) return;
        const point = at(event);
        const onButton = event.target.closest('.leaflet-control');
        this.hover(onButton ? -1 : this.pick(point), point);
      });
      inner.addEventListener('pointerleave', () => this.hover(-1, null));
      this.addButtons();
    }

    addButtons() {
      const L = this.library.L;
      const camera = this.camera;
      const zoom = (step) => () => {
        camera.byUser = true;
        this.map.setZoom(this.map.getZoom() + step);
      };
      const ours = PinganMap.zoomControl(() => this.view, () => {
        this.fitFocus(true);
        this.onEvent({ kind: 'camera', reset: true });
      });
      const Control = L.Control.extend({ onAdd: function () {
        const box = ours.onAdd({ zoomIn: zoom(1), zoomOut: zoom(-1) });
        L.DomEvent.disableClickPropagation(box);
        return box;
      } });
      new Control({ position: 'topright' }).addTo(this.map);
    }

    /** What a screen reader calls the map. */
    nameBox() { PinganMap.keys.name(this.map.getContainer(), this.view); }

    // --- camera ---------------------------------------------------------------------------------

    moveCamera() {
      const wish = this.view.camera;
      this.strayed = false;
      if (!wish) {
        this.fitFocus(this.shown !== null);
        return;
      }
      const now = this.camera.look();
      const there = PinganMap.isSameCamera([now.lng, now.lat, now.zoom], wish);
      if (!there) this.camera.set(wish, true); // else the echo of the user's own move
    }

    /** @param {boolean} eased */
    fitFocus(eased) {
      this.strayed = false;
      this.camera.fit(this.view.focus.bounds, this.padding(), eased);
    }

    /** @returns {object} pixels kept free round the focus */
    padding() { return PinganMap.padding(this.container); }

    resize() {
      if (!this.map) {
        this.start(); // a box that had no size has one
        return;
      }
      this.map.invalidateSize({ animate: false });
      if (!this.strayed && !this.view.camera) this.fitFocus(false);
    }

    // --- view and values to the map -----------------------------------------------------------

    /** @param {string} key @returns {?TileSet} */
    tileSet(key) {
      const name = key.slice(key.indexOf(':') + 1);
      if (PinganMap.tileLayer(key) === 'cells') return (this.view.cells || {})[name] || null;
      return this.view.levels.find(function (row) { return row.level === name; }) || null;
    }

    /** Idempotent; run after every change. */
    sync() {
      if (!this.sheets || !this.view) return;
      const target = PinganMap.keyOf(this.view);
      const tiles = this.tileSet(target);
      if (!tiles) {
        this.fail('no tiles for ' + target);
        return;
      }
      if (PinganMap.belongs(this.values, this.view)) this.commit(target);
      else if (target !== this.shown) this.sheets.prefetch(target, tiles);
      if (this.shown === target) this.handOver();
    }

    /**
     * Let the values be the ones shown.
     *
     * @param {string} key
     */
    commit(key) {
      if (this.shown !== key) {
        this.hover(-1, null);
        this.highlight(-1);
        this.shown = key;
        this.applied = null;
      }
      if (this.applied && this.applied.version === this.values.version) return;
      const last = this.applied && this.applied.bands;
      const changed = this.values.bands.reduce((sum, band, at) =>
        sum + (band !== (last ? last[at] : PinganMap.BAND.ABSENT)), 0);
      this.applied = this.values;
      this.awaited = this.values;
      performance.clearMarks('pingan:applied'); // a browser keeps marks until it is told
      performance.mark('pingan:applied', { detail: { version: this.values.version, key: key,
        changed: changed } });
    }

    /** Give the sheets and signs what they show, if anything of it has changed. */
    handOver() {
      const view = this.view;
      const colours = PinganMap.style.colours();
      const look = JSON.stringify([this.applied.key, this.applied.version, view.boundary,
        view.cells, view.level, view.layer, view.focus, view.selected, view.palette, view.opacity,
        view.overlays, view.base, view.theme, colours]);
      if (look !== this.handed) {
        this.handed = look;
        this.container.style.backgroundColor = colours.ground;
        this.sheets.setScene(this.scene(colours));
        this.signs.setMarks(this.overlays('marks')
          .filter((row) => this.applied.overlays[row.id])
          .map((row) => ({ id: row.id, marks: this.applied.overlays[row.id],
            opacity: row.opacity })));
        this.setBase(view.base);
      }
      if (this.named !== view && !this.awaited) this.showNames();
    }

    /** Names come last: they never hold up colours. */
    showNames() {
      const view = this.view;
      this.named = view;
      PinganMap.loadNames(view.names).then((names) => {
        if (this.signs && this.view === view) this.signs.setNames(view, names);
      }).catch(this.fail);
    }

    /** @param {'fill'|'lines'|'marks'} type @returns {Overlay[]} */
    overlays(type) {
      const known = ['fill', 'lines', 'marks'];
      return (this.view.overlays || []).filter((row) => {
        if (!known.includes(row.type) && !this.warned[row.type]) {
          console.warn('map: no layer of type ' + row.type);
          this.warned[row.type] = true;
        }
        return row.type === type;
      });
    }

    /** @param {?object} base raster tiles of this host */
    setBase(base) {
      const wish = base ? base.tiles : null;
      if (wish !== (this.baseTiles || null)) {
        if (this.base) this.base.remove();
        this.base = base ? this.library.L.tileLayer(base.tiles, { minNativeZoom: base.minzoom,
          maxNativeZoom: base.maxzoom, zIndex: 0, noWrap: true,
          maxZoom: this.map.getMaxZoom() }).addTo(this.map) : null;
        this.baseTiles = wish;
      }
      if (this.base) this.base.setOpacity(base.opacity);
    }

    onDrawn() {
      const awaited = this.awaited;
      if (!awaited || !this.sheets || !this.sheets.shows(awaited.version)) return;
      this.awaited = null;
      const report = () => {
        if (!this.sheets) return; // destroyed meanwhile
        this.onEvent({ kind: 'painted', version: awaited.version, key: awaited.key });
        if (!this.awaited) this.handOver();
      };
      if (document.hidden) { // a hidden tab gets no frames
        setTimeout(report, 0);
      } else {
        requestAnimationFrame(() => requestAnimationFrame(report));
      }
    }

    // --- events ---------------------------------------------------------------------------------

    /**
     * @param {{x: number, y: number}} point
     * @returns {number} index of the drawn area there, -1 for none
     */
    pick(point) {
      if (!this.applied || this.applied.key !== this.shown) return -1;
      const index = this.sheets.pick(point);
      const band = this.applied.bands[index]; // undefined outside the array
      const empty = PinganMap.tileLayer(this.shown) === 'cells' && band === 0;
      return band === undefined || band === PinganMap.BAND.ABSENT || empty ? -1 : index;
    }

    /** @param {number} index @param {{lng: number, lat: number}} at */
    click(index, at) {
      if (index < 0) return;
      this.onEvent({ kind: 'click', key: this.shown, index: index, lng: at.lng, lat: at.lat });
    }

    /** @param {number} index @param {?{x: number, y: number}} point null where there is none */
    hover(index, point) {
      if (!this.signs) return;
      const icon = point ? this.signs.pick(point) : null;
      const note = icon ? icon.label : '';
      if (index === this.hovered) {
        if (index >= 0) this.onEvent({ kind: 'move', point: point, note: note });
        return;
      }
      this.hovered = index;
      this.highlight(index);
      this.map.getContainer().style.cursor = index < 0 ? '' : 'pointer';
      const at = point && this.map.containerPointToLatLng([point.x, point.y]);
      this.onEvent(index < 0 ? { kind: 'leave' } : { kind: 'hover', key: this.shown, index: index,
        point: point, note: note, lng: at.lng, lat: at.lat });
    }
  }

  PinganMap.register('canvas', {
    preload: () => PinganMap.leaflet.load(),
    supported: function () {
      return Boolean(document.createElement('canvas').getContext('2d') && window.Path2D);
    },
    create: function (container, onEvent) { return new CanvasEngine(container, onEvent); }
  });
}());
