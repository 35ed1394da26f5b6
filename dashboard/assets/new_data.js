/**
 * Says on the map and the pages beside it that newer data is published; the reader decides when to
 * see it, so that nothing changes under a hand that points at something.
 */
(function () {
  'use strict';

  const EVERY_MS = 60000;
  let held = ''; // snapshot that was there when the page was opened

  /** @returns {?HTMLElement} */
  function chip() { return document.getElementById('newer-data'); }

  async function ask() {
    if (document.hidden || !chip()) return;
    try {
      const answer = await fetch('/live?only=snapshot', { credentials: 'same-origin',
        cache: 'no-store', redirect: 'error' });
      if (!answer.ok) return;
      const found = (await answer.json()).snapshot;
      held = held || found;
      chip().hidden = found === held;
    } catch (error) { /* the server is away: the next question may reach it */ }
  }

  document.addEventListener('click', function (event) {
    // The address holds the view, the camera too.
    if (event.target.closest && event.target.closest('#newer-data')) window.location.reload();
  });
  document.addEventListener('visibilitychange', ask);
  document.addEventListener('pingan:painted', ask, { once: true });
  setInterval(ask, EVERY_MS);
}());
