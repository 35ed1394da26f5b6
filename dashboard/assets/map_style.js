/**
 * How the map looks: colours from the page's CSS variables, paint expressions from band bytes.
 * Pure functions; nothing here touches a map.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const BAND = PinganMap.BAND;
  const TRANSPARENT = 'rgba(0,0,0,0)';
  const FONT_STACK = '"Microsoft YaHei","PingFang SC","Noto Sans CJK SC",sans-serif';
  /** Below this mean width an area gets no outline: it would be all outline (and costly). */
  const OUTLINE_MIN_PX = 9;

  const FALLBACK = {
    '--map-ground': '#eef2f6', '--map-land': '#f7f9fb', '--map-outline': 'rgba(255,255,255,.75)',
    '--map-outside': 'rgba(120,132,148,.14)', '--map-line': '#6b7788',
    '--map-city-line': '#3b4656', '--map-ink': '#16202c', '--map-mark': '#0b1420',
    '--map-halo': 'rgba(255,255,255,.9)', '--map-hatch': 'rgba(60,72,88,.45)'
  };

  /** @returns {Object<string, string>} the map's colours in the present theme */
  function colours() {
    const computed = getComputedStyle(document.documentElement);
    const found = {};
    Object.keys(FALLBACK).forEach(function (name) {
      found[name.slice(6)] = computed.getPropertyValue(name).trim() || FALLBACK[name];
    });
    found.scheme = document.documentElement.dataset.palette || ''; // other colours, same names
    return found;
  }

  /**
   * @param {string} colour a CSS colour, or `var(--name)` of the page
   * @returns {string} a CSS colour
   */
  function resolve(colour) {
    const name = /^var\((--[\w-]+)\)$/.exec(colour);
    if (!name) return colour;
    return getComputedStyle(document.documentElement).getPropertyValue(name[1]).trim() ||
      TRANSPARENT;
  }

  /**
   * The colour of one band byte, where the engine takes no expressions.
   *
   * @param {number} byte
   * @param {string[]} palette entry k-1 is the colour of band k
   * @param {{noData: string, outside: string}} special
   * @returns {string} a CSS colour
   */
  function fillOf(byte, palette, special) {
    const band = PinganMap.readBand(byte);
    if (band.absent) return TRANSPARENT;
    if (band.outside) return special.outside;
    return resolve(band.entry ? palette[band.entry - 1] || TRANSPARENT : special.noData);
  }

  /** @type {Map<string, Ink>} every ink there was; the same look is the same object */
  const known = new Map();

  /**
   * How an area of each band looks, as the feature state that the expressions below read. Other
   * colours are other states and never other expressions: those would have every tile cut anew.
   *
   * @typedef {{c: string, d: boolean, h: number}} Ink colour; whether the area is drawn; 1 if it
   *   is hatched: no data (for areas) and small samples
   * @param {string[]} palette entry k-1 is the colour of band k
   * @param {{noData: string, outside: string}} special
   * @param {boolean} emptyIsDrawn whether band 0 is drawn
   * @returns {Ink[]} by band byte
   */
  function inksOf(palette, special, emptyIsDrawn) {
    return Array.from({ length: 256 }, function (_, byte) {
      const band = PinganMap.readBand(byte);
      const drawn = !band.absent && (emptyIsDrawn || byte !== BAND.NO_DATA);
      const hatched = !band.outside && !band.absent &&
        (band.entry ? band.small : emptyIsDrawn);
      const ink = { c: fillOf(byte, palette, special), d: drawn, h: hatched ? 1 : 0 };
      const name = [ink.c, ink.d, ink.h].join(' ');
      if (!known.has(name)) known.set(name, ink);
      return known.get(name);
    });
  }

  /** A feature without a value is absent, never zero. */
  const FILL_COLOUR = ['to-color', ['coalesce', ['feature-state', 'c'], TRANSPARENT]];
  const HATCH_OPACITY = ['coalesce', ['feature-state', 'h'], 0];

  /**
   * The outline of an area must not show where the area itself is not drawn.
   *
   * @param {string} outline
   * @returns {Array} a paint expression
   */
  function outlineColour(outline) {
    return ['case', ['coalesce', ['feature-state', 'd'], false], outline, TRANSPARENT];
  }

  /**
   * Diagonal lines, seamless when tiled.
   *
   * @param {string} colour
   * @returns {{width: number, height: number, data: Uint8ClampedArray}}
   */
  function hatchImage(colour) {
    const size = 16;
    const canvas = document.createElement('canvas');
    canvas.width = size;
    canvas.height = size;
    const context = canvas.getContext('2d');
    context.strokeStyle = colour;
    context.lineWidth = 2.2;
    for (let offset = -size; offset <= size; offset += size) {
      context.beginPath();
      context.moveTo(offset - 4, size + 4);
      context.lineTo(offset + size + 4, -4);
      context.stroke();
    }
    const drawn = context.getImageData(0, 0, size, size);
    return { width: size, height: size, data: drawn.data };
  }

  /**
   * Lowest zoom at which areas of this size get an outline.
   *
   * @param {Bounds} bounds of the city
   * @param {number} count areas in it
   * @returns {number} zoom level
   */
  function outlineZoom(bounds, count) {
    const midLat = (bounds[1] + bounds[3]) / 2 * Math.PI / 180;
    const squareDegrees = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) / Math.cos(midLat);
    const meanWidth = Math.sqrt(Math.max(squareDegrees, 1e-9) / Math.max(count, 1));
    return Math.max(0, Math.log2(OUTLINE_MIN_PX * 360 / (512 * meanWidth)));
  }

  PinganMap.style = {
    FONT_STACK: FONT_STACK,
    TRANSPARENT: TRANSPARENT,
    colours: colours,
    resolve: resolve,
    fillOf: fillOf,
    FILL_COLOUR: FILL_COLOUR,
    HATCH_OPACITY: HATCH_OPACITY,
    inksOf: inksOf,
    outlineColour: outlineColour,
    hatchImage: hatchImage,
    outlineZoom: outlineZoom
  };
}());
