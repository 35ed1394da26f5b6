/**
 * Icons of the map, told apart by shape as well as by colour; both engines draw them from here.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Width and height in CSS pixels. */
  const SIZE_PX = 20;
  const FALLBACK = { '--mark-much': '#7b3294', '--mark-clusters': '#c2185b', '--mark-more': '#b35806',
    '--yellow': '#f4d264', '--orange': '#f0964a', '--red': '#dc5049', '--mark-other': '#44546a',
    '--mark-edge': '#ffffff', '--point-1': '#00569c', '--point-2': '#2b2350', '--point-3': '#9c2f00',
    '--point-4': '#00664b', '--point-5': '#8a1f66', '--point-6': '#5a4600', '--point-many': '#1d2733',
    '--facility-ok': '#2f6f73', '--facility-due': '#b06f00', '--facility-overdue': '#b4161b',
    '--facility-unknown': '#5d6b7a', '--post': '#25496f', '--unit': '#5b3a8c', '--crowd': '#7a2f55' };
  const CROSS = [[8, 2.5], [12, 2.5], [12, 8], [17.5, 8], [17.5, 12], [12, 12], [12, 17.5], [8, 17.5],
    [8, 12], [2.5, 12], [2.5, 8], [8, 8]];
  const TURN = Math.SQRT1_2;

  /** @param {string} name of a CSS variable @returns {string} a CSS colour */
  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim() ||
      FALLBACK[name];
  }

  /** @param {CanvasRenderingContext2D} context @param {Array<[number, number]>} points */
  function polygon(context, points) {
    context.beginPath();
    points.forEach(function (point, at) {
      if (at) context.lineTo(point[0], point[1]);
      else context.moveTo(point[0], point[1]);
    });
    context.closePath();
  }

  /** Fill with a rim in the page's ground colour, so that an icon stands out from any colour under it. */
  function filled(context, fill) {
    context.lineJoin = 'round';
    context.lineWidth = 3.2;
    context.strokeStyle = colour('--mark-edge');
    context.stroke();
    context.fillStyle = fill;
    context.fill();
  }

  /** @returns {function(CanvasRenderingContext2D): void} draws a polygon in a variable's colour */
  function shape(points, variable) {
    return function (context) {
      polygon(context, points);
      filled(context, colour(variable));
    };
  }

  /** A triangle that points at the place, with an exclamation mark. */
  function badge(context, fill) {
    polygon(context, [[10, 18], [2, 4], [18, 4]]);
    filled(context, fill);
    context.fillStyle = '#16202c';
    context.fillRect(9.1, 5.6, 1.8, 4.6);
    context.fillRect(9.1, 11.4, 1.8, 1.8);
  }

  const GLYPHS = [
    [[4.5, 4.5], [15.5, 4.5], [15.5, 15.5], [4.5, 15.5]],
    CROSS,
    [[10, 2.5], [17.5, 8.2], [14.6, 17], [5.4, 17], [2.5, 8.2]],
    CROSS.map(([x, y]) => [10 + (x - y) * TURN, 10 + (x + y - 20) * TURN]),
    [[2.5, 7], [17.5, 7], [17.5, 13], [2.5, 13]],
    [[7, 2.5], [13, 2.5], [13, 17.5], [7, 17.5]]
  ];
  const SHIELD = [[3, 3], [17, 3], [17, 11], [10, 18], [3, 11]];
  /** Plates of facilities; null is round. The plate tells what is due, the glyph what kind it is. */
  const PLATES = {
    ok: null,
    due: [[2, 2], [18, 2], [18, 18], [2, 18]],
    overdue: [[10, 0], [20, 10], [10, 20], [0, 10]],
    unknown: null
  };

  /** @param {string} state a key of `PLATES` @param {number} kind position among the glyphs, -1 = none */
  function plate(context, state, kind) {
    const tint = colour('--facility-' + state);
    const points = PLATES[state];
    if (points) {
      polygon(context, points);
    } else {
      context.beginPath();
      context.arc(10, 10, 8.5, 0, 2 * Math.PI);
    }
    const hollow = state === 'unknown';
    filled(context, hollow ? colour('--mark-edge') : tint);
    if (hollow) {
      context.lineWidth = 1.6;
      context.strokeStyle = tint;
      context.stroke();
    }
    if (kind < 0) return;
    polygon(context, GLYPHS[kind].map(([x, y]) => [10 + (x - 10) * 0.55, 10 + (y - 10) * 0.55]));
    context.fillStyle = hollow ? tint : colour('--mark-edge');
    context.fill();
  }

  /** Each draws into a square of 20 by 20. */
  const SHAPES = {
    much: function (context) {
      context.beginPath();
      context.arc(10, 10, 6, 0, 2 * Math.PI);
      filled(context, colour('--mark-much'));
    },
    clusters: function (context) {
      polygon(context, [[10, 2.2], [17, 10], [10, 17.8], [3, 10]]);
      filled(context, colour('--mark-clusters'));
    },
    more: function (context) {
      polygon(context, [[10, 2.8], [17, 15.8], [3, 15.8]]);
      filled(context, colour('--mark-more'));
    },
    'signal-2': function (context) { badge(context, colour('--yellow')); },
    'signal-3': function (context) { badge(context, colour('--orange')); },
    'signal-4': function (context) { badge(context, colour('--red')); },
    // Kinds of incidents at a place; `dashboard/map/points.py`.
    'point-1': shape([[4.5, 4.5], [15.5, 4.5], [15.5, 15.5], [4.5, 15.5]], '--point-1'),
    'point-2': shape(CROSS, '--point-2'),
    'point-3': shape([[10, 2.5], [17.5, 8.2], [14.6, 17], [5.4, 17], [2.5, 8.2]], '--point-3'),
    'point-4': shape(CROSS.map(([x, y]) => [10 + (x - y) * TURN, 10 + (x + y - 20) * TURN]),
      '--point-4'),
    'point-5': shape([[2.5, 7], [17.5, 7], [17.5, 13], [2.5, 13]], '--point-5'),
    'point-6': shape([[7, 2.5], [13, 2.5], [13, 17.5], [7, 17.5]], '--point-6'),
    'point-many': function (context) {
      context.beginPath();
      context.arc(10, 10, 6.5, 0, 2 * Math.PI);
      filled(context, colour('--point-many'));
      context.beginPath();
      context.arc(10, 10, 2.6, 0, 2 * Math.PI);
      context.fillStyle = colour('--mark-edge');
      context.fill();
    },
    // Posts, units and crowds; `dashboard/map/posts.py`, `live.py`.
    post: shape([[10, 2], [18, 9], [18, 18], [2, 18], [2, 9]], '--post'),
    unit: shape(SHIELD, '--unit'),
    'unit-live': function (context) {
      polygon(context, SHIELD);
      filled(context, colour('--unit'));
      context.beginPath();
      context.arc(10, 9, 3, 0, 2 * Math.PI);
      context.fillStyle = colour('--mark-edge');
      context.fill();
    },
    crowd: shape([[10, 2], [17, 6], [17, 14], [10, 18], [3, 14], [3, 6]], '--crowd'),
    other: function (context) {
      context.beginPath();
      context.rect(5, 5, 10, 10);
      filled(context, colour('--mark-other'));
    }
  };

  // Inspection points, `facility-KIND-STATE`; `dashboard/map/facilities.py`.
  Object.keys(PLATES).forEach(function (state) {
    GLYPHS.forEach(function (_points, kind) {
      SHAPES['facility-' + (kind + 1) + '-' + state] = (context) => plate(context, state, kind);
    });
  });

  PinganMap.icons = {
    SIZE_PX: SIZE_PX,
    names: Object.keys(SHAPES),

    /**
     * @param {CanvasRenderingContext2D} context its origin is the icon's top left corner
     * @param {string} name one that is not known is drawn as `other`
     * @param {number} [size] CSS pixels
     */
    draw: function (context, name, size) {
      context.save();
      context.scale((size || SIZE_PX) / 20, (size || SIZE_PX) / 20);
      (SHAPES[name] || SHAPES.other)(context);
      context.restore();
    },

    /** @param {string} name @returns {ImageData} at twice the size, for sharp screens */
    image: function (name) {
      const canvas = document.createElement('canvas');
      canvas.width = 2 * SIZE_PX;
      canvas.height = 2 * SIZE_PX;
      const context = canvas.getContext('2d');
      PinganMap.icons.draw(context, name, 2 * SIZE_PX);
      return context.getImageData(0, 0, canvas.width, canvas.height);
    }
  };
}());
