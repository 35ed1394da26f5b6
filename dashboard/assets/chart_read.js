/**
 * Reading a chart along time: a cursor at one period with all its values, by the pointer or by the
 * arrow keys; a click chooses the period, a drag of the mouse several, a double click none. A finger
 * scrolls the page instead of dragging: it has the controls.
 */
(function () {
  'use strict';

  const PinganCharts = window.PinganCharts = window.PinganCharts || {};
  const canDrag = window.matchMedia('(hover: hover) and (pointer: fine)');
  const CLICK_MS = 250; // a second one may follow, which means something else
  const DRAG_PX = 4;
  const SIDE = 12;
  const GAP = 4;
  const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -4, PageDown: 4, Home: -Infinity,
    End: Infinity };

  /** @param {any} chart what is drawn @param {number} at @returns {any[]} sign, name and value */
  function readings(chart, at) {
    const figure = chart.figure;
    const write = function (value) {
      return value === null || value === undefined ? null : PinganCharts.number(value, figure.format);
    };
    return figure.series.map(function (one) {
      const isOpen = Boolean(one.open) && at >= one.values.length - one.open;
      const range = one.style === 'band';
      const value = range ? write(one.low[at]) && write(one.high[at]) &&
        write(one.low[at]) + '–' + write(one.high[at]) : write(one.values[at]);
      return { one: one, isOpen: isOpen, name: isOpen ? one.open_name : one.name,
        value: value || figure.none };
    });
  }

  /** @param {any} chart @param {number} at @returns {string} the period in words */
  function when(chart, at) {
    return PinganCharts.date(chart.frame.days[at], chart.figure.hover);
  }

  /** @param {any} chart @param {number} at fills the card beside the cursor, where the lines are not */
  function fillTip(chart, at) {
    const read = readings(chart, at);
    const head = document.createElement('strong');
    head.textContent = when(chart, at);
    const rows = read.map(function (row) {
      const line = document.createElement('div');
      const name = document.createElement('span');
      const value = document.createElement('b');
      name.textContent = row.name;
      value.textContent = row.value;
      line.append(PinganCharts.sign(row.one, row.isOpen), name, value);
      return line;
    });
    chart.tip.replaceChildren(head, ...rows);
    chart.tip.hidden = false;
    const x = chart.frame.xs[at];
    const wide = chart.tip.offsetWidth;
    const left = x + SIDE + wide <= chart.frame.width ? x + SIDE : x - SIDE - wide;
    chart.tip.style.left = Math.max(0, left) + 'px';
    const top = chart.figure.series[0].values[at];
    const isHigh = chart.frame.y(top || 0) < (chart.frame.top + chart.frame.bottom) / 2;
    const low = chart.frame.bottom - GAP - chart.tip.offsetHeight;
    chart.tip.style.top = (isHigh ? Math.max(0, low) : 0) + 'px';
  }

  /** @param {any} chart what is drawn @param {number} at the position to read */
  function show(chart, at) {
    if (chart.at === at && chart.cursor) return;
    hide(chart);
    chart.at = at;
    chart.cursor = PinganCharts.mark(chart.figure, chart.frame, at);
    chart.svg.append(chart.cursor);
    fillTip(chart, at);
  }

  /** @param {any} chart */
  function hide(chart) {
    if (chart.cursor) chart.cursor.remove();
    chart.cursor = null;
    chart.tip.hidden = true;
  }

  /** @param {any} chart @param {number} at tells the position to who cannot see it */
  function tell(chart, at) {
    const said = readings(chart, at).map(function (row) { return row.name + ' ' + row.value; });
    chart.plot.setAttribute('aria-valuenow', String(at + 1));
    chart.plot.setAttribute('aria-valuetext', [when(chart, at)].concat(said).join(', '));
  }

  /** @param {any} chart @param {MouseEvent} event @returns {number} where it points to in the plot */
  function across(chart, event) {
    return event.clientX - chart.plot.getBoundingClientRect().left;
  }

  /** @param {any} chart @param {number} x @returns {number} the nearest position */
  function nearest(chart, x) {
    const xs = chart.frame.xs;
    return xs.reduce(function (best, there, at) {
      return Math.abs(there - x) < Math.abs(xs[best] - x) ? at : best;
    }, 0);
  }

  /** @param {any} chart @param {number} x draws what is dragged over so far */
  function drawDrag(chart, x) {
    const frame = chart.frame;
    const ends = [chart.from, x].map(function (end) {
      return Math.max(frame.left, Math.min(frame.right, end));
    });
    if (!chart.dragged) {
      chart.dragged = PinganCharts.made('rect', { class: 'drag', y: frame.top,
        height: frame.bottom - frame.top });
      chart.svg.append(chart.dragged);
    }
    chart.dragged.setAttribute('x', Math.min(ends[0], ends[1]));
    chart.dragged.setAttribute('width', Math.abs(ends[1] - ends[0]));
  }

  /** @param {any} chart */
  function dropDrag(chart) {
    if (chart.dragged) chart.dragged.remove();
    chart.dragged = null;
  }

  /** @param {any} chart @param {number} x where the drag ends: chooses what lies between */
  function endDrag(chart, x) {
    const from = Math.min(chart.from, x);
    const to = Math.max(chart.from, x);
    const xs = chart.frame.xs;
    const first = xs.findIndex(function (there) { return there >= from; });
    const last = xs.filter(function (there) { return there <= to; }).length - 1;
    if (first < 0 || last < first) dropDrag(chart);
    else PinganCharts.chooseRange(chart.box, chart.figure.sets, first, last);
  }

  /** @param {any} chart listens to the mouse and the finger */
  function point(chart) {
    const plot = chart.plot;
    let timer = 0;
    let wasDrag = false;
    const marks = function () { return chart.figure.sets && chart.figure.sets.marks; };
    plot.addEventListener('pointerdown', function (event) {
      wasDrag = false;
      dropDrag(chart);
      if (event.button || event.pointerType !== 'mouse' || !canDrag.matches || !marks()) return;
      chart.from = across(chart, event);
      plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener('pointermove', function (event) {
      const x = across(chart, event);
      if (chart.from !== null && (wasDrag || Math.abs(x - chart.from) > DRAG_PX)) {
        wasDrag = true;
        drawDrag(chart, x);
      }
      show(chart, nearest(chart, x));
    });
    plot.addEventListener('pointerup', function (event) {
      if (chart.from !== null && wasDrag) endDrag(chart, across(chart, event));
      chart.from = null;
    });
    plot.addEventListener('pointercancel', function () { chart.from = null; dropDrag(chart); });
    plot.addEventListener('pointerleave', function (event) {
      if (event.pointerType === 'mouse') hide(chart);
    });
    plot.addEventListener('click', function (event) {
      const sets = chart.figure.sets;
      const at = nearest(chart, across(chart, event));
      show(chart, at);
      if (!sets || wasDrag || event.detail > 1) return;
      clearTimeout(timer);
      timer = setTimeout(function () { PinganCharts.choose(chart.box, sets, at); },
        marks() ? CLICK_MS : 0);
    });
    plot.addEventListener('dblclick', function () {
      clearTimeout(timer);
      if (marks()) PinganCharts.reset(chart.box, chart.figure.sets);
    });
  }

  /** @param {any} chart listens to the keys */
  function hearKeys(chart) {
    const plot = chart.plot;
    plot.addEventListener('keydown', function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const last = chart.frame.days.length - 1;
      if (event.key in KEYS) {
        show(chart, Math.max(0, Math.min(last, chart.at + KEYS[event.key])));
        tell(chart, chart.at);
      } else if (event.key === 'Enter' && chart.cursor && chart.figure.sets) {
        PinganCharts.choose(chart.box, chart.figure.sets, chart.at);
      } else if (event.key === 'Escape' && chart.cursor) {
        hide(chart);
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    });
    plot.addEventListener('focus', function () {
      if (plot.matches(':focus-visible')) show(chart, chart.at);
    });
    plot.addEventListener('blur', function () { hide(chart); });
  }

  /** @param {any} chart that was drawn for the first time */
  PinganCharts.listen = function (chart) {
    point(chart);
    hearKeys(chart);
    document.addEventListener('pointerdown', function away(event) {
      if (!chart.plot.isConnected) document.removeEventListener('pointerdown', away);
      else if (!chart.plot.contains(event.target)) hide(chart);
    });
  };

  /** @param {any} chart that was drawn anew: the cursor stays where it was read */
  PinganCharts.readAgain = function (chart) {
    const last = chart.frame.days.length - 1;
    const isRead = Boolean(chart.cursor) && chart.at <= last;
    chart.cursor = chart.dragged = null;
    hide(chart);
    if (isRead) show(chart, chart.at);
    else chart.at = last;
    const plot = chart.plot;
    plot.setAttribute('aria-label', chart.figure.keys);
    plot.setAttribute('aria-valuemin', '1');
    plot.setAttribute('aria-valuemax', String(last + 1));
    tell(chart, chart.at);
  };
}());
