/**
 * Sources and layers of the GL map: what exists, what is visible, how it is painted. Values are not
 * its business.
 *
 * From the bottom: fills and hatching, orientation lines, marks, labels. A level's fills and its
 * lines and marks have separate sources over the same (browser-cached) tiles, because a changed
 * filter rebuilds every layer of its source.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Levels with more areas than this are never drawn as orientation lines. */
  const MOST_LINES = 2000;
  /** Zooms beyond the first outlines at which orientation lines get their full width. */
  const ROOMY_ZOOMS = 2.5;
  /** Invisible layers that keep the order. */
  const ANCHORS = { land: 'end-of-land', fill: 'end-of-fills', heat: 'end-of-heat',
    line: 'end-of-lines', mark: 'end-of-marks', over: 'end-of-overlays' };
  /** The picked area stands out from the focus round it. */
  const MARKS = { focus: { width: 2.2, colour: 'city-line' }, hover: { width: 2, colour: 'mark' },
    selected: { width: 3.5, colour: 'mark' } };

  /** @param {string} key @returns {string} layer name inside the tiles */
  function tileLayer(key) { return key.split(':')[0]; }

  class GlLayers {
    /** @param {object} map MapLibre map with its style loaded */
    constructor(map) {
      this.map = map;
      this.view = null;
      this.look = ''; // theme as last painted
      this.inkLook = ''; // theme and palette of the inks
      this.inked = {}; // 'areas' and 'cells' -> Ink[]
    }

    /** @returns {object} a style that can ask no other host: no glyphs, no sprite */
    static baseStyle() {
      const layers = [{ id: 'ground', type: 'background',
        paint: { 'background-color': PinganMap.style.colours().ground } }];
      Object.keys(ANCHORS).forEach(function (name) {
        layers.push({ id: ANCHORS[name], type: 'background', layout: { visibility: 'none' } });
      });
      return { version: 8, transition: { duration: 0, delay: 0 }, sources: {}, layers: layers };
    }

    /** @param {View} view */
    setView(view) {
      if (this.view) PinganMap.staleLayers(this.view, view).forEach((name) => this.dropGeometry(name));
      this.view = view;
      this.repaint();
    }

    /** @param {string} key @returns {?TileSet} */
    tileSet(key) {
      const name = key.slice(key.indexOf(':') + 1);
      if (tileLayer(key) === 'cells') return (this.view.cells || {})[name] || null;
      return this.view.levels.find(function (row) { return row.level === name; }) || null;
    }

    /**
     * The source of a level or resolution, added when first wanted and kept.
     *
     * @param {string} key
     * @param {string} id
     * @returns {string} the id
     */
    source(key, id) {
      if (!this.map.getSource(id)) {
        const tiles = this.tileSet(key);
        const address = new URL(tiles.tiles, document.baseURI).href;
        this.map.addSource(id, { type: 'vector', promoteId: 'i', bounds: this.view.city_bounds,
          tiles: [decodeURI(address)], minzoom: tiles.minzoom, maxzoom: tiles.maxzoom });
      }
      return id;
    }

    /** @param {'areas'|'cells'} name */
    dropGeometry(name) {
      const map = this.map;
      const layers = new RegExp('^(fill|hatch|line|mark:\\w+):' + name + ':');
      const sources = new RegExp('^(lines )?' + name + ':');
      map.getLayersOrder()
        .filter(function (id) { return layers.test(id) || (name === 'areas' && id === 'land'); })
        .forEach(function (id) { map.removeLayer(id); });
      Object.keys(map.getStyle().sources)
        .filter(function (id) { return sources.test(id); })
        .forEach(function (id) { map.removeSource(id); });
    }

    // --- fills ----------------------------------------------------------------------------------

    /**
     * Have the fills of a level or resolution, visible and so loading. They are transparent until
     * they get values.
     *
     * @param {string} key
     */
    wantFill(key) {
      if (!this.map.getLayer('fill:' + key)) {
        const shared = { type: 'fill', source: this.source(key, key),
          'source-layer': tileLayer(key) };
        this.map.addLayer(Object.assign({ id: 'fill:' + key }, shared), ANCHORS.fill);
        // Hatching of areas that are a few pixels wide says nothing and costs a pass over them all.
        this.map.addLayer(Object.assign({ id: 'hatch:' + key, layout: { visibility: 'none' },
          minzoom: PinganMap.style.outlineZoom(this.view.city_bounds, this.tileSet(key).count) },
          shared), ANCHORS.fill);
        this.paintFill(key);
      }
      this.setVisible('fill:' + key, true);
    }

    /** @param {string[]} keys hides the fills of every other level and resolution */
    showOnly(keys) {
      this.each('(fill|hatch)', (id) => {
        if (!keys.includes(id.slice(id.indexOf(':') + 1))) this.setVisible(id, false);
      });
    }

    /**
     * Hatching is shown from the first area that has it, and stays: each change cuts tiles anew.
     *
     * @param {string} key
     */
    hatch(key) { this.setVisible('hatch:' + key, true); }

    /**
     * @param {string} key
     * @returns {Ink[]} by band byte; the same array as long as nothing of it changes
     */
    inks(key) {
      const name = tileLayer(key);
      if (!this.inked[name]) {
        const areas = name === 'areas';
        const palette = this.view.palette;
        this.inked[name] = PinganMap.style.inksOf(areas ? palette.areas : palette.cells,
          { outside: PinganMap.style.colours().outside,
            noData: areas ? palette.no_data : PinganMap.style.TRANSPARENT }, areas);
      }
      return this.inked[name];
    }

    /** @param {string} key */
    paintFill(key) {
      const style = PinganMap.style;
      const tiles = this.tileSet(key);
      if (!tiles) return;
      const outlined = style.outlineZoom(this.view.city_bounds, tiles.count);
      this.paint('fill:' + key, {
        'fill-opacity': this.view.opacity == null ? 1 : this.view.opacity,
        'fill-color': style.FILL_COLOUR,
        'fill-outline-color': style.outlineColour(style.colours().outline),
        'fill-antialias': ['step', ['zoom'], false, outlined, true]
      });
      this.paint('hatch:' + key, { 'fill-pattern': 'hatch', 'fill-opacity': style.HATCH_OPACITY });
    }

    // --- lines and marks ------------------------------------------------------------------------

    /**
     * Outlines for orientation: the city, and the level just above the shown areas (or, over
     * cells, the displayed level itself).
     */
    syncLines() {
      const levels = this.view.levels;
      const shown = levels.findIndex((row) => row.level === this.view.level);
      const own = this.view.layer === 'cells' ? shown : shown - 1;
      const wanted = [0, own].filter((at) => at >= 0 && levels[at].count <= MOST_LINES)
        .map((at) => 'line:areas:' + levels[at].level);
      this.wantLand('areas:' + levels[0].level);
      wanted.forEach((id) => {
        if (this.map.getLayer(id)) return;
        const key = id.slice(5);
        this.map.addLayer({ id: id, type: 'line', source: this.source(key, 'lines ' + key),
          'source-layer': 'areas', layout: { 'line-join': 'round' } }, ANCHORS.line);
        this.paintLine(id);
      });
      this.each('line', (id) => this.setVisible(id, wanted.includes(id)));
    }

    /**
     * The ground of the whole city, under the fills: what lies in it but has no colour.
     *
     * @param {string} key the top level
     */
    wantLand(key) {
      if (this.map.getLayer('land')) return;
      this.map.addLayer({ id: 'land', type: 'fill', source: this.source(key, 'lines ' + key),
        'source-layer': 'areas', paint: { 'fill-color': PinganMap.style.colours().land,
          'fill-antialias': false } }, ANCHORS.land);
    }

    /** @param {string} id */
    paintLine(id) {
      const colours = PinganMap.style.colours();
      const top = id === 'line:areas:' + this.view.levels[0].level;
      // Where the outlined areas are small on the screen, thick lines would hide the colours.
      const roomy = PinganMap.style.outlineZoom(this.view.city_bounds,
        this.tileSet(id.slice(5)).count) + ROOMY_ZOOMS;
      this.paint(id, { 'line-color': top ? colours['city-line'] : colours.line,
        'line-width': top ? 2 : ['step', ['zoom'], 0.4, roomy, 1.1] });
    }

    syncMarks() {
      const view = this.view;
      const top = view.focus.level === view.levels[0].level; // already drawn as the city line
      this.mark('focus', 'areas:' + view.focus.level, top ? -1 : view.focus.index);
      this.mark('selected', PinganMap.keyOf(view), view.selected == null ? -1 : view.selected);
    }

    /**
     * Outline one area, or none.
     *
     * @param {'focus'|'hover'|'selected'} name
     * @param {string} key
     * @param {number} index -1 for none
     */
    mark(name, key, index) {
      const id = 'mark:' + name + ':' + key;
      this.each('mark:' + name, (other) => {
        if (other !== id || index < 0) this.setVisible(other, false);
      });
      if (index < 0 || !this.tileSet(key)) return;
      const filter = ['==', ['get', 'i'], index];
      if (this.map.getLayer(id)) {
        this.map.setFilter(id, filter);
        this.setVisible(id, true);
        return;
      }
      this.map.addLayer({ id: id, type: 'line', source: this.source(key, 'lines ' + key),
        'source-layer': tileLayer(key), filter: filter, layout: { 'line-join': 'round' },
        paint: { 'line-color': PinganMap.style.colours()[MARKS[name].colour],
          'line-width': MARKS[name].width }
      }, ANCHORS.mark);
    }

    // --- looks ----------------------------------------------------------------------------------

    /** Paint everything anew if the theme has changed; another palette is other inks alone. */
    repaint() {
      const colours = PinganMap.style.colours();
      const look = JSON.stringify([this.view.opacity, colours]);
      const inkLook = JSON.stringify([this.view.palette, colours]);
      if (inkLook !== this.inkLook) this.inked = {};
      this.inkLook = inkLook;
      if (look === this.look) return;
      this.look = look;
      const map = this.map;
      const image = PinganMap.style.hatchImage(colours.hatch);
      if (map.hasImage('hatch')) map.updateImage('hatch', image);
      else map.addImage('hatch', image, { pixelRatio: 2 });
      this.paint('ground', { 'background-color': colours.ground });
      if (map.getLayer('land')) this.paint('land', { 'fill-color': colours.land });
      this.each('fill', (id) => this.paintFill(id.slice(5)));
      this.each('line', (id) => this.paintLine(id));
      this.each('mark', (id) => this.paint(id,
        { 'line-color': colours[MARKS[id.split(':')[1]].colour] }));
      PinganMap.labels.restyle(map);
    }

    /** @param {string} id @param {Object<string, *>} properties */
    paint(id, properties) {
      Object.keys(properties).forEach((name) => {
        this.map.setPaintProperty(id, name, properties[name]);
      });
    }

    /** @param {string} kind @param {function(string): void} visit */
    each(kind, visit) {
      const pattern = new RegExp('^' + kind + ':');
      this.map.getLayersOrder().filter((id) => pattern.test(id)).forEach(visit);
    }

    /** @param {string} id @param {boolean} visible */
    setVisible(id, visible) {
      const now = this.map.getLayoutProperty(id, 'visibility') !== 'none';
      if (now !== visible) {
        this.map.setLayoutProperty(id, 'visibility', visible ? 'visible' : 'none');
      }
    }
  }

  PinganMap.GlLayers = GlLayers;
  PinganMap.ANCHORS = ANCHORS;
  PinganMap.tileLayer = tileLayer;
}());
