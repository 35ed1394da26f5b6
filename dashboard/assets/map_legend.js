/**
 * The legend: markup from the server, put in place at once with the colours that it explains.
 *
 * A choice is a link to a whole address; one that is pressed while an answer is on its way would
 * undo what was chosen before it, so it waits for the new legend.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** Longest time that a choice waits for an answer. */
  const PATIENCE_MS = 5000;
  let address = window.location.search;
  let waitsUntil = 0; // an answer is on its way until then
  let held = ''; // choice that waits for it

  /** @returns {?HTMLElement} */
  function box() { return document.getElementById('legend'); }

  /** @param {string} choice @returns {?HTMLElement} */
  function found(choice) {
    return Array.from(box().querySelectorAll('[data-choice]')).find(function (one) {
      return one.dataset.choice === choice;
    });
  }

  /** @param {string} markup as the server wrote it; puts it in place */
  function show(markup) {
    const legend = box();
    if (!legend) return;
    const focused = legend.contains(document.activeElement) && document.activeElement.dataset.choice;
    if (!PinganMap.putMarkup(legend, markup)) return;
    const again = focused && !legend.contains(document.activeElement) && found(focused);
    if (again) {
      if (!again.href) again.tabIndex = -1; // the chosen one leads nowhere
      again.focus();
    }
  }

  /** @param {?string} markup of the answer that Dash has taken: what waited may go on */
  function applyLegend(markup) {
    if (typeof markup === 'string') {
      show(markup);
      waitsUntil = 0;
      const choice = held;
      held = '';
      if (choice) {
        setTimeout(function () {
          const link = found(choice);
          if (link) link.click();
        }, 0);
      }
    }
    return window.dash_clientside.no_update;
  }

  /** The address has changed, so an answer is on its way. */
  function addressChanged() {
    if (window.location.search === address) return;
    address = window.location.search;
    waitsUntil = performance.now() + PATIENCE_MS;
  }

  /** @param {MouseEvent} event @returns {?HTMLAnchorElement} the choice that it makes here */
  function chosen(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return null;
    return event.target.closest && event.target.closest('#legend a[data-choice]');
  }

  // Before whatever else would follow the link.
  document.addEventListener('click', function (event) {
    const link = chosen(event);
    if (!link || performance.now() >= waitsUntil) return;
    held = link.dataset.choice;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener('click', function (event) {
    const link = chosen(event);
    if (!link) return;
    event.preventDefault();
    window.history.pushState({}, '', link.href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  });
  window.addEventListener('_dashprivate_pushstate', addressChanged);
  window.addEventListener('popstate', addressChanged);

  PinganMap.showLegend = show;
  window.dash_clientside = Object.assign({}, window.dash_clientside);
  window.dash_clientside.pingan = Object.assign({}, window.dash_clientside.pingan,
    { applyLegend: applyLegend });
}());
