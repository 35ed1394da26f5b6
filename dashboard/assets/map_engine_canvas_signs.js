/**
 * What stands over the areas at its own size: icons, names, and the outline under the pointer. One
 * canvas a little larger than the map, drawn anew when the map comes to rest.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const TEXT_PX = 13;
  const LINE_PX = 16;
  /** Characters of a line, in widths of a Chinese one. */
  const LINE_EMS = 9;
  const HALO_PX = 1.4;
  const GAP_PX = 4;
  /** Distance at which an icon is under the pointer, beyond half its size. */
  const HIT_PX = 2;
  /** Sizes of icons by zoom, linear between. */
  const ICON_STEPS = [[7, 0.6], [11, 0.85], [14, 1.1]];

  /**
   * A Leaflet layer with a canvas of its own.
   *
   * @param {object} L
   * @param {number} padding beyond the map's edges, as a share of its size
   * @param {function(): boolean} any whether there is anything to draw; an empty canvas would cost
   *   a pass over the whole picture in every frame of a pan
   * @param {function(CanvasRenderingContext2D, object): void} paint told the layer point of the
   *   canvas's corner; draws in CSS pixels
   * @returns {object}
   */
  function inkLayer(L, padding, any, paint) {
    const Ink = L.Renderer.extend({
      _initContainer: function () {
        this._container = document.createElement('canvas');
        this._container.className = 'map-ink';
      },
      _destroyContainer: function () { this._container.remove(); },
      _update: function () {
        if (this._map._animatingZoom) return;
        L.Renderer.prototype._update.call(this);
        this.redraw();
      },
      redraw: function () {
        if (!this._map || !this._bounds) return;
        const ratio = window.devicePixelRatio;
        const size = this._bounds.getSize();
        const canvas = this._container;
        canvas.hidden = !any();
        if (canvas.hidden) return;
        L.DomUtil.setPosition(canvas, this._bounds.min);
        const width = Math.round(size.x * ratio);
        const height = Math.round(size.y * ratio);
        if (canvas.width !== width || canvas.height !== height) {
          canvas.width = width;
          canvas.height = height;
          canvas.style.width = size.x + 'px';
          canvas.style.height = size.y + 'px';
        }
        const context = PinganMap.flatContext(canvas);
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.clearRect(0, 0, width, height);
        context.scale(ratio, ratio);
        paint(context, this._bounds.min);
      }
    });
    return new Ink({ padding: padding });
  }

  /**
   * Break a name into lines: between words, or anywhere in Chinese.
   *
   * @param {string} name
   * @returns {string[]}
   */
  function broken(name) {
    const width = (text) => Array.from(text)
      .reduce((sum, letter) => sum + (letter > '\u2e7f' ? 1 : 0.55), 0);
    if (width(name) <= LINE_EMS) return [name];
    const parts = name.match(/[\u2e80-\uffff]|[^\u2e80-\uffff\s]+\s*|\s+/g) || [name];
    const target = width(name) / Math.ceil(width(name) / LINE_EMS); // lines of like length
    const lines = [''];
    parts.forEach(function (part) {
      const line = lines[lines.length - 1];
      const over = width(line + part.trim()) > LINE_EMS || width(line) >= target;
      if (line && over) lines.push(part);
      else lines[lines.length - 1] += part;
    });
    return lines.map((line) => line.trim());
  }

  /** @param {number} zoom @returns {number} size of an icon, times its own */
  function iconScale(zoom) {
    const steps = ICON_STEPS;
    const at = steps.findIndex((step) => zoom < step[0]);
    if (at === 0) return steps[0][1];
    if (at < 0) return steps[steps.length - 1][1];
    const [[z0, s0], [z1, s1]] = [steps[at - 1], steps[at]];
    return s0 + (s1 - s0) * (zoom - z0) / (z1 - z0);
  }

  /** @param {string} icon @param {number} size CSS pixels @returns {HTMLCanvasElement} its picture */
  function stamp(icon, size) {
    const canvas = document.createElement('canvas');
    const pixels = Math.ceil(size * window.devicePixelRatio);
    canvas.width = pixels;
    canvas.height = pixels;
    PinganMap.icons.draw(PinganMap.flatContext(canvas), icon, pixels);
    return canvas;
  }

  class Signs {
    /** @param {object} L @param {object} map @param {function(): number} zoom in MapLibre's sense */
    constructor(L, map, zoom) {
      this.map = map;
      this.zoom = zoom;
      this.names = []; // {lines, lng, lat}
      this.shown = []; // names that found room
      this.marks = []; // {marks, opacity}
      this.mark = null; // outline under the pointer
      this.trace = null; // draws it
      this.layer = inkLayer(L, 0.25, () => this.names.length + this.marks.length > 0,
        (context, corner) => this.paint(context, corner));
      this.hover = inkLayer(L, 0, () => Boolean(this.mark),
        (context, corner) => this.trace(context, corner, this.mark));
      this.hover.addTo(map);
      this.layer.addTo(map);
    }

    /** @param {View} view @param {?Names} names */
    setNames(view, names) {
      this.names = names ? PinganMap.labels.insideFocus(view, names).map((i) => ({
        lines: broken(names.names[i]), name: names.names[i], lng: names.lng[i], lat: names.lat[i]
      })) : [];
      this.shown = [];
      this.layer.redraw();
    }

    /** @param {Array<{id: string, marks: Marks, opacity: number}>} marks bottom to top */
    setMarks(marks) {
      this.marks = marks;
      this.layer.redraw();
    }

    /** @param {?object} mark outline to draw, null for none */
    setHover(mark, trace) {
      this.mark = mark;
      this.trace = trace;
      this.hover.redraw();
    }

    paint(context, corner) {
      const colours = PinganMap.style.colours();
      const project = (lng, lat) => this.map.latLngToLayerPoint([lat, lng]).subtract(corner);
      this.marks.forEach((row) => this.paintMarks(context, row, project));
      const size = this.layer._bounds.getSize();
      context.font = TEXT_PX + 'px ' + PinganMap.style.FONT_STACK;
      context.textAlign = 'center';
      context.textBaseline = 'middle';
      context.lineJoin = 'round';
      context.lineWidth = 2 * HALO_PX;
      context.strokeStyle = colours.halo;
      context.fillStyle = colours.ink;
      const taken = [];
      this.shown = this.names.filter((name) => {
        const at = project(name.lng, name.lat);
        if (at.x < 0 || at.y < 0 || at.x > size.x || at.y > size.y) return false;
        const half = Math.max(...name.lines.map((line) => context.measureText(line).width)) / 2;
        const box = [at.x - half - GAP_PX, at.y - name.lines.length * LINE_PX / 2 - GAP_PX,
          at.x + half + GAP_PX, at.y + name.lines.length * LINE_PX / 2 + GAP_PX];
        const meets = (other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] &&
          other[1] < box[3];
        if (taken.some(meets)) return false;
        taken.push(box);
        name.lines.forEach(function (line, row) {
          const y = at.y + (row - (name.lines.length - 1) / 2) * LINE_PX;
          context.strokeText(line, at.x, y);
          context.fillText(line, at.x, y);
        });
        return true;
      });
    }

    paintMarks(context, { marks, opacity }, project) {
      const usual = PinganMap.icons.SIZE_PX * iconScale(this.zoom());
      const stamps = {}; // an icon is drawn once a size, then copied
      context.globalAlpha = opacity;
      for (let i = 0; i < marks.n; i += 1) {
        const size = usual * (marks.size ? marks.size[i] : 1);
        const key = marks.icon[i] + ' ' + size;
        stamps[key] = stamps[key] || stamp(marks.icon[i], size);
        const at = project(marks.lng[i], marks.lat[i]);
        context.drawImage(stamps[key], at.x - size / 2, at.y - size / 2, size, size);
      }
      context.globalAlpha = 1;
    }

    /**
     * @param {{x: number, y: number}} point in CSS pixels of the map's box
     * @returns {?{id: string, index: number, label: string}} the topmost icon there
     */
    pick(point) {
      const usual = PinganMap.icons ? PinganMap.icons.SIZE_PX * iconScale(this.zoom()) / 2 : 0;
      for (let row = this.marks.length - 1; row >= 0; row -= 1) {
        const { id, marks } = this.marks[row];
        for (let i = marks.n - 1; i >= 0; i -= 1) {
          const at = this.map.latLngToContainerPoint([marks.lat[i], marks.lng[i]]);
          const reach = usual * (marks.size ? marks.size[i] : 1) + HIT_PX;
          if (Math.abs(at.x - point.x) <= reach && Math.abs(at.y - point.y) <= reach) {
            return { id: id, index: marks.index[i], label: marks.label[i] };
          }
        }
      }
      return null;
    }
  }

  PinganMap.Signs = Signs;
}());
