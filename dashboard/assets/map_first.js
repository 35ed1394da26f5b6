/**
 * The map takes its part of an answer as it arrives; the page takes the rest once the map is
 * painted. Dash renders controls, legend and address in one long breath, for which the colours
 * would have to wait.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Longest time that the page waits for the map. */
  const PATIENCE_MS = 300;
  const plainFetch = window.fetch;
  /** Longest time that the panels of a new page wait for it. */
  const FIRST_PATIENCE_MS = 2500;
  const PANELS = '"output":"..panels-markup.data';
  let asked = 0; // calls that may bring a map
  let open = 0; // those of them that are not answered

  /** @param {?object} options of a fetch @returns {boolean} whether the server will draw the map */
  function bringsMap(options) {
    return Boolean(options) && typeof options.body === 'string' &&
      options.body.includes('...map-view.data...');
  }

  /** @returns {Promise<void>} fulfilled when the map has painted, or takes too long */
  function painted() {
    return new Promise(function (resolve) {
      setTimeout(resolve, PATIENCE_MS);
      document.addEventListener('pingan:settled', resolve, { once: true });
    });
  }

  /** @param {Response} response @returns {Promise<Response>} the same, with its content read */
  async function mapFirst(response) {
    const content = await response.json();
    response.json = function () { return Promise.resolve(content); };
    const parts = content.response || {};
    const drawn = painted();
    const legend = (parts['legend-markup'] || {}).data;
    if (legend) PinganMap.showLegend(legend); // the camera keeps clear of it
    if (PinganMap.takeAhead((parts['map-view'] || {}).data, (parts['map-values'] || {}).data)) {
      await drawn;
    }
    return response;
  }

  /** Fulfilled when the map of a new page is painted, cannot be, or takes too long. */
  const firstPaint = new Promise(function (resolve) {
    ['pingan:settled', 'pingan:nomap'].forEach(function (name) {
      document.addEventListener(name, resolve, { once: true });
    });
    setTimeout(resolve, FIRST_PATIENCE_MS);
  });

  /** @param {?object} options of a fetch @returns {boolean} whether it asks for panels of the map */
  function bringsPanels(options) {
    return Boolean(options) && typeof options.body === 'string' && options.body.includes(PANELS);
  }

  /** @param {Promise<Response>} answer to a call for a map @returns {Promise<Response>} */
  function take(answer) {
    asked += 1;
    open += 1;
    const own = asked;
    const done = function () { open -= 1; };
    answer.then(done, done);
    PinganMap.askedFor(); // Dash drops an answer that it has asked anew for
    return answer.then(function (response) {
      const fresh = own === asked && response.status === 200 && !document.hidden;
      return fresh ? mapFirst(response) : response;
    });
  }

  window.fetch = function (address, options) {
    if (bringsPanels(options)) {
      return plainFetch.apply(window, arguments).then(function (response) {
        return firstPaint.then(function () { return response; });
      });
    }
    if (!bringsMap(options)) return plainFetch.apply(window, arguments);
    return PinganMap.askedAhead(address, options) || take(plainFetch.apply(window, arguments));
  };

  PinganMap.firstCall = { isOpen: function () { return open > 0; },
    ask: function (address, options) { return take(plainFetch.call(window, address, options)); } };
}());
