/**
 * The grid of weekdays and hours: a table with headers, built here from `data-grid`, as its 168
 * cells would be half of the answer as components. The number of a cell is its text, and with day
 * and hours its title. All texts are text nodes.
 */
(function () {
  'use strict';

  const BLOCK = 3;

  /**
   * @param {string} tag
   * @param {string | number} text
   * @param {Object<string, unknown>} properties
   */
  function made(tag, text, properties) {
    const element = document.createElement(tag);
    element.textContent = String(text);
    return Object.assign(element, properties);
  }

  /** @param {HTMLElement} box */
  function build(box) {
    if (box.builtFrom === box.dataset.grid) return;
    box.builtFrom = box.dataset.grid;
    const grid = JSON.parse(box.dataset.grid);
    const wide = BLOCK / grid.hours;
    const scope = wide > 1 ? 'colgroup' : 'col';
    const head = document.createElement('tr');
    head.append(made('th', grid.corner, { scope: 'col' }));
    for (let hour = 0; hour < 24; hour += BLOCK) {
      head.append(made('th', hour, { scope: scope, colSpan: wide }));
    }
    const rows = grid.days.map(function (day, at) {
      const row = document.createElement('tr');
      const cells = grid.counts[at].map(function (count, part) {
        const told = { day: day, n: count, first: part * grid.hours,
          last: (part + 1) * grid.hours };
        const title = grid.told.replace(/\{(\w+)\}/g, (_, name) => told[name]);
        return made('td', count, { className: 'hour-' + grid.bands[at][part], title: title });
      });
      row.append(made('th', day, { scope: 'row' }), ...cells);
      return row;
    });
    const table = document.createElement('table');
    table.className = wide > 1 ? 'hours fine' : 'hours';
    table.append(made('caption', grid.caption, { className: 'unseen' }));
    table.createTHead().append(head);
    table.createTBody().append(...rows);
    box.replaceChildren(table);
  }

  new MutationObserver(function () {
    document.querySelectorAll('.hours-box[data-grid]').forEach(build);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ['data-grid'] });
}());
