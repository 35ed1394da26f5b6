/**
 * Loads plotly.js after the map has painted.
 *
 * Dash's graph component waits on `Promise.resolve(window.Plotly || <its own script>)`. A promise
 * put there before the first graph mounts makes every chart wait, and keeps the full 5 MB bundle of
 * the Python package from being fetched at all. The vendored basic build then replaces the promise
 * with the real object. Gate: the event `pingan:painted` or `pingan:nomap`, or three seconds.
 */
(function () {
  'use strict';

  const GATE_MS = 3000;
  const source = new URL('vendor/plotly-basic.min.js', document.currentScript.src).href;

  /** @returns {Promise<void>} settled when the charts may load */
  function gate() {
    return new Promise(function (resolve) {
      const open = function () { resolve(); };
      document.addEventListener('pingan:painted', open, { once: true });
      document.addEventListener('pingan:nomap', open, { once: true });
      setTimeout(open, GATE_MS);
    });
  }

  /** @returns {Promise<object>} the real Plotly object */
  function load() {
    return new Promise(function (resolve, reject) {
      const script = document.createElement('script');
      script.src = source;
      script.async = true;
      script.onload = function () { resolve(window.Plotly); };
      script.onerror = function () { reject(new Error('plotly.js did not load: ' + source)); };
      document.head.appendChild(script);
    });
  }

  if (!window.Plotly) {
    window.Plotly = gate().then(load);
  }
}());
