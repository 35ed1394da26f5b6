/**
 * What the GL map draws over its main fill: a second fill, boundaries, icons; and raster tiles
 * under everything. Each follows the view's list, bottom to top.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const RASTER = 'base';
  const HIT_PX = 6; // a finger or a pointer need not hit the middle of an icon

  const ICON_STEPS = [[7, 0.6], [11, 0.85], [14, 1.1]]; // sizes by zoom, linear between

  class GlOverlays {
    /** @param {object} map MapLibre map with its style loaded @param {GlLayers} layers */
    constructor(map, layers) {
      this.map = map;
      this.layers = layers;
      this.held = {}; // id -> what its source shows
      this.warned = {};
      this.look = '';
    }

    /**
     * @param {View} view
     * @param {Object<string, DecodedValues|Marks>} values by id of the overlay
     * @param {function(string, Uint8Array): void} setStates puts bands on a key's features
     */
    apply(view, values, setStates) {
      const wanted = view.overlays || [];
      this.drop(wanted);
      this.base(view.base);
      wanted.forEach((overlay) => {
        const draw = { fill: this.fill, lines: this.lines, marks: this.marks }[overlay.type];
        if (draw) draw.call(this, overlay, values[overlay.id], setStates);
        else this.warn(overlay.type);
      });
      wanted.forEach((overlay) => this.raise(overlay)); // the list is the order
    }

    /** @param {string} type */
    warn(type) {
      if (!this.warned[type]) console.warn('map: no layer of type ' + type);
      this.warned[type] = true;
    }

    /** @param {object} overlay @returns {string} id of the layer on the map */
    idOf(overlay) {
      return overlay.type === 'fill' ? 'fill:' + overlay.key : 'over:' + overlay.id;
    }

    raise(overlay) {
      const id = this.idOf(overlay);
      const above = overlay.type === 'fill' ? PinganMap.ANCHORS.heat : PinganMap.ANCHORS.over;
      if (this.map.getLayer(id)) this.map.moveLayer(id, above);
    }

    /** @param {Array<object>} wanted takes away what is no longer in the list */
    drop(wanted) {
      const kept = wanted.map((overlay) => 'over:' + overlay.id);
      this.layers.each('over', (id) => {
        if (kept.includes(id)) return;
        this.map.removeLayer(id);
        if (this.map.getSource(id)) this.map.removeSource(id);
        delete this.held[id];
      });
    }

    /** A second fill; its values are set as those of the main one. */
    fill(overlay, values, setStates) {
      if (!this.layers.tileSet(overlay.key)) return;
      this.layers.wantFill(overlay.key);
      this.map.setPaintProperty('fill:' + overlay.key, 'fill-opacity', overlay.opacity);
      if (values && values.key === overlay.key) setStates(overlay.key, values.bands);
    }

    /** Boundaries of a level. */
    lines(overlay) {
      const id = 'over:' + overlay.id;
      const key = 'areas:' + overlay.level;
      if (!this.layers.tileSet(key)) return;
      if (!this.map.getLayer(id)) {
        this.map.addLayer({ id: id, type: 'line', source: this.layers.source(key, 'lines ' + key),
          'source-layer': 'areas', layout: { 'line-join': 'round' } }, PinganMap.ANCHORS.over);
      }
      this.layers.paint(id, { 'line-color': PinganMap.style.colours()['city-line'],
        'line-width': 1, 'line-opacity': overlay.opacity });
    }

    /** Icons at points; the source changes only with its points. */
    marks(overlay, values) {
      const id = 'over:' + overlay.id;
      if (!values) return;
      this.images();
      if (!this.map.getSource(id)) this.map.addSource(id, { type: 'geojson', data: points(null) });
      if (!this.map.getLayer(id)) {
        this.map.addLayer({ id: id, type: 'symbol', source: id, layout: {
          'icon-image': ['concat', 'icon:', ['get', 'icon']], 'icon-allow-overlap': true,
          'symbol-z-order': 'source', // the last on top, as on the canvas
          'icon-size': ['interpolate', ['linear'], ['zoom'], ...ICON_STEPS.flatMap(([zoom, size]) =>
            [zoom, ['*', size, ['get', 'size']]])] } },
        PinganMap.ANCHORS.over);
      }
      if (this.held[id] !== values) this.map.getSource(id).setData(points(values));
      this.held[id] = values;
      this.map.setPaintProperty(id, 'icon-opacity', overlay.opacity);
    }

    /** Icons in the colours of the present theme. */
    images() {
      const page = document.documentElement.dataset;
      const look = page.theme + ' ' + page.palette;
      const missing = !this.map.hasImage('icon:' + PinganMap.icons.names[0]);
      if (!missing && look === this.look) return;
      this.look = look;
      PinganMap.icons.names.forEach((name) => {
        const image = PinganMap.icons.image(name);
        if (missing) this.map.addImage('icon:' + name, image, { pixelRatio: 2 });
        else this.map.updateImage('icon:' + name, image);
      });
    }

    /** @param {?object} base raster tiles of this host */
    base(base) {
      const map = this.map;
      const before = this.held[RASTER];
      if (before !== (base ? base.tiles : undefined) && map.getLayer(RASTER)) {
        map.removeLayer(RASTER);
        map.removeSource(RASTER);
      }
      this.held[RASTER] = base ? base.tiles : undefined;
      if (map.getLayer('land')) map.setPaintProperty('land', 'fill-opacity', base ? 0 : 1);
      if (!base) return;
      if (!map.getSource(RASTER)) {
        const address = decodeURI(new URL(base.tiles, document.baseURI).href);
        map.addSource(RASTER, { type: 'raster', tiles: [address], tileSize: 256,
          minzoom: base.minzoom, maxzoom: base.maxzoom });
        map.addLayer({ id: RASTER, type: 'raster', source: RASTER,
          paint: { 'raster-fade-duration': 0 } }, PinganMap.ANCHORS.land);
      }
      map.setPaintProperty(RASTER, 'raster-opacity', base.opacity);
    }

    /**
     * @param {{x: number, y: number}} point
     * @returns {?{id: string, index: number, label: string}} the topmost icon there
     */
    pick(point) {
      const ids = Object.keys(this.held).filter((id) => id !== RASTER && this.map.getLayer(id));
      if (!ids.length) return null;
      const box = [[point.x - HIT_PX, point.y - HIT_PX], [point.x + HIT_PX, point.y + HIT_PX]];
      const found = this.map.queryRenderedFeatures(box, { layers: ids })[0];
      return found ? { id: found.layer.id.slice(5), index: found.properties.index,
        label: found.properties.label } : null;
    }
  }

  /** @param {?Marks} marks @returns {object} GeoJSON */
  function points(marks) {
    const features = [];
    for (let i = 0; marks && i < marks.n; i += 1) {
      features.push({ type: 'Feature',
        properties: { icon: marks.icon[i], index: marks.index[i], label: marks.label[i],
          size: marks.size ? marks.size[i] : 1 },
        geometry: { type: 'Point', coordinates: [marks.lng[i], marks.lat[i]] } });
    }
    return { type: 'FeatureCollection', features: features };
  }

  PinganMap.GlOverlays = GlOverlays;
}());
