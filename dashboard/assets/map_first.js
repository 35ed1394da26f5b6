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
  let asked = 0; // calls that may bring a map

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
    if (PinganMap.takeAhead((parts['map-view'] || {}).data, (parts['map-values'] || {}).data)) {
      await drawn;
    }
    return response;
  }

  window.fetch = function (address, options) {
    const answer = plainFetch.apply(window, arguments);
    if (!bringsMap(options)) return answer;
    asked += 1;
    const own = asked;
    PinganMap.dropAhead(); // Dash drops an answer that it has asked anew for
    return answer.then(function (response) {
      const fresh = own === asked && response.status === 200 && !document.hidden;
      return fresh ? mapFirst(response) : response;
    });
  };
}());
