/**
 * Numbers, days and steps of the charts: pure functions, nothing of the page.
 */
(function () {
  'use strict';

  const PinganCharts = window.PinganCharts = window.PinganCharts || {};
  const DAY_MS = 86400000;
  const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August',
    'September', 'October', 'November', 'December'];
  const WRITTEN = {
    count: new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 }),
    score: new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 }),
    share: new Intl.NumberFormat('en-US', { style: 'percent', minimumFractionDigits: 1,
      maximumFractionDigits: 1 }),
    shareTick: new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 0 })
  };

  /** @param {string} text `YYYY-MM-DD` @returns {number} days since 1970 */
  function dayOf(text) { return Date.parse(text) / DAY_MS; }

  /** @param {number} value @param {string} format @returns {string} */
  PinganCharts.number = function (value, format) { return WRITTEN[format].format(value); };

  /** @param {number} value @param {string} format @returns {string} */
  PinganCharts.tick = function (value, format) {
    return (WRITTEN[format + 'Tick'] || WRITTEN[format]).format(value);
  };

  /** @param {any} figure @returns {number[]} first day of each period, days since 1970 */
  PinganCharts.days = function (figure) {
    if (figure.days) return figure.days.map(dayOf);
    const first = dayOf(figure.from);
    return figure.series[0].values.map(function (_, at) { return first + at * figure.step; });
  };

  /**
   * A day by a pattern of `%Y %m %d %b %B`.
   *
   * @param {number} day @param {string} pattern @returns {string}
   */
  PinganCharts.date = function (day, pattern) {
    const date = new Date(day * DAY_MS);
    const month = date.getUTCMonth();
    const two = function (number) { return String(number).padStart(2, '0'); };
    const parts = { Y: date.getUTCFullYear(), m: two(month + 1), d: two(date.getUTCDate()),
      b: MONTHS[month].slice(0, 3), B: MONTHS[month] };
    return pattern.replace(/%([YmdbB])/g, function (_, part) { return parts[part]; });
  };

  /**
   * Round values from zero on; counts get whole steps, never 1, 1, 2, 2.
   *
   * @param {number} most largest value @param {string} format @param {number} count of steps at most
   */
  PinganCharts.ticks = function (most, format, count) {
    const rough = most / count;
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    let step = power * [1, 2, 5, 10].find(function (n) { return n * power >= rough * 0.999999; });
    if (format === 'count') step = Math.max(step, 1);
    return Array.from({ length: Math.floor(most / step * 1.000001) + 1 }, function (_, at) {
      return at * step;
    });
  };

  /** @param {string} text @param {number} size of its type @returns {number} pixels, about */
  PinganCharts.width = function (text, size) {
    return Array.from(text).reduce(function (sum, sign) {
      return sum + (sign > '\u2e7f' ? 1 : sign === ' ' ? 0.3 : 0.58);
    }, 0) * size;
  };

  /**
   * Stretches of known values, as pairs of the first position and the one after the last.
   *
   * @param {(?number)[]} values @param {number} first @param {number} end
   * @returns {[number, number][]}
   */
  PinganCharts.runs = function (values, first, end) {
    const found = [];
    for (let at = first; at < end; at += 1) {
      if (values[at] === null) continue;
      const last = found[found.length - 1];
      if (last && last[1] === at) last[1] += 1;
      else found.push([at, at + 1]);
    }
    return found;
  };
}());
