/**
 * A click on a bar or a point sets the filter that it stands for.
 *
 * A chart says in `layout.meta.sets` which control it sets, by which coordinate of the point, and
 * to what: `{control, at, values}`. What is not in `values` (a sum of others) sets nothing.
 */
(function () {
  'use strict';

  /** @param {Element} chart */
  function listen(chart) {
    if (chart.dataset.linked || !chart.on) return;
    chart.dataset.linked = 'yes';
    chart.on('plotly_click', function (event) {
      const sets = ((chart.layout || {}).meta || {}).sets;
      const point = event.points && event.points[0];
      if (!sets || !point) return;
      const value = sets.values[point[sets.at]];
      if (value !== undefined) window.dash_clientside.set_props(sets.control, { value: value });
    });
  }

  new MutationObserver(function () {
    document.querySelectorAll('.js-plotly-plot').forEach(listen);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ['class'] });
}());
