/**
 * A click on a bar or a point sets the filter that it stands for; a drag over points, a window.
 *
 * A chart says in `layout.meta.sets` which control it sets, by which coordinate of the point, and
 * to what: `{control, at, values, marks}`. What is not in `values` (a sum of others) sets nothing.
 * With `marks`, the store of that id takes the values of the first and the last point dragged over,
 * or `reset` after a double click. A finger scrolls the page instead: it has the controls.
 */
(function () {
  'use strict';

  const canDrag = window.matchMedia('(hover: hover) and (pointer: fine)');
  const WAIT_MS = 30000;
  const SETTLE_MS = 1500;
  const DOUBLE_MS = 600;
  const CLICK_MS = 250; // a second one may follow, which means something else
  let clicked = 0;
  let doubledAt = 0;
  let counter = 0;

  /** @param {any} chart @returns {any} what the chart sets, or nothing */
  function linked(chart) {
    return ((chart.layout || {}).meta || {}).sets;
  }

  /** @param {string} store @param {object} what */
  function mark(store, what) {
    counter += 1;
    window.dash_clientside.set_props(store, { data: Object.assign({ counter: counter }, what) });
  }

  /**
   * Labels of the first and the last point between two days.
   *
   * @param {Object<string, string>} values @param {[string, string]} range
   */
  function between(values, range) {
    const ends = range.map(function (day) { return Date.parse(String(day).replace(' ', 'T')); });
    const days = Object.keys(values).sort().filter(function (day) {
      return Math.min(ends[0], ends[1]) <= Date.parse(day + 'T00:00') &&
        Date.parse(day + 'T00:00') <= Math.max(ends[0], ends[1]);
    });
    return days.length ? { first: values[days[0]], last: values[days[days.length - 1]] } : null;
  }

  /**
   * Keeps a chart where it is on the screen while the panels above it change their height, until
   * the user scrolls. The answer puts a new chart in the place of the old one.
   *
   * @param {Element} chart
   */
  function stay(chart) {
    const box = chart.closest('.side') || document.scrollingElement;
    const scrolls = box.scrollHeight > box.clientHeight ? box : document.scrollingElement;
    const boxes = document.getElementsByClassName('chart');
    const place = Array.prototype.indexOf.call(boxes, chart.closest('.chart'));
    const top = boxes[place].getBoundingClientRect().top;
    const stop = new AbortController();
    ['wheel', 'pointerdown', 'keydown', 'touchstart'].forEach(function (name) {
      window.addEventListener(name, function () { stop.abort(); },
        { signal: stop.signal, capture: true, passive: true });
    });
    const old = boxes[place];
    let until = performance.now() + WAIT_MS;
    let isNew = false;
    (function hold() {
      if (!isNew && boxes[place] !== old) {
        isNew = true;
        until = performance.now() + SETTLE_MS;
      }
      if (performance.now() > until) stop.abort();
      if (stop.signal.aborted) return;
      const moved = boxes[place] ? boxes[place].getBoundingClientRect().top - top : 0;
      if (Math.abs(moved) >= 1) scrolls.scrollTop += moved;
      requestAnimationFrame(hold);
    }());
  }

  /** @param {any} chart lets it be dragged over, and takes away what the last drag drew */
  function allowDrag(chart) {
    const sets = linked(chart);
    if (!sets || !sets.marks || !canDrag.matches) return;
    if (chart.layout.dragmode === 'select' && !(chart.layout.selections || []).length) return;
    window.Plotly.relayout(chart, { dragmode: 'select', selectdirection: 'h', selections: [] });
  }

  /** @param {any} chart */
  function listen(chart) {
    if (chart.dataset.linked || !chart.on) return;
    chart.dataset.linked = 'yes';
    chart.on('plotly_click', function (event) {
      const sets = linked(chart);
      const point = event.points && event.points[0];
      if (!sets || !point || Date.now() - doubledAt < DOUBLE_MS) return;
      const value = sets.values[point[sets.at]];
      if (value === undefined) return;
      clearTimeout(clicked);
      clicked = setTimeout(function () {
        window.dash_clientside.set_props(sets.control, { value: value });
        stay(chart);
      }, sets.marks ? CLICK_MS : 0);
    });
    chart.on('plotly_selected', function (event) {
      const sets = linked(chart);
      const found = sets && sets.marks && event && event.range && between(sets.values, event.range.x);
      if (found) {
        mark(sets.marks, found);
        stay(chart);
      }
      allowDrag(chart);
    });
    // Plotly tells of a double click only where it had something to let go of.
    chart.addEventListener('mousedown', function (event) {
      const sets = linked(chart);
      if (event.detail !== 2 || !sets || !sets.marks) return;
      doubledAt = Date.now();
      clearTimeout(clicked);
      mark(sets.marks, { reset: true });
      stay(chart);
    }, true);
    chart.on('plotly_afterplot', function () { allowDrag(chart); });
    allowDrag(chart);
  }

  new MutationObserver(function () {
    document.querySelectorAll('.js-plotly-plot').forEach(listen);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ['class'] });
}());
