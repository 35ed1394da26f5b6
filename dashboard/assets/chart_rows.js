/**
 * A chart of rows: a name, its count as a bar and as a number, and the count before as a tick.
 * A row that filters is a button; what a second press of it lets go of is pressed.
 */
(function () {
  'use strict';

  const PinganCharts = window.PinganCharts = window.PinganCharts || {};

  /** @param {string} tag @param {string} look @param {string} [text] @returns {HTMLElement} */
  function made(tag, look, text) {
    const element = document.createElement(tag);
    element.className = look;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /** @returns {HTMLElement} a number, with the name of its column for who hears it */
  function number(look, name, value, none) {
    const cell = made('span', look);
    cell.append(made('span', 'unseen', ' ' + name + ' '),
      value === null ? none : PinganCharts.number(value, 'count'));
    return cell;
  }

  /** @param {any} figure @param {boolean} hasBefore @returns {HTMLElement} what bar and tick are */
  function legend(figure, hasBefore) {
    const list = made('ul', 'chart-legend');
    list.setAttribute('aria-hidden', 'true'); // each number tells its column
    ['row-bar', 'row-mark'].slice(0, hasBefore ? 2 : 1).forEach(function (look, at) {
      const item = made('li', '');
      const sign = made('i', 'row-sign');
      sign.append(made('i', look));
      item.append(sign, figure.names[at]);
      list.append(item);
    });
    return list;
  }

  /**
   * @param {HTMLElement} chart @param {any} figure
   * @returns {HTMLElement[]} what stands in its box
   */
  PinganCharts.rows = function (chart, figure) {
    const sets = figure.sets || { values: [] };
    const most = Math.max.apply(null, [1].concat(figure.rows.map(function (row) {
      return Math.max(row[1], row[2] || 0);
    })));
    const hasBefore = figure.rows.some(function (row) { return row[2] !== null; });
    const list = made('ul', 'rows');
    figure.rows.forEach(function (row, at) {
      const value = sets.values[at];
      const isButton = typeof value === 'string';
      const line = made(isButton ? 'button' : 'div', 'row');
      const track = made('span', 'row-track');
      const bar = made('span', 'row-bar');
      bar.style.width = 100 * row[1] / most + '%';
      track.append(bar);
      line.append(made('span', 'row-name', row[0]),
        number('row-now', figure.names[0], row[1], figure.none));
      if (hasBefore) {
        line.append(number('row-before', figure.names[1], row[2], figure.none));
        if (row[2] !== null) {
          const mark = made('span', 'row-mark');
          mark.style.left = 100 * row[2] / most + '%';
          track.append(mark);
        }
      }
      line.append(track);
      if (isButton) {
        line.type = 'button';
        line.setAttribute('aria-pressed', String(value === ''));
        line.addEventListener('click', function () { PinganCharts.choose(chart, sets, at); });
      }
      const item = made('li', '');
      item.append(line);
      list.append(item);
    });
    return [legend(figure, hasBefore), list];
  };
}());
