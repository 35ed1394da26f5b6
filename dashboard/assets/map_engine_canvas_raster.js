/**
 * Areas as pixels: every pixel of a tile holds the number of the feature that covers its middle, so
 * a recolouring is one look-up a pixel, however many areas there are.
 *
 * Pixels on a shared edge belong to exactly one area: neighbours neither overlap nor leave a gap,
 * and no ground shines through between them, as it does between antialiased shapes.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Steps between a colour and its hatched form. */
  const HATCH_STEPS = 4;
  /** Side of the hatching's square in CSS pixels. */
  const HATCH_PX = 8;

  let rowEnds = new Int32Array(1024);
  let crossings = new Float64Array(4096);

  /**
   * What part of a tile is drawn, and how large.
   *
   * @typedef {{side: number, scale: number, left: number, top: number}} Frame side of the square in
   *   device pixels; device pixels a unit of the tile; units left and above of the square
   */

  /**
   * Number the pixels of a square by the features that cover them.
   *
   * @param {Geometry} geometry
   * @param {Frame} frame
   * @returns {Uint16Array|Uint32Array} position of the feature in the tile + 1; 0 for none
   */
  function rasterise(geometry, frame) {
    const side = frame.side;
    const numbers = new (geometry.n < 65535 ? Uint16Array : Uint32Array)(side * side);
    if (rowEnds.length < side + 1) rowEnds = new Int32Array(side + 1);
    for (let f = 0; f < geometry.n; f += 1) {
      const box = 4 * f;
      const rowOf = (y) => Math.ceil((y - frame.top) * frame.scale - 0.5);
      const top = Math.max(0, rowOf(geometry.boxes[box + 1]));
      const bottom = Math.min(side, rowOf(geometry.boxes[box + 3]));
      const aside = (geometry.boxes[box + 2] - frame.left) * frame.scale < 0 ||
        (geometry.boxes[box] - frame.left) * frame.scale > side;
      if (top < bottom && !aside) fill(numbers, f, geometry, frame, top, bottom);
    }
    return numbers;
  }

  /**
   * Visit where the edges of a feature cross the middles of rows.
   *
   * @param {Geometry} geometry
   * @param {number} f
   * @param {Frame} frame
   * @param {number} top
   * @param {number} bottom
   * @param {boolean} counting count the crossings of each row, or place them
   */
  function cross(geometry, f, frame, top, bottom, counting) {
    const points = geometry.points;
    const ringEnds = geometry.ringEnds;
    const [first, end] = PinganMap.geometry.ringsOf(geometry, f);
    for (let r = first; r < end; r += 1) {
      for (let p = r ? ringEnds[r - 1] : 0; p + 1 < ringEnds[r]; p += 1) {
        const ya = (points[2 * p + 1] - frame.top) * frame.scale - 0.5;
        const yb = (points[2 * p + 3] - frame.top) * frame.scale - 0.5;
        if (ya === yb) continue;
        const from = Math.max(top, Math.ceil(ya < yb ? ya : yb));
        const to = Math.min(bottom, Math.ceil(ya < yb ? yb : ya));
        if (from >= to) continue;
        if (counting) {
          for (let row = from; row < to; row += 1) rowEnds[row - top] += 1;
          continue;
        }
        const xa = (points[2 * p] - frame.left) * frame.scale - 0.5;
        const slope = ((points[2 * p + 2] - frame.left) * frame.scale - 0.5 - xa) / (yb - ya);
        for (let row = from; row < to; row += 1) {
          crossings[rowEnds[row - top]] = xa + (row - ya) * slope;
          rowEnds[row - top] += 1;
        }
      }
    }
  }

  function fill(numbers, f, geometry, frame, top, bottom) {
    const side = frame.side;
    const rows = bottom - top;
    rowEnds.fill(0, 0, rows);
    cross(geometry, f, frame, top, bottom, true);
    let total = 0;
    for (let row = 0; row < rows; row += 1) { // counts become starts, and placing makes them ends
      const count = rowEnds[row];
      rowEnds[row] = total;
      total += count;
    }
    if (crossings.length < total) crossings = new Float64Array(total * 2);
    cross(geometry, f, frame, top, bottom, false);
    for (let row = 0, start = 0; row < rows; row += 1) {
      const end = rowEnds[row];
      sort(start, end);
      for (let at = start; at + 1 < end; at += 2) {
        const from = Math.max(0, Math.ceil(crossings[at]));
        const to = Math.min(side, Math.ceil(crossings[at + 1]));
        const line = (top + row) * side;
        for (let x = line + from; x < line + to; x += 1) numbers[x] = f + 1;
      }
      start = end;
    }
  }

  /** Insertion sort: a row crosses few edges. */
  function sort(start, end) {
    for (let i = start + 1; i < end; i += 1) {
      const value = crossings[i];
      let j = i - 1;
      while (j >= start && crossings[j] > value) {
        crossings[j + 1] = crossings[j];
        j -= 1;
      }
      crossings[j + 1] = value;
    }
  }

  // --- colours ----------------------------------------------------------------------------------

  const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

  /** @param {string} colour @returns {[number, number, number, number]} 0 .. 255; alpha 0 .. 1 */
  function channels(colour) {
    if (!probe) return [0, 0, 0, 0];
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = 'rgba(0,0,0,0)'; // what an unknown colour leaves in place
    probe.fillStyle = colour;
    const written = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(probe.fillStyle);
    if (written) return written.slice(1).map(Number); // exact, where a faint pixel is rounded
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = probe.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }

  /** @param {number[]} rgba @returns {number} as a pixel of an image, low byte first */
  function packed([red, green, blue, alpha]) {
    return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }

  /** @returns {number[]} `upper`, at a share of its own strength, over `lower` */
  function over(upper, lower, share) {
    const strength = upper[3] * share;
    const alpha = strength + lower[3] * (1 - strength);
    if (!alpha) return [0, 0, 0, 0];
    const mixed = [0, 1, 2].map((at) =>
      Math.round((upper[at] * strength + lower[at] * lower[3] * (1 - strength)) / alpha));
    return mixed.concat(alpha);
  }

  /**
   * Pixels of every band byte, plain and in steps towards hatched.
   *
   * @typedef {{steps: Uint32Array[], hatched: Uint8Array, drawn: Uint8Array}} Inks
   * @param {string[]} palette
   * @param {{noData: string, outside: string, hatch: string, opacity: number,
   *   emptyIsDrawn: boolean}} look
   * @returns {Inks}
   */
  function inks(palette, look) {
    const BAND = PinganMap.BAND;
    const steps = Array.from({ length: HATCH_STEPS + 1 }, () => new Uint32Array(256));
    const made = { steps: steps, hatched: new Uint8Array(256), drawn: new Uint8Array(256) };
    const stroke = channels(look.hatch);
    for (let byte = 0; byte < 256; byte += 1) {
      const band = PinganMap.readBand(byte);
      if (band.entry > palette.length) continue;
      const colour = channels(PinganMap.style.fillOf(byte, palette, look));
      made.drawn[byte] = byte !== BAND.ABSENT && (look.emptyIsDrawn || byte !== BAND.NO_DATA);
      const empty = !band.entry && !band.outside && !band.absent;
      made.hatched[byte] = band.entry ? band.small : look.emptyIsDrawn && empty;
      steps.forEach(function (table, step) {
        const share = made.hatched[byte] ? step / HATCH_STEPS : 0;
        const mixed = over(stroke, colour, share);
        table[byte] = packed([mixed[0], mixed[1], mixed[2], mixed[3] * look.opacity]);
      });
    }
    return made;
  }

  /**
   * The hatching as steps 0 .. HATCH_STEPS, seamless when tiled.
   *
   * @param {number} ratio device pixels a CSS pixel
   * @returns {{side: number, steps: Uint8Array}}
   */
  function hatching(ratio) {
    const side = Math.max(4, Math.round(HATCH_PX * ratio));
    const image = PinganMap.style.hatchImage('#000');
    const source = document.createElement('canvas');
    source.width = image.width;
    source.height = image.height;
    source.getContext('2d').putImageData(new ImageData(image.data, image.width), 0, 0);
    const target = document.createElement('canvas');
    target.width = side;
    target.height = side;
    const context = target.getContext('2d', { willReadFrequently: true });
    context.drawImage(source, 0, 0, side, side);
    const alpha = context.getImageData(0, 0, side, side).data.filter((_, at) => at % 4 === 3);
    return { side: side, steps: Uint8Array.from(alpha, (a) => Math.round(a / 255 * HATCH_STEPS)) };
  }

  /**
   * Colour a numbered square.
   *
   * @param {Uint32Array} pixels filled, as many as `numbers`
   * @param {Uint16Array|Uint32Array} numbers
   * @param {Geometry} geometry
   * @param {Uint8Array} bands of the level
   * @param {Inks} palette
   * @param {?{side: number, steps: Uint8Array, left: number, top: number}} hatch null draws none;
   *   left and top put the pattern in step with the neighbouring squares
   */
  function colour(pixels, numbers, geometry, bands, palette, hatch) {
    const n = geometry.n + 1;
    const table = new Uint32Array(n * (HATCH_STEPS + 1));
    let hatched = false;
    for (let f = 0; f < geometry.n; f += 1) {
      const id = geometry.ids[f];
      const byte = id < bands.length ? bands[id] : PinganMap.BAND.ABSENT;
      if (palette.hatched[byte]) hatched = true;
      for (let step = 0; step <= HATCH_STEPS; step += 1) {
        table[step * n + f + 1] = palette.steps[step][byte];
      }
    }
    if (!hatch || !hatched) {
      for (let at = 0; at < numbers.length; at += 1) pixels[at] = table[numbers[at]];
      return;
    }
    const side = Math.sqrt(numbers.length);
    for (let y = 0, at = 0; y < side; y += 1) {
      const line = ((y + hatch.top) % hatch.side) * hatch.side;
      for (let x = 0; x < side; x += 1, at += 1) {
        const step = hatch.steps[line + (x + hatch.left) % hatch.side];
        pixels[at] = table[step * n + numbers[at]];
      }
    }
  }

  PinganMap.raster = { rasterise: rasterise, colour: colour, inks: inks, hatching: hatching };
}());
