/**
 * Vector tiles decoded once into typed arrays and kept, for engines that draw them themselves.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Work between two looks at the reader's input. */
  const SLICE_MS = 8;
  /** Pause between slices while the map moves. */
  const PAUSE_MS = 24;
  /** Features between two looks at the clock. */
  const BATCH = 128;
  /**
   * Decoded tiles are kept up to this size; the least used go first. A city of 22,000 grids takes
   * 2.8 MB, one of 62,000 cells 3.4 MB: what is on the map always stays.
   */
  const MOST_BYTES = 4.5e6;
  /** What a tile takes besides its numbers, an empty one too. */
  const TILE_BYTES = 2000;

  /**
   * Polygons of one tile. Ring r has the points `ringEnds[r - 1] .. ringEnds[r]`, feature f the
   * rings `featureEnds[f - 1] .. featureEnds[f]`; coordinates are the tile's own, 0 .. extent.
   *
   * @typedef {Object} Geometry
   * @property {number} extent
   * @property {number} n features
   * @property {Uint32Array} ids index of each feature in its level
   * @property {Uint32Array} featureEnds
   * @property {Uint32Array} ringEnds
   * @property {Int16Array} points x, y, x, y …; rings are closed
   * @property {Int16Array} boxes west, north, east, south of each feature
   * @property {number} bytes
   */
  const EMPTY = { extent: 4096, n: 0, ids: new Uint32Array(0), featureEnds: new Uint32Array(0),
    ringEnds: new Uint32Array(0), points: new Int16Array(0), boxes: new Int16Array(0), bytes: 0 };

  /** Gives way to input and drawing, and goes on as soon as they are done. */
  class Turns {
    constructor() {
      this.movers = new Set(); // maps that the reader pans: frames come first
      this.waiting = [];
      this.channel = new MessageChannel();
      this.channel.port1.onmessage = () => this.waiting.shift()();
      this.since = performance.now();
    }

    /** @returns {boolean} */
    get moving() { return this.movers.size > 0; }

    /** @param {object} map @param {boolean} isMoving */
    setMoving(map, isMoving) {
      if (isMoving) this.movers.add(map);
      else this.movers.delete(map);
    }

    /** @returns {boolean} whether the present slice is used up */
    over() { return performance.now() - this.since > SLICE_MS; }

    /** @returns {Promise<void>} resolved in a new slice */
    next() {
      return new Promise((resolve) => {
        const start = () => {
          this.since = performance.now();
          resolve();
        };
        if (this.moving) {
          setTimeout(start, PAUSE_MS);
        } else {
          this.waiting.push(start);
          this.channel.port2.postMessage(null);
        }
      });
    }
  }

  /** A typed array that grows. */
  class Growing {
    /** @param {function(new: Int16Array|Uint32Array, number)} Kind @param {number} room */
    constructor(Kind, room) {
      this.Kind = Kind;
      this.items = new Kind(Math.max(room, 16));
      this.length = 0;
    }

    /** @param {number} value */
    push(value) {
      if (this.length === this.items.length) {
        const more = new this.Kind(this.length * 2);
        more.set(this.items);
        this.items = more;
      }
      this.items[this.length] = value;
      this.length += 1;
    }

    /** @returns {number} */
    get bytes() { return this.length * this.items.BYTES_PER_ELEMENT; }

    /** @param {ArrayBuffer} buffer @param {number} from @returns {Int16Array|Uint32Array} in it */
    moved(buffer, from) {
      const kept = new this.Kind(buffer, from, this.length);
      kept.set(this.items.subarray(0, this.length));
      return kept;
    }
  }

  /**
   * @param {object} layer of a vector tile
   * @param {Turns} turns
   * @returns {Promise<Geometry>}
   */
  async function decode(layer, turns) {
    const POLYGON = 3;
    const ids = new Growing(Uint32Array, layer.length);
    const featureEnds = new Growing(Uint32Array, layer.length);
    const ringEnds = new Growing(Uint32Array, layer.length);
    const points = new Growing(Int16Array, layer.length * 16);
    const boxes = new Growing(Int16Array, layer.length * 4);
    for (let at = 0; at < layer.length; at += 1) {
      if (at % BATCH === 0 && turns.over()) await turns.next();
      const feature = layer.feature(at);
      if (feature.type !== POLYGON) continue;
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      feature.loadGeometry().forEach(function (ring) {
        ring.forEach(function (point) {
          points.push(point.x);
          points.push(point.y);
          if (point.x < box[0]) box[0] = point.x;
          if (point.y < box[1]) box[1] = point.y;
          if (point.x > box[2]) box[2] = point.x;
          if (point.y > box[3]) box[3] = point.y;
        });
        ringEnds.push(points.length / 2);
      });
      box.forEach((edge) => boxes.push(edge));
      featureEnds.push(ringEnds.length);
      ids.push(feature.properties.i);
    }
    return ids.length ? packed(layer.extent, { ids, featureEnds, ringEnds, points, boxes }) : EMPTY;
  }

  /**
   * One block of memory for all numbers of a tile: hundreds of tiles are kept.
   *
   * @param {number} extent
   * @param {Object<string, Growing>} parts the wider numbers first, as each has to be aligned
   * @returns {Geometry}
   */
  function packed(extent, parts) {
    const bytes = Object.values(parts).reduce((sum, part) => sum + part.bytes, 0);
    const buffer = new ArrayBuffer(bytes);
    const made = { extent: extent, n: parts.ids.length, bytes: bytes };
    let from = 0;
    Object.keys(parts).forEach((name) => {
      made[name] = parts[name].moved(buffer, from);
      from += parts[name].bytes;
    });
    return made;
  }

  /** Tiles by address. */
  class TileStore {
    /**
     * @param {{VectorTile: function, PbfReader: function}} library
     * @param {Turns} turns
     * @param {function(Error): void} onError
     */
    constructor(library, turns, onError) {
      this.library = library;
      this.turns = turns;
      this.onError = onError;
      this.kept = new Map(); // address -> Geometry, the least used first
      this.pending = new Map();
      this.bytes = 0;
    }

    /** @param {string} address @returns {Geometry|undefined} */
    peek(address) {
      const found = this.kept.get(address);
      if (found) {
        this.kept.delete(address);
        this.kept.set(address, found);
      }
      return found;
    }

    /**
     * @param {string} address
     * @param {string} name of the layer inside the tile
     * @returns {Promise<Geometry>} an empty one where there is no tile or it cannot be had
     */
    load(address, name) {
      const kept = this.peek(address);
      if (kept) return Promise.resolve(kept);
      if (!this.pending.has(address)) {
        this.pending.set(address, this.read(address, name).catch((error) => {
          this.onError(error);
          return EMPTY;
        }).then((geometry) => {
          this.pending.delete(address);
          this.keep(address, geometry);
          return geometry;
        }));
      }
      return this.pending.get(address);
    }

    async read(address, name) {
      const answer = await fetch(address, { credentials: 'same-origin' });
      if (answer.status === 204 || answer.status === 404) return EMPTY;
      if (!answer.ok) throw new Error('tiles: ' + answer.status + ' from ' + address);
      const { VectorTile, PbfReader } = this.library;
      const bytes = await answer.arrayBuffer();
      await this.turns.next();
      const layer = new VectorTile(new PbfReader(bytes)).layers[name];
      return layer ? decode(layer, this.turns) : EMPTY;
    }

    keep(address, geometry) {
      this.kept.set(address, geometry);
      this.bytes += geometry.bytes + TILE_BYTES;
      for (const [oldest, old] of this.kept) {
        if (this.bytes <= MOST_BYTES) break;
        this.kept.delete(oldest);
        this.bytes -= old.bytes + TILE_BYTES;
      }
    }
  }

  /** @type {?TileStore} */
  let shared = null;

  /**
   * The tiles of the page: two maps of one place read and decode them once.
   *
   * @param {{VectorTile: function, PbfReader: function}} library
   * @param {function(Error): void} onError
   * @returns {TileStore}
   */
  function tileStore(library, onError) {
    if (!shared) shared = new TileStore(library, new Turns(), onError);
    return shared;
  }

  /**
   * @param {Geometry} geometry
   * @param {number} f
   * @returns {[number, number]} its rings, from and before
   */
  function ringsOf(geometry, f) {
    return [f ? geometry.featureEnds[f - 1] : 0, geometry.featureEnds[f]];
  }

  /**
   * @param {Geometry} geometry
   * @param {number} f
   * @param {number} x
   * @param {number} y
   * @returns {boolean} whether the feature contains the point, by the even-odd rule
   */
  function contains(geometry, f, x, y) {
    const points = geometry.points;
    const [first, end] = ringsOf(geometry, f);
    let inside = false;
    for (let r = first; r < end; r += 1) {
      for (let p = r ? geometry.ringEnds[r - 1] : 0; p + 1 < geometry.ringEnds[r]; p += 1) {
        const ya = points[2 * p + 1];
        const yb = points[2 * p + 3];
        if ((ya > y) === (yb > y)) continue;
        const xa = points[2 * p];
        if (x < xa + (y - ya) / (yb - ya) * (points[2 * p + 2] - xa)) inside = !inside;
      }
    }
    return inside;
  }

  /**
   * @param {Geometry} geometry
   * @param {number} x
   * @param {number} y
   * @returns {number} index of the area there, the topmost; -1 for none
   */
  function pick(geometry, x, y) {
    const boxes = geometry.boxes;
    for (let f = geometry.n - 1; f >= 0; f -= 1) {
      const b = 4 * f;
      if (x >= boxes[b] && y >= boxes[b + 1] && x <= boxes[b + 2] && y <= boxes[b + 3] &&
          contains(geometry, f, x, y)) return geometry.ids[f];
    }
    return -1;
  }

  /**
   * The outlines of some features.
   *
   * @param {Geometry} geometry
   * @param {function(number): boolean} wanted asked with the position of a feature in the tile
   * @returns {Path2D} in the tile's own coordinates
   */
  function outlines(geometry, wanted) {
    const path = new Path2D();
    const points = geometry.points;
    for (let f = 0; f < geometry.n; f += 1) {
      if (!wanted(f)) continue;
      const [first, end] = ringsOf(geometry, f);
      for (let r = first; r < end; r += 1) {
        const from = r ? geometry.ringEnds[r - 1] : 0;
        path.moveTo(points[2 * from], points[2 * from + 1]);
        for (let p = from + 1; p < geometry.ringEnds[r] - 1; p += 1) {
          path.lineTo(points[2 * p], points[2 * p + 1]);
        }
        path.closePath();
      }
    }
    return path;
  }

  Object.assign(PinganMap, { Turns: Turns, TileStore: TileStore, tileStore: tileStore,
    geometry: { EMPTY: EMPTY, ringsOf: ringsOf, pick: pick, outlines: outlines } });
}());
