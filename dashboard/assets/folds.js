/** What a reader has unfolded stays so when the panel round it is drawn anew: `data-fold` names it. */
(function () {
  'use strict';

  const unfolded = new Set();

  document.addEventListener('toggle', function (event) {
    const name = event.target.dataset && event.target.dataset.fold;
    if (!name) return;
    if (event.target.open) unfolded.add(name);
    else if (event.target.isConnected) unfolded.delete(name);
  }, true);

  new MutationObserver(function () {
    document.querySelectorAll('details[data-fold]:not([open])').forEach(function (details) {
      if (details.dataset.seen) return; // folded by the reader
      details.dataset.seen = 'yes';
      if (unfolded.has(details.dataset.fold)) details.open = true;
    });
  }).observe(document.documentElement, { childList: true, subtree: true });
}());
