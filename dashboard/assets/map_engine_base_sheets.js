/**
 * What the canvas engine asks of its sheets: which area lies at a point, and where one's outline is.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;

  /** Needs `map`, `scene`, `sheets`, `current()` and `ground()` of the class that has the sheets. */
  class SheetQuestions {
    /**
     * @returns {Array<object>} sheets that can be seen, those of the present zoom first: the ones
     *   before stay until it has its own, and a click meanwhile must not be lost
     */
    drawn() {
      const now = new Set(this.current());
      return Array.from(this.sheets.values()).filter((sheet) => sheet.version)
        .sort((a, b) => now.has(b) - now.has(a));
    }

    /**
     * @param {{x: number, y: number}} point in CSS pixels of the map's box
     * @returns {number} index of the area of the main fill there, -1 for none
     */
    pick(point) {
      const world = this.map.getPixelBounds().min.add([point.x, point.y]);
      for (const sheet of this.drawn()) {
        const span = PinganMap.leaflet.TILE_PX *
          this.map.getZoomScale(this.map.getZoom(), sheet.coords.z);
        const x = world.x / span - sheet.coords.x;
        const y = world.y / span - sheet.coords.y;
        if (x < 0 || y < 0 || x >= 1 || y >= 1) continue;
        const ground = this.ground(sheet, this.scene.fill.key);
        if (!ground) return -1;
        const units = sheet.span / ground.frame.scale;
        return PinganMap.geometry.pick(ground.geometry, ground.frame.left + x * units,
          ground.frame.top + y * units);
      }
      return -1;
    }

    /**
     * The outline of one area across the sheets, on a canvas in CSS pixels.
     *
     * @param {CanvasRenderingContext2D} context
     * @param {{x: number, y: number}} corner layer point of the canvas's corner
     * @param {{key: string, index: number, colour: string, width: number}} mark
     */
    trace(context, corner, mark) {
      const origin = this.map.getPixelOrigin().add(corner);
      const ratio = window.devicePixelRatio;
      this.current().forEach((sheet) => {
        const ground = sheet.version && this.ground(sheet, mark.key);
        const path = ground && this.outlineOf(ground.geometry, mark.index);
        if (!path) return;
        const span = PinganMap.leaflet.TILE_PX * sheet.scale;
        const scale = ground.frame.scale / ratio;
        context.save();
        context.translate(sheet.coords.x * span - origin.x, sheet.coords.y * span - origin.y);
        context.beginPath();
        context.rect(0, 0, span, span);
        context.clip();
        context.transform(scale, 0, 0, scale, -ground.frame.left * scale, -ground.frame.top * scale);
        context.strokeStyle = mark.colour;
        context.lineWidth = mark.width / scale;
        context.lineJoin = 'round';
        context.stroke(path);
        context.restore();
      });
    }

    /** @returns {?Path2D} null where the tile has no part of the area */
    outlineOf(geometry, index) {
      const at = geometry.ids.indexOf(index);
      return at < 0 ? null : PinganMap.geometry.outlines(geometry, (f) => f === at);
    }
  }

  PinganMap.SheetQuestions = SheetQuestions;
}());
