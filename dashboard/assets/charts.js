/**
 * The charts: built here from `data-chart`, which `dashboard/figures.py` tells of, at the width that
 * their boxes have, and drawn anew in place when either changes.
 */
(function () {
  'use strict';

  const PinganCharts = window.PinganCharts;
  /** @type {WeakMap<Element, any>} what is drawn, by its plot */
  const drawn = new WeakMap();

  /** @param {string} tag @param {string} look @returns {HTMLElement} */
  function made(tag, look) {
    const element = document.createElement(tag);
    element.className = look;
    return element;
  }

  /** @param {any} figure @returns {Node[]} what its series are called, with their looks */
  function legend(figure) {
    const title = made('li', 'chart-title');
    title.textContent = figure.title || '';
    return (figure.title ? [title] : []).concat(figure.series.flatMap(function (one) {
      return [false, true].slice(0, one.open ? 2 : 1).map(function (isOpen) {
        const item = made('li', '');
        item.append(PinganCharts.sign(one, isOpen), isOpen ? one.open_name : one.name);
        return item;
      });
    }));
  }

  /** @param {any} chart draws it at the size that it has now */
  function draw(chart) {
    if (!chart.plot.clientWidth) return; // hidden: it is drawn when it is shown
    chart.frame = PinganCharts.draw(chart.figure, chart.svg, chart.plot);
    PinganCharts.readAgain(chart);
  }

  const sizes = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      const chart = drawn.get(entry.target);
      const frame = chart.frame;
      if (!entry.target.isConnected) sizes.unobserve(entry.target);
      else if (!frame || frame.width !== entry.target.clientWidth ||
        frame.height !== entry.target.clientHeight) draw(chart);
    });
  });

  /** @param {HTMLElement} box @returns {any} an empty chart along time in it */
  function begun(box) {
    const chart = { box: box, legend: made('ul', 'chart-legend'), plot: made('div', 'chart-plot'),
      svg: PinganCharts.made('svg', { 'aria-hidden': 'true' }), tip: made('div', 'chart-tip'),
      figure: null, frame: null, cursor: null, dragged: null, at: 0, from: null };
    chart.plot.tabIndex = 0;
    chart.plot.setAttribute('role', 'slider');
    chart.tip.hidden = true;
    chart.plot.append(chart.svg, chart.tip);
    box.replaceChildren(chart.legend, chart.plot);
    drawn.set(chart.plot, chart);
    PinganCharts.listen(chart);
    sizes.observe(chart.plot);
    return chart;
  }

  /** @param {HTMLElement} box @param {any} figure */
  function showTime(box, figure) {
    const chart = box.chart = box.chart && box.contains(box.chart.plot) ? box.chart : begun(box);
    chart.figure = figure;
    chart.plot.hidden = !figure.series.length || !PinganCharts.days(figure).length;
    chart.plot.classList.toggle('sets', Boolean(figure.sets));
    chart.legend.replaceChildren(...legend(figure));
    draw(chart);
  }

  /** @param {HTMLElement} box @param {any} figure a row keeps the focus at its place */
  function showRows(box, figure) {
    const rows = Array.from(box.querySelectorAll('.row'));
    const focused = rows.indexOf(document.activeElement);
    box.replaceChildren(...PinganCharts.rows(box, figure));
    const now = box.querySelectorAll('button.row');
    if (focused >= 0 && now.length) {
      now[Math.min(focused, now.length - 1)].focus({ preventScroll: true });
    }
  }

  /** @param {HTMLElement} box */
  function build(box) {
    if (box.builtFrom === box.dataset.chart) return;
    box.builtFrom = box.dataset.chart;
    const figure = JSON.parse(box.dataset.chart);
    (figure.kind === 'rows' ? showRows : showTime)(box, figure);
  }

  new MutationObserver(function () {
    document.querySelectorAll('.chart[data-chart]').forEach(build);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ['data-chart'] });
}());
