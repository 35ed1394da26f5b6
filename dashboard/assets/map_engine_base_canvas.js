/**
 * What the canvas engine has its sheets draw: the view in fills, lines and marks.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Levels with more areas than this are never drawn as orientation lines. */
  const MOST_LINES = 2000;
  /** Zooms beyond the first outlines at which orientation lines get their full width. */
  const ROOMY_ZOOMS = 2.5;
  const MARKS = { focus: { width: 2.2, colour: 'city-line' },
    selected: { width: 3.5, colour: 'mark' } };

  /** What an engine with a `view`, and `applied` values of the fill `shown`, gives its sheets. */
  class CanvasScene {
    /** @param {Object<string, string>} colours @returns {Scene} */
    scene(colours) {
      const view = this.view;
      const areas = PinganMap.tileLayer(this.shown) === 'areas';
      const opacity = view.opacity == null ? 1 : view.opacity;
      return {
        tileSet: (key) => this.tileSet(key),
        version: this.applied.version,
        land: { key: 'areas:' + view.levels[0].level, colour: colours.land },
        fill: this.fill(this.shown, this.applied.bands, opacity, colours,
          areas ? view.palette.areas : view.palette.cells),
        overlays: this.overlays('fill').filter((row) => this.tileSet(row.key) &&
          (this.applied.overlays[row.id] || {}).key === row.key)
          .map((row) => this.fill(row.key, this.applied.overlays[row.id].bands, row.opacity, colours,
            row.palette || view.palette.cells)),
        lines: this.orientation(colours),
        marks: this.marks(colours),
        over: this.overlays('lines').filter((row) => this.tileSet('areas:' + row.level))
          .map((row) => ({ key: 'areas:' + row.level, colour: colours['city-line'],
            width: () => 1, opacity: row.opacity }))
      };
    }

    /** @returns {Fill} */
    fill(key, bands, opacity, colours, palette) {
      const areas = PinganMap.tileLayer(key) === 'areas';
      return { key: key, bands: bands, opacity: opacity, outline: colours.outline,
        roomyZoom: PinganMap.style.outlineZoom(this.view.city_bounds, this.tileSet(key).count),
        inks: PinganMap.raster.inks(palette, { outside: colours.outside, hatch: colours.hatch,
          noData: areas ? this.view.palette.no_data : PinganMap.style.TRANSPARENT,
          opacity: opacity, emptyIsDrawn: areas }) };
    }

    /** @returns {Lines[]} the city, and the level just above the shown areas (or under cells) */
    orientation(colours) {
      const levels = this.view.levels;
      const shown = levels.findIndex((row) => row.level === this.view.level);
      const own = this.view.layer === 'cells' ? shown : shown - 1;
      return [0, own].filter((at, place, all) => at >= 0 && levels[at].count <= MOST_LINES &&
        all.indexOf(at) === place).map((at) => {
        const roomy = PinganMap.style.outlineZoom(this.view.city_bounds, levels[at].count) +
          ROOMY_ZOOMS;
        return { key: 'areas:' + levels[at].level, opacity: 1,
          colour: at ? colours.line : colours['city-line'],
          width: (zoom) => (at ? (zoom < roomy ? 0.4 : 1.1) : 2) };
      });
    }

    /** @returns {Array<{key: string, index: number, colour: string, width: number}>} */
    marks(colours) {
      const view = this.view;
      const made = [];
      const add = (name, key, index) => made.push({ key: key, index: index,
        width: MARKS[name].width, colour: colours[MARKS[name].colour] });
      if (view.focus.level !== view.levels[0].level) {
        add('focus', 'areas:' + view.focus.level, view.focus.index);
      }
      if (view.selected != null) add('selected', this.shown, view.selected);
      return made;
    }
  }

  PinganMap.CanvasScene = CanvasScene;
}());
