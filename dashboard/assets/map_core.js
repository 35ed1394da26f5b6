/**
 * One map interface, any number of engines.
 *
 * An engine is a factory registered by name; what it makes has three verbs: `applyView(view)`,
 * `applyValues(values)` and, towards us, `onEvent(event)`. Geometry travels once as vector tiles
 * under an immutable path; values travel as a few digits an area and are decoded here.
 *
 * @typedef {[number, number, number, number]} Bounds west, south, east, north in degrees
 * @typedef {{tiles: string, minzoom: number, maxzoom: number, count: number}} TileSet
 * @typedef {{level: string, index: number, bounds: Bounds}} Focus
 * @typedef {Object} View
 * @property {string} boundary version of the boundaries; a new one drops all geometry
 * @property {Array<TileSet & {level: string}>} levels from the top level down
 * @property {Object<string, TileSet>} cells by H3 resolution; new addresses drop the cells' geometry
 * @property {string} level the displayed level
 * @property {number} [resolution] the displayed H3 resolution
 * @property {Focus} focus
 * @property {Bounds} city_bounds
 * @property {'areas'|'cells'} layer the main fill, which clicks are about
 * @property {number} [opacity] of the main fill, 0-1
 * @property {Overlay[]} [overlays] drawn over the main fill, bottom to top
 * @property {?{tiles: string, minzoom: number, maxzoom: number, opacity: number}} [base] raster
 *   tiles of this host, under everything
 * @property {string} [title] what the map shows, beside another one
 * @property {?Object<string, *>} [other] what a second map shows otherwise; see map_twin.js
 * @property {''|'side'} [split] two maps cut along a line, or beside each other
 * @property {?string} [above] code of the area above the focus, '' = the top, null = there is none
 * @property {string} [search] query of the address that the view belongs to
 * @property {string} [values] version of the values that belong to the view
 * @property {?number} selected index in the displayed level
 * @property {?[number, number, number]} camera lng, lat, zoom; null fits the focus
 * @property {boolean} [labelled] false takes the names off the map
 * @property {?string} names address of the names of the displayed level
 * @property {{areas: string[], cells: string[], no_data: string}} palette
 * @property {'light'|'dark'} theme
 * @property {''|'safe'} [scheme] colours that a reader with a weak colour sense tells apart
 * @property {'zh'|'en'} lang
 * @property {Object<string, *>} [labels]
 *
 * @typedef {Object} Overlay
 * @property {string} id
 * @property {'fill'|'lines'|'marks'} type
 * @property {number} opacity 0-1
 * @property {string} [key] of a fill, as `keyOf`
 * @property {string[]} [palette] of a fill
 * @property {string} [level] whose boundaries are the lines
 *
 * @typedef {{n: number, lng: number[], lat: number[], icon: string[], index: number[],
 *   level: ?string, label: string[], size: (number[]|undefined)}} Marks icons at points, `size` times
 *   the usual one; see map_icons.js
 *
 * @typedef {Object} Values as sent by the server
 * @property {'areas'|'cells'} layer
 * @property {string} [level]
 * @property {number} [resolution]
 * @property {string} [boundary] version of the boundaries that the order of values belongs to
 * @property {number} n
 * @property {string} [bands] n numbers in base-32 digits
 * @property {string} [pairs] in place of them where all are below 8: two to a digit
 * @property {string} [counts] n numbers in base-32 digits; levels of many areas have none
 * @property {number} small a band on fewer incidents than this is marked as a small sample; without
 *   counts, 16 is added to it instead
 * @property {string} version
 * @property {Object<string, Values|Marks>} [overlays] by the id of the overlay
 * @property {Values} [other] of a second map
 *
 * @typedef {{key: string, boundary: ?string, n: number, bands: Uint8Array, counts: ?Uint32Array,
 *   version: string, overlays: Object<string, DecodedValues|Marks>}} DecodedValues
 * @typedef {Object} MapEvent
 * @property {'click'|'hover'|'leave'|'move'|'camera'|'moving'|'painted'|'error'|'up'} kind
 * @typedef {{applyView: function(View): void, applyValues: function(DecodedValues): void,
 *   follow: function([number, number, number]): void, fit: function(): void,
 *   look: function(): ?{lng: number, lat: number, zoom: number},
 *   project: function([number, number]): {x: number, y: number},
 *   centre: function([number, number]): void, highlight: function(number): void,
 *   container: HTMLElement, destroy: function(): void}} Engine
 * @typedef {{supported: function(): boolean,
 *   create: function(HTMLElement, function(MapEvent): void): Engine}} EngineFactory
 */
(function () {
  'use strict';

  /** Meaning of a band byte; every other value is 1..k, an entry of the palette. */
  const BAND = { NO_DATA: 0, SMALL: 128, OUTSIDE: 254, ABSENT: 255 };

  const SMALL_SENT = 16; // added to the band of a small sample where no counts come

  const PADDING_PX = 28;
  const WIDE_PX = 760; // a narrower box has its legend below and its path above
  const NARROW_TOP_PX = 60;

  /** @type {Object<string, EngineFactory>} */
  const engines = {};

  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const digitOf = new Uint8Array(128).fill(255);
  for (let i = 0; i < DIGITS.length; i += 1) digitOf[DIGITS.charCodeAt(i)] = i;

  /**
   * Read numbers written as base-32 digits, the highest first; 32 is added to every digit of a
   * number but the last.
   *
   * @template {Uint8Array|Uint32Array} T
   * @param {string} text
   * @param {T} numbers filled
   * @returns {T}
   */
  function readNumbers(text, numbers) {
    let filled = 0;
    let value = 0;
    for (let i = 0; i < text.length; i += 1) {
      const digit = digitOf[text.charCodeAt(i)];
      if (!(digit < 64)) throw new RangeError('map values: digit ' + i + ' is no digit');
      value = value * 32 + (digit & 31);
      if (digit < 32) {
        numbers[filled] = value;
        filled += 1;
        value = 0;
      }
    }
    if (filled !== numbers.length) {
      throw new RangeError('map values: n is ' + numbers.length + ' but ' + filled +
        ' numbers came');
    }
    return numbers;
  }

  /**
   * Read numbers below 8, written two to a digit.
   *
   * @param {string} text
   * @param {Uint8Array} numbers filled
   * @returns {Uint8Array}
   */
  function readPairs(text, numbers) {
    if (text.length !== Math.ceil(numbers.length / 2)) {
      throw new RangeError('map values: n is ' + numbers.length + ' but ' + text.length +
        ' pairs came');
    }
    for (let i = 0; i < numbers.length; i += 1) {
      const digit = digitOf[text.charCodeAt(i >> 1)];
      if (!(digit < 64)) throw new RangeError('map values: pair ' + (i >> 1) + ' is no digit');
      numbers[i] = i % 2 ? digit & 7 : digit >> 3;
    }
    return numbers;
  }

  /**
   * What a view or values are about: `areas:<level>` or `cells:<resolution>`.
   *
   * @param {{layer: string, level?: string, resolution?: number,
   *   cells?: Object<string, TileSet>}} subject
   * @returns {string}
   */
  function keyOf(subject) {
    if (subject.layer !== 'cells') return 'areas:' + subject.level;
    const known = subject.cells ? Object.keys(subject.cells)[0] : '';
    return 'cells:' + (subject.resolution == null ? known : subject.resolution);
  }

  /**
   * @param {View} before
   * @param {View} after
   * @returns {Array<'areas'|'cells'>} the layers whose geometry is no longer that of the view
   */
  function staleLayers(before, after) {
    if (before.boundary !== after.boundary) return ['areas', 'cells'];
    const addresses = (view) => JSON.stringify(view.cells || {});
    return addresses(before) === addresses(after) ? [] : ['cells'];
  }

  /**
   * @param {?DecodedValues} values
   * @param {View} view
   * @returns {boolean} whether the values belong to what the view shows
   */
  function belongs(values, view) {
    return Boolean(values) && values.key === keyOf(view) &&
      (!values.boundary || values.boundary === view.boundary);
  }

  /**
   * @param {Values} values
   * @returns {DecodedValues}
   */
  function decodeValues(values) {
    const bands = values.pairs === undefined ?
      readNumbers(values.bands, new Uint8Array(values.n)) :
      readPairs(values.pairs, new Uint8Array(values.n));
    const counts = values.counts === undefined ? null :
      readNumbers(values.counts, new Uint32Array(values.n));
    for (let i = 0; i < values.n; i += 1) {
      const banded = bands[i] > BAND.NO_DATA && bands[i] < BAND.SMALL;
      if (counts) {
        if (banded && counts[i] < values.small) bands[i] |= BAND.SMALL;
      } else if (banded && bands[i] >= SMALL_SENT) {
        bands[i] += BAND.SMALL - SMALL_SENT;
      }
    }
    const overlays = {};
    Object.keys(values.overlays || {}).forEach(function (id) {
      const one = values.overlays[id];
      overlays[id] = one.icon ? one : decodeValues(one);
    });
    return { key: keyOf(values), boundary: values.boundary || null, n: values.n, bands: bands,
      counts: counts, version: values.version, overlays: overlays,
      other: values.other ? decodeValues(values.other) : null };
  }

  /**
   * Split a band byte.
   *
   * @param {number} byte
   * @returns {{entry: number, small: boolean, outside: boolean, absent: boolean}}
   */
  function readBand(byte) {
    const outside = byte === BAND.OUTSIDE;
    const absent = byte === BAND.ABSENT;
    const special = outside || absent;
    return {
      entry: special ? 0 : byte & 127, // the palette entry is entry - 1; 0 is no data
      small: !special && (byte & BAND.SMALL) !== 0,
      outside: outside,
      absent: absent
    };
  }

  /** @param {View} view @returns {string} what the camera should show; the same needs no move */
  function cameraWish(view) {
    return JSON.stringify(view.camera || [view.focus.level, view.focus.index, view.focus.bounds]);
  }

  /** Longitude, latitude and zoom that differ by less are one: the address holds so many decimals. */
  const NEAR = [2e-5, 2e-5, 0.02];

  /** @param {number} value @param {number} decimals @returns {number} */
  function round(value, decimals) { return Number(value.toFixed(decimals)); }

  /**
   * @param {?number[]} one lng, lat, zoom
   * @param {?number[]} other
   * @returns {boolean} whether the map looks at one place
   */
  function isSameCamera(one, other) {
    if (!one || !other) return !one && !other;
    return one.every(function (part, i) { return Math.abs(part - other[i]) < NEAR[i]; });
  }

  /**
   * Names of one level, fetched once an address.
   *
   * @typedef {{names: string[], lng: number[], lat: number[], parent: number[]}} Names
   */
  /** @type {Object<string, Names>} */
  const namesByUrl = {};
  /** @type {Object<string, Promise<?Names>>} */
  const pendingNames = {};

  /**
   * @param {?string} url
   * @returns {Promise<?Names>} null where there are no names to show
   */
  function loadNames(url) {
    if (!url) return Promise.resolve(null);
    if (!pendingNames[url]) {
      pendingNames[url] = fetch(url, { credentials: 'same-origin' }).then(function (answer) {
        if (!answer.ok) throw new Error('names: ' + answer.status + ' from ' + url);
        return answer.json();
      }).then(function (names) {
        namesByUrl[url] = names;
        return names;
      }).catch(function (error) {
        delete pendingNames[url]; // a later view may ask again
        console.warn(error.message);
        return null;
      });
    }
    return pendingNames[url];
  }

  /**
   * Pixels kept free round the focus; the legend covers none of it.
   *
   * @param {HTMLElement} box of the map
   * @returns {{top: number, right: number, bottom: number, left: number}}
   */
  function padding(box) {
    const even = Math.min(PADDING_PX, Math.min(box.clientWidth, box.clientHeight) / 8);
    const page = box.closest('.map-box');
    const legend = page && page.querySelector('.legend');
    const free = { top: even, right: even, bottom: even, left: even };
    if (!legend || page.classList.contains('is-beside')) return free; // it lies under two maps
    if (box.clientWidth <= WIDE_PX) {
      free.top += NARROW_TOP_PX;
      const covered = box.getBoundingClientRect().bottom - legend.getBoundingClientRect().top;
      free.bottom += Math.max(0, covered);
    } else {
      free.left += legend.offsetWidth;
    }
    return free;
  }

  window.PinganMap = {
    BAND: BAND,
    assets: new URL('.', document.currentScript.src).href,
    engines: engines,
    register: function (name, factory) { engines[name] = factory; },
    keyOf: keyOf,
    staleLayers: staleLayers,
    belongs: belongs,
    cameraWish: cameraWish,
    isSameCamera: isSameCamera,
    round: round,
    decodeValues: decodeValues,
    readBand: readBand,
    loadNames: loadNames,
    padding: padding,
    namesAt: function (url) { return (url && namesByUrl[url]) || null; }
  };
}());
