/**
 * The areas on canvases: one canvas a tile (a sheet), moved by CSS alone while the map is panned.
 *
 * A sheet holds everything that is part of the ground: land, fills, hatching, overlays, lines and
 * the outlines of focus and selection. Its decoded tiles and numbered pixels are kept, so a change
 * of colours draws without decoding or filling anything.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Drawing between two looks at the reader's input. */
  const DRAW_MS = 30;

  /**
   * What the sheets show, from the bottom.
   *
   * @typedef {Object} Scene
   * @property {function(string): ?TileSet} tileSet
   * @property {{key: string, colour: string}} land
   * @property {Fill} fill the clicked layer; nothing is drawn before its tile is there
   * @property {Fill[]} overlays
   * @property {Lines[]} lines for orientation
   * @property {Array<{key: string, index: number, colour: string, width: number}>} marks
   * @property {Lines[]} over boundaries that the reader has switched on
   * @property {string} version of the values
   * @typedef {{key: string, bands: Uint8Array, inks: Inks, opacity: number, outline: ?string,
   *   roomyZoom: number}} Fill outlined and hatched from `roomyZoom` on
   * @typedef {{key: string, colour: string, width: function(number): number,
   *   opacity: number}} Lines width in CSS pixels at a zoom
   */

  /**
   * A context that the processor draws: where this engine is taken, graphics are emulated, and an
   * emulated one takes a hundred times as long to take in pixels.
   *
   * @param {HTMLCanvasElement} canvas
   * @returns {CanvasRenderingContext2D}
   */
  function flat(canvas) { return canvas.getContext('2d', { willReadFrequently: true }); }

  class Sheets extends PinganMap.SheetQuestions {
    /**
     * @param {object} L
     * @param {object} map
     * @param {TileStore} store
     * @param {function(): void} onDrawn after the work at hand is done
     */
    constructor(L, map, store, onDrawn) {
      super();
      this.map = map;
      this.store = store;
      this.onDrawn = onDrawn;
      this.scene = null;
      this.sheets = new Map(); // canvas -> sheet
      this.running = false;
      this.queued = false;
      this.paths = new WeakMap(); // geometry -> outlines of all its features, at the present zoom
      this.image = null;
      this.scratch = document.createElement('canvas');
      this.hatch = null;
      this.grid = this.makeGrid(L);
      // Leaflet asks for tiles more than one zoom away only when the motion has ended.
      map.on('aimed', (event) => this.grid._setView(event.center, event.zoom, true));
      map.on('zoomstart', () => { this.paths = new WeakMap(); });
      map.on('zoomend', () => this.refresh((sheet) => sheet.zoom !== map.getZoom()));
    }

    makeGrid(L) {
      const add = (coords, done) => this.add(coords, done);
      const Grid = L.GridLayer.extend({
        createTile: add,
        /** Leaflet rounds the shift of a level, which would blur every sheet at a broken zoom. */
        _setZoomTransform: function (level, center, zoom) {
          const scale = this._map.getZoomScale(zoom, level.zoom);
          L.DomUtil.setTransform(level.el, level.origin.multiplyBy(scale)
            .subtract(this._map._getNewPixelOrigin(center, zoom)), scale);
        }
      });
      const grid = new Grid({ tileSize: PinganMap.leaflet.TILE_PX, noWrap: true, keepBuffer: 1,
        updateWhenZooming: false, updateWhenIdle: false });
      grid.on('tileunload', (event) => {
        this.sheets.delete(event.tile);
        event.tile.width = 0; // gives its memory back now
      });
      return grid;
    }

    /** @param {object} coords of Leaflet @param {function} done @returns {HTMLCanvasElement} */
    add(coords, done) {
      const canvas = document.createElement('canvas');
      canvas.width = 0;
      this.sheets.set(canvas, { canvas: canvas, coords: coords, done: done, dirty: true,
        numbers: {}, side: 0, version: null });
      this.schedule();
      return canvas;
    }

    /** @param {Scene} scene */
    setScene(scene) {
      this.scene = scene;
      this.refresh();
    }

    /** @param {function(object): boolean} [stale] which sheets to draw anew; else all */
    refresh(stale) {
      this.sheets.forEach((sheet) => { sheet.dirty = sheet.dirty || !stale || stale(sheet); });
      if (!stale || this.current().some((sheet) => sheet.dirty)) this.schedule();
    }

    /** @returns {Array<object>} sheets of the present zoom */
    current() {
      return Object.values(this.grid._tiles || {}).filter((tile) => tile.current)
        .map((tile) => this.sheets.get(tile.el)).filter(Boolean);
    }

    /** @param {string} version @returns {boolean} whether every sheet shows these values */
    shows(version) {
      return Boolean(this.scene) && this.current().every((sheet) => sheet.version === version);
    }

    /** @param {string} key tiles that the next scene will need */
    prefetch(key, tileSet) {
      this.current().forEach((sheet) => {
        const place = this.place(sheet, tileSet);
        if (place) this.store.load(place.address, PinganMap.tileLayer(key));
      });
    }

    // --- work -----------------------------------------------------------------------------------

    schedule() {
      this.queued = true;
      if (this.running || !this.scene) return;
      this.running = true;
      this.store.turns.next().then(() => this.run());
    }

    async run() {
      let since = performance.now();
      while (this.queued && this.scene) {
        this.queued = false;
        for (const sheet of this.current()) {
          if (performance.now() - since > (this.store.turns.moving ? 6 : DRAW_MS)) {
            await this.store.turns.next();
            since = performance.now();
          }
          if (!this.scene) break;
          if (sheet.dirty && this.sheets.has(sheet.canvas)) this.draw(sheet);
        }
      }
      this.running = false;
      if (!this.scene) return;
      this.onDrawn();
      if (this.shows(this.scene.version)) this.refresh((sheet) => sheet.bare);
    }

    /** @returns {number} zoom that the map has, or is easing to */
    zoomNow() {
      return this.map._animatingZoom ? this.map._animateToZoom : this.map.getZoom();
    }

    /**
     * Which tile a sheet takes of a level, and which part of it.
     *
     * @param {object} sheet
     * @param {TileSet} tileSet
     * @returns {?{address: string, parts: number, column: number, row: number}} sheets a side of
     *   the tile, and which of them this is; null below the lowest zoom
     */
    place(sheet, tileSet) {
      const zoom = sheet.coords.z - PinganMap.leaflet.ZOOM_OFFSET;
      if (zoom < tileSet.minzoom) return null;
      const own = Math.min(zoom, tileSet.maxzoom);
      const parts = Math.pow(2, zoom - own);
      const x = Math.floor(sheet.coords.x / parts);
      const y = Math.floor(sheet.coords.y / parts);
      const address = new URL(tileSet.tiles.replace('{z}', own).replace('{x}', x)
        .replace('{y}', y), document.baseURI).href;
      return { address: address, parts: parts, column: sheet.coords.x - x * parts,
        row: sheet.coords.y - y * parts };
    }

    /**
     * A level's geometry under a sheet; asked for if it is not here.
     *
     * @param {object} sheet
     * @param {string} key
     * @returns {?{geometry: Geometry, frame: Frame}}
     */
    ground(sheet, key) {
      const tileSet = this.scene.tileSet(key);
      const place = tileSet && this.place(sheet, tileSet);
      const geometry = place ? this.store.peek(place.address) : PinganMap.geometry.EMPTY;
      if (!geometry && key !== this.scene.fill.key && !this.shows(this.scene.version)) {
        sheet.bare = true; // its lines come after the colours, whose tiles they would hold up
        return null;
      }
      if (!geometry) {
        this.store.load(place.address, PinganMap.tileLayer(key)).then(() => {
          sheet.dirty = true;
          this.schedule();
        });
        return null;
      }
      const parts = place ? place.parts : 1;
      return { geometry: geometry, frame: { side: sheet.side, scale: sheet.span * parts /
        geometry.extent, left: place ? place.column * geometry.extent / parts : 0,
        top: place ? place.row * geometry.extent / parts : 0 } };
    }

    /** @param {object} sheet settles how many device pixels it has */
    size(sheet) {
      const ratio = window.devicePixelRatio;
      const TILE_PX = PinganMap.leaflet.TILE_PX;
      const scale = this.map.getZoomScale(this.zoomNow(), sheet.coords.z);
      const span = TILE_PX * scale * ratio; // of the tile; one pixel more covers the joint
      const side = Math.round(span) + 1;
      if (side === sheet.side) return;
      sheet.side = side;
      sheet.span = span;
      sheet.scale = scale;
      sheet.numbers = {};
    }

    /** @param {object} sheet draws it as far as its tiles are here */
    draw(sheet) {
      const scene = this.scene;
      this.size(sheet);
      sheet.dirty = false;
      sheet.zoom = this.zoomNow();
      sheet.bare = false;
      const ground = this.ground(sheet, scene.fill.key);
      if (!ground) return; // what it shows stays until then
      const canvas = sheet.canvas;
      if (canvas.width !== sheet.side) {
        canvas.width = sheet.side;
        canvas.height = sheet.side;
      }
      canvas.style.width = canvas.style.height =
        sheet.side / (sheet.scale * window.devicePixelRatio) + 'px';
      const context = flat(canvas);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.putImageData(this.pixels(sheet, scene.fill, ground), 0, 0);
      this.land(context, sheet);
      this.outline(context, sheet, scene.fill, ground);
      scene.overlays.forEach((overlay) => this.overlay(context, sheet, overlay));
      scene.lines.forEach((lines) => this.lines(context, sheet, lines));
      scene.marks.forEach((mark) => this.mark(context, sheet, mark));
      scene.over.forEach((lines) => this.lines(context, sheet, lines));
      sheet.version = scene.version;
      if (sheet.done) sheet.done(null, canvas);
      sheet.done = null;
    }

    // --- parts of a sheet -------------------------------------------------------------------------

    /** @returns {ImageData} the coloured pixels of a fill */
    pixels(sheet, fill, { geometry, frame }) {
      const side = sheet.side;
      if (!this.image || this.image.width !== side) this.image = new ImageData(side, side);
      const kept = sheet.numbers[fill.key];
      const numbers = kept && kept.geometry === geometry ? kept.numbers :
        PinganMap.raster.rasterise(geometry, frame);
      sheet.numbers[fill.key] = { geometry: geometry, numbers: numbers };
      PinganMap.raster.colour(new Uint32Array(this.image.data.buffer), numbers, geometry, fill.bands,
        fill.inks, this.zoom() < fill.roomyZoom ? null : this.hatching(sheet));
      return this.image;
    }

    /** @returns {number} the zoom in MapLibre's sense */
    zoom() { return this.zoomNow() - PinganMap.leaflet.ZOOM_OFFSET; }

    hatching(sheet) {
      const ratio = window.devicePixelRatio;
      if (!this.hatch || this.hatch.ratio !== ratio) {
        this.hatch = Object.assign({ ratio: ratio }, PinganMap.raster.hatching(ratio));
      }
      const step = (sheet.side - 1) % this.hatch.side;
      return Object.assign({}, this.hatch, { left: sheet.coords.x * step % this.hatch.side,
        top: sheet.coords.y * step % this.hatch.side });
    }

    /** @param {Geometry} geometry @returns {Path2D} */
    allOutlines(geometry) {
      if (!this.paths.has(geometry)) {
        this.paths.set(geometry, PinganMap.geometry.outlines(geometry, () => true));
      }
      return this.paths.get(geometry);
    }

    /** Have the context draw in the coordinates of a tile. */
    enter(context, { scale, left, top }) {
      context.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
    }

    land(context, sheet) {
      const ground = this.ground(sheet, this.scene.land.key);
      if (ground && ground.geometry.n) {
        context.globalCompositeOperation = 'destination-over';
        this.enter(context, ground.frame);
        context.fillStyle = this.scene.land.colour;
        context.fill(this.allOutlines(ground.geometry), 'evenodd');
      }
      context.globalCompositeOperation = 'source-over';
    }

    stroke(context, frame, path, colour, width) {
      this.enter(context, frame);
      context.strokeStyle = colour;
      context.lineWidth = width * window.devicePixelRatio / frame.scale;
      context.lineJoin = 'round';
      context.stroke(path);
    }

    /** The outlines of a fill's drawn areas. */
    outline(context, sheet, fill, { geometry, frame }) {
      if (!fill.outline || !geometry.n || this.zoom() < fill.roomyZoom) return;
      const drawn = (f) => fill.inks.drawn[geometry.ids[f] < fill.bands.length ?
        fill.bands[geometry.ids[f]] : PinganMap.BAND.ABSENT];
      let all = true;
      for (let f = 0; f < geometry.n && all; f += 1) all = Boolean(drawn(f));
      context.globalAlpha = fill.opacity;
      this.stroke(context, frame, all ? this.allOutlines(geometry) :
        PinganMap.geometry.outlines(geometry, drawn), fill.outline, 1);
      context.globalAlpha = 1;
    }

    overlay(context, sheet, overlay) {
      const ground = this.ground(sheet, overlay.key);
      if (!ground || !ground.geometry.n) return;
      this.scratch.width = this.scratch.height = sheet.side;
      flat(this.scratch).putImageData(this.pixels(sheet, overlay, ground), 0, 0);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(this.scratch, 0, 0);
      this.outline(context, sheet, overlay, ground);
    }

    lines(context, sheet, lines) {
      const ground = this.ground(sheet, lines.key);
      if (!ground || !ground.geometry.n) return;
      context.globalAlpha = lines.opacity;
      this.stroke(context, ground.frame, this.allOutlines(ground.geometry), lines.colour,
        lines.width(this.zoom()));
      context.globalAlpha = 1;
    }

    mark(context, sheet, mark) {
      const ground = this.ground(sheet, mark.key);
      const path = ground && this.outlineOf(ground.geometry, mark.index);
      if (path) this.stroke(context, ground.frame, path, mark.colour, mark.width);
    }

    destroy() {
      this.scene = null;
      this.sheets.clear();
    }
  }

  PinganMap.flatContext = flat;
  PinganMap.Sheets = Sheets;
}());
