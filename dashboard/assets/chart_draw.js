/**
 * A chart along time as SVG, at the width that its box has. All texts are text nodes.
 */
(function () {
  'use strict';

  const PinganCharts = window.PinganCharts = window.PinganCharts || {};
  const SVG = 'http://www.w3.org/2000/svg';
  const TOP = 8;
  const RIGHT = 12;
  const GAP = 6; // between an axis and what is written along it
  const FREE = 14; // between two labels
  const TICK_PX = 34;
  const OVER = 1.04; // room above the largest value
  const BAR = 0.76; // of the room that a period has

  /**
   * @param {string} tag @param {Object<string, unknown>} attributes @param {string} [text]
   * @returns {SVGElement}
   */
  function made(tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    Object.entries(attributes).forEach(function (pair) { element.setAttribute(pair[0], pair[1]); });
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /** @param {number} value @returns {number} a tenth of a pixel is enough */
  function px(value) { return Math.round(value * 10) / 10; }

  /** @param {any} figure @returns {boolean} */
  function isStacked(figure) { return figure.series[0].style === 'bar'; }

  /** @param {any} figure @param {number} n periods @returns {number} largest value drawn */
  function largest(figure, n) {
    if (figure.most) return figure.most;
    let most = 0;
    for (let at = 0; at < n; at += 1) {
      const there = figure.series.map(function (one) { return (one.high || one.values)[at] || 0; });
      const height = isStacked(figure) ? there.reduce(function (a, b) { return a + b; }, 0)
        : Math.max.apply(null, there);
      most = Math.max(most, height);
    }
    return most || 1;
  }

  /**
   * Where days and values lie in the picture.
   *
   * @param {any} figure @param {number} width @param {number} height @param {number} size of type
   */
  function framed(figure, width, height, size) {
    const days = PinganCharts.days(figure);
    const steps = days.slice(1).map(function (day, at) { return day - days[at]; });
    const half = (steps.length ? Math.min.apply(null, steps) : 7) / 2;
    const most = largest(figure, days.length);
    const bottom = height - size - 2 * GAP;
    const ticks = PinganCharts.ticks(most, figure.format,
      Math.max(2, Math.min(5, Math.floor((bottom - TOP) / TICK_PX))));
    const labels = ticks.map(function (value) { return PinganCharts.tick(value, figure.format); });
    const left = Math.ceil(GAP + Math.max.apply(null, labels.map(function (label) {
      return PinganCharts.width(label, size);
    })));
    const first = days[0] - half;
    const across = (width - RIGHT - left) / (days[days.length - 1] + half - first);
    const x = function (day) { return px(left + (day - first) * across); };
    const y = function (value) { return px(bottom - value / (most * OVER) * (bottom - TOP)); };
    return { days: days, half: half, left: left, right: width - RIGHT, top: TOP, bottom: bottom,
      width: width, height: height, size: size, ticks: ticks, labels: labels, x: x, y: y,
      xs: days.map(x), step: 2 * half * across };
  }

  /** @param {any} frame @returns {SVGElement[]} lines across, and what is written along the axes */
  function axes(figure, frame) {
    const drawn = [];
    frame.ticks.forEach(function (value, at) {
      const y = Math.round(frame.y(value)) + 0.5;
      drawn.push(made('line', { class: value ? 'grid' : 'ground', x1: frame.left, x2: frame.right,
        y1: y, y2: y }));
      drawn.push(made('text', { class: 'tick', x: frame.left - GAP, y: y, dy: '0.35em',
        'text-anchor': 'end' }, frame.labels[at]));
    });
    const names = frame.days.map(function (day) { return PinganCharts.date(day, figure.tick); });
    const widest = Math.max.apply(null, names.map(function (name) {
      return PinganCharts.width(name, frame.size);
    }));
    const mean = (frame.right - frame.left) / names.length;
    const every = Math.max(1, Math.ceil((widest + FREE) / mean));
    // Counted from the latest, which is what a reader looks for.
    for (let at = names.length - 1; at >= 0; at -= every) {
      const half = PinganCharts.width(names[at], frame.size) / 2;
      const x = Math.max(half, Math.min(frame.xs[at], frame.width - half));
      drawn.push(made('line', { class: 'ground', x1: frame.xs[at], x2: frame.xs[at],
        y1: frame.bottom, y2: frame.bottom + 4 }));
      drawn.push(made('text', { class: 'tick day', x: px(x), y: frame.bottom + GAP + frame.size,
        'text-anchor': 'middle' }, names[at]));
    }
    return drawn;
  }

  /** @returns {SVGElement} the window, half a period beyond its ends: one period has a width too */
  function shade(figure, frame) {
    const first = frame.x(frame.days[figure.shade[0]] - frame.half);
    const last = frame.x(frame.days[figure.shade[1]] + frame.half);
    return made('rect', { class: 'shade', x: first, y: frame.top, width: px(last - first),
      height: frame.bottom - frame.top });
  }

  /** @returns {string} points from one position to another */
  function path(frame, values, from, end) {
    const points = [];
    for (let at = from; at < end; at += 1) points.push(frame.xs[at] + ',' + frame.y(values[at]));
    return points.join('L');
  }

  function dot(frame, values, at, look) {
    return made('circle', { class: look, cx: frame.xs[at], cy: frame.y(values[at]), r: 2.5 });
  }

  /** @returns {SVGElement[]} a line with its gaps; a value between two gaps is a dot */
  function line(one, frame) {
    const values = one.values;
    const told = values.length - (one.open || 0);
    const drawn = [];
    function stretch(from, end, look) {
      const runs = PinganCharts.runs(values, from, end);
      const long = runs.filter(function (run) { return run[1] - run[0] > 1; });
      if (long.length) {
        drawn.push(made('path', { class: look, d: long.map(function (run) {
          return 'M' + path(frame, values, run[0], run[1]);
        }).join('') }));
      }
      return runs;
    }
    stretch(0, told, 'line ' + one.style).forEach(function (run) {
      if (run[1] - run[0] === 1) drawn.push(dot(frame, values, run[0], 'spot ' + one.style));
    });
    if (one.open) {
      // From the last period that is told, so that the line holds on.
      stretch(Math.max(told - 1, 0), values.length, 'line open ' + one.style);
      for (let at = told; at < values.length; at += 1) {
        if (values[at] === null) continue;
        drawn.push(made('circle', { class: 'hollow ' + one.style, cx: frame.xs[at],
          cy: frame.y(values[at]), r: 3.5 }));
      }
    }
    return drawn;
  }

  /** @returns {SVGElement[]} the range between two lines, where both are known */
  function band(one, frame) {
    const both = one.low.map(function (low, at) { return one.high[at] === null ? null : low; });
    const d = PinganCharts.runs(both, 0, both.length).map(function (run) {
      if (run[1] - run[0] === 1) {
        const x = frame.xs[run[0]];
        const wide = frame.step / 4;
        return 'M' + px(x - wide) + ',' + frame.y(one.low[run[0]]) + 'H' + px(x + wide) +
          'V' + frame.y(one.high[run[0]]) + 'H' + px(x - wide) + 'Z';
      }
      const low = path(frame, one.low, run[0], run[1]).split('L').reverse().join('L');
      return 'M' + path(frame, one.high, run[0], run[1]) + 'L' + low + 'Z';
    }).join('');
    return [made('path', { class: 'band', d: d })];
  }

  /** @returns {SVGElement[]} bars over each other, the first at the bottom */
  function stack(series, frame) {
    const wide = Math.max(1, px(frame.step * BAR));
    const below = frame.days.map(function () { return 0; });
    return series.map(function (one) {
      const d = one.values.map(function (value, at) {
        if (!value) return '';
        const bottom = frame.y(below[at]);
        below[at] += value;
        return 'M' + px(frame.xs[at] - wide / 2) + ',' + bottom + 'h' + wide + 'V' +
          frame.y(below[at]) + 'h' + -wide + 'Z';
      }).join('');
      const drawn = made('path', { class: 'bar', d: d });
      if (one.tint) drawn.style.fill = one.tint;
      return drawn;
    });
  }

  /** @returns {SVGElement[]} the series, the most important on top */
  function drawn(figure, frame) {
    if (isStacked(figure)) return stack(figure.series, frame);
    return figure.series.slice().reverse().flatMap(function (one) {
      return one.style === 'band' ? band(one, frame) : line(one, frame);
    });
  }

  /**
   * Draws a chart anew into its picture.
   *
   * @param {any} figure @param {SVGElement} svg @param {HTMLElement} plot box of the picture
   * @returns {any} where everything lies
   */
  PinganCharts.draw = function (figure, svg, plot) {
    const width = plot.clientWidth;
    const height = plot.clientHeight;
    const frame = framed(figure, width, height, parseFloat(getComputedStyle(plot).fontSize));
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    svg.style.maxWidth = width + 'px'; // paper may be narrower, and is never wider
    const parts = [].concat(figure.shade ? shade(figure, frame) : [], axes(figure, frame),
      drawn(figure, frame));
    svg.replaceChildren.apply(svg, parts);
    return frame;
  };

  /** @param {any} one series @param {boolean} isOpen @returns {SVGElement} its look, for a legend */
  PinganCharts.sign = function (one, isOpen) {
    const wide = one.style === 'bar' ? 12 : 22;
    const svg = made('svg', { class: 'sign', width: wide, height: 12, 'aria-hidden': 'true' });
    if (one.style === 'band' || one.style === 'bar') {
      const box = made('rect', { class: one.style, x: 1, y: 1, width: wide - 2, height: 10 });
      if (one.tint) box.style.fill = one.tint;
      svg.append(box);
    } else {
      svg.append(made('path', { class: 'line ' + (isOpen ? 'open ' : '') + one.style, d: 'M1,6H21' }));
      if (isOpen) svg.append(made('circle', { class: 'hollow ' + one.style, cx: 11, cy: 6, r: 3.5 }));
    }
    return svg;
  };

  /**
   * Marks one position of a picture.
   *
   * @param {any} figure @param {any} frame @param {number} at @returns {SVGElement}
   */
  PinganCharts.mark = function (figure, frame, at) {
    const x = frame.xs[at];
    const group = made('g', { class: 'cursor' });
    if (isStacked(figure)) {
      group.append(made('rect', { class: 'over', x: px(x - frame.step / 2), y: frame.top,
        width: px(frame.step), height: frame.bottom - frame.top }));
      return group;
    }
    group.append(made('line', { x1: x, x2: x, y1: frame.top, y2: frame.bottom }));
    figure.series.forEach(function (one) {
      if (one.style === 'band' || one.values[at] === null) return;
      group.append(dot(frame, one.values, at, 'spot ' + one.style));
    });
    return group;
  };

  PinganCharts.made = made;
}());
