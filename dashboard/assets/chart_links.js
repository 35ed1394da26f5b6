/**
 * What a chart sets: a click on a bar or a period the filter that it stands for, a drag a window.
 *
 * A figure says in `sets` which control it sets, and to what for each point or row:
 * `{control, values, marks}`. What has no value (a sum of others) sets nothing. With `marks`, the
 * store of that id takes the values of the first and the last point dragged over, or `reset`.
 */
(function () {
  'use strict';

  const PinganCharts = window.PinganCharts = window.PinganCharts || {};
  const WAIT_MS = 30000;
  const SETTLE_MS = 1500;
  let counter = 0;

  /** @param {string} store @param {object} what */
  function mark(store, what) {
    counter += 1;
    window.dash_clientside.set_props(store, { data: Object.assign({ counter: counter }, what) });
  }

  /**
   * Keeps a chart where it is on the screen while the panels above it change their height, until
   * the user scrolls. The answer changes the chart, or puts a new one in its place.
   *
   * @param {Element} chart
   */
  function stay(chart) {
    const box = chart.closest('.side') || document.scrollingElement;
    const scrolls = box.scrollHeight > box.clientHeight ? box : document.scrollingElement;
    const boxes = document.getElementsByClassName('chart');
    const place = Array.prototype.indexOf.call(boxes, chart);
    const top = chart.getBoundingClientRect().top;
    const told = chart.dataset.chart;
    const stop = new AbortController();
    ['wheel', 'pointerdown', 'keydown', 'touchstart'].forEach(function (name) {
      window.addEventListener(name, function () { stop.abort(); },
        { signal: stop.signal, capture: true, passive: true });
    });
    let until = performance.now() + WAIT_MS;
    let isNew = false;
    (function hold() {
      const now = boxes[place];
      if (!isNew && now && (now !== chart || now.dataset.chart !== told)) {
        isNew = true;
        until = performance.now() + SETTLE_MS;
      }
      if (performance.now() > until) stop.abort();
      if (stop.signal.aborted) return;
      const moved = now ? now.getBoundingClientRect().top - top : 0;
      if (Math.abs(moved) >= 1) scrolls.scrollTop += moved;
      requestAnimationFrame(hold);
    }());
  }

  /** @param {HTMLElement} chart @param {any} sets @param {number} at point or row */
  PinganCharts.choose = function (chart, sets, at) {
    const value = sets.values[at];
    if (typeof value !== 'string') return;
    stay(chart);
    window.dash_clientside.set_props(sets.control, { value: value });
  };

  /** @param {HTMLElement} chart @param {any} sets @param {number} first @param {number} last */
  PinganCharts.chooseRange = function (chart, sets, first, last) {
    stay(chart);
    mark(sets.marks, { first: sets.values[first], last: sets.values[last] });
  };

  /** @param {HTMLElement} chart @param {any} sets the window goes back to the usual one */
  PinganCharts.reset = function (chart, sets) {
    stay(chart);
    mark(sets.marks, { reset: true });
  };
}());
