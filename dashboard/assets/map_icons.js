/**
 * Icons of the map, told apart by shape as well as by colour; both engines draw them from here.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Width and height in CSS pixels. */
  const SIZE_PX = 20;
  const FALLBACK = { '--mark-much': '#7b3294', '--mark-clusters': '#c2185b', '--mark-more': '#b35806',
    '--yellow': '#f4d264', '--orange': '#f0964a', '--red': '#dc5049', '--mark-other': '#44546a' };

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

  /** Fill with a light rim, so that an icon stands out from any colour under it. */
  function filled(context, fill) {
    context.lineJoin = 'round';
    context.lineWidth = 3.2;
    context.strokeStyle = '#ffffff';
    context.stroke();
    context.fillStyle = fill;
    context.fill();
  }

  /** A triangle that points at the place, with an exclamation mark. */
  function badge(context, fill) {
    polygon(context, [[10, 18], [2, 4], [18, 4]]);
    filled(context, fill);
    context.fillStyle = '#16202c';
    context.fillRect(9.1, 5.6, 1.8, 4.6);
    context.fillRect(9.1, 11.4, 1.8, 1.8);
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
    other: function (context) {
      context.beginPath();
      context.rect(5, 5, 10, 10);
      filled(context, colour('--mark-other'));
    }
  };

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
