/**
 * The map by keyboard, on any engine: arrows lead from area to area, Enter opens the area, Escape
 * and Backspace leave the present one; with Shift, arrows move the map. What the keys point at is
 * outlined, has its card, and is told to screen readers.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  /** East and north of each arrow. */
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const HELP_ID = 'map-keys-help';
  /** How much a way aside counts against a way ahead. */
  const ASIDE = 2;
  const EDGE_PX = 30;
  const WORDS = {
    zh: { map: '地图', help: '方向键在区域间移动，回车进入，Esc 或退格返回上一级，Shift 加方向键平移，加减号缩放。',
      into: '进入' },
    en: { map: 'Map', help: 'Arrow keys move between areas, Enter opens one, Escape or Backspace ' +
      'leaves it, Shift with arrows moves the map, plus and minus zoom.', into: 'Opening' }
  };

  let page = null; // what map_glue.js has
  let view = null;
  let cursor = -1; // index of the area that the keys point at
  let help = null;
  let live = null;

  /** @param {string} name @returns {string} */
  function word(name) { return WORDS[view && view.lang === 'en' ? 'en' : 'zh'][name]; }

  /**
   * What a screen reader calls one map.
   *
   * @param {HTMLElement} element that takes the keys
   * @param {View} shown
   */
  function name(element, shown) {
    const own = WORDS[shown.lang === 'en' ? 'en' : 'zh'].map;
    element.setAttribute('role', 'application'); // hands the arrows on to us
    element.setAttribute('aria-label', shown.title ? own + ' · ' + shown.title : own);
    element.setAttribute('aria-describedby', HELP_ID);
  }

  /** @param {HTMLElement} container @param {object} given what map_glue.js has */
  function attach(container, given) {
    page = given;
    const hidden = function (className) {
      const made = document.createElement('div');
      made.className = 'visually-hidden ' + className;
      container.appendChild(made);
      return made;
    };
    help = hidden('map-keys-help');
    help.id = HELP_ID;
    live = hidden('map-live');
    live.setAttribute('aria-live', 'polite');
    container.addEventListener('keydown', onKey, true); // before the engines, which would pan
    container.addEventListener('focusout', function () { point(-1); });
    container.addEventListener('pointermove', function () { point(-1); }, true);
  }

  /** @param {View} next */
  function applyView(next) {
    const left = view && view.focus.level === next.level;
    const same = view && view.level === next.level && view.layer === next.layer &&
      view.boundary === next.boundary && view.focus.index === next.focus.index;
    if (!same) cursor = left ? view.focus.index : -1; // on the way up: where one comes from
    view = next;
    if (help) help.textContent = word('help');
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (!view || !event.target.matches('canvas, .map-leaflet')) return; // not a button on the map
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const isTwin = Boolean(event.target.closest('.map-twin'));
    const act = { Escape: page.up, Backspace: page.up, Enter: function () { open(isTwin); } };
    if (act[event.key]) {
      act[event.key]();
    } else if (STEPS[event.key] && !event.shiftKey && view.layer === 'areas' && view.names) {
      move(STEPS[event.key], isTwin);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {boolean} isTwin opens the area under the cursor, else the picked one */
  function open(isTwin) {
    const index = cursor >= 0 ? cursor : view.selected;
    if (index == null) return;
    const shown = page.shownBy(isTwin);
    const names = PinganMap.namesAt(view.names);
    const look = shown.engine.look();
    if (names && names.names[index]) tell(word('into') + ' ' + names.names[index]);
    page.click({ kind: 'click', key: PinganMap.keyOf(view), index: index, lng: look.lng,
      lat: look.lat });
  }

  /** @param {[number, number]} step @param {boolean} isTwin */
  function move(step, isTwin) {
    const asked = view;
    PinganMap.loadNames(view.names).then(function (names) {
      const shown = page.shownBy(isTwin);
      if (view !== asked || !names || !PinganMap.belongs(shown.values, shown.view)) return;
      const look = shown.engine.look();
      const at = cursor >= 0 ? cursor : view.selected;
      const from = at != null && names.lng[at] != null ? [names.lng[at], names.lat[at]] : null;
      const found = nearest(names, shown.values.bands, from || [look.lng, look.lat],
        from ? step : null, at);
      if (found >= 0) point(found, names, isTwin);
    });
  }

  /**
   * The nearest area in a direction, or the nearest of all.
   *
   * @param {Names} names
   * @param {Uint8Array} bands areas out of the focus are passed over
   * @param {[number, number]} from
   * @param {?[number, number]} step
   * @param {?number} at area that one stands on
   * @returns {number} its index, -1 for none
   */
  function nearest(names, bands, from, step, at) {
    const narrow = Math.cos(from[1] * Math.PI / 180);
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < bands.length; i += 1) {
      if (i === at || bands[i] >= PinganMap.BAND.OUTSIDE || names.lng[i] == null) continue;
      const east = (names.lng[i] - from[0]) * narrow;
      const north = names.lat[i] - from[1];
      const ahead = step ? east * step[0] + north * step[1] : 0;
      const aside = step ? Math.abs(east * step[1]) + Math.abs(north * step[0]) :
        Math.hypot(east, north);
      if (step && (ahead <= 0 || aside > ASIDE * ahead)) continue;
      const cost = ahead + ASIDE * aside;
      if (cost < least) {
        least = cost;
        best = i;
      }
    }
    return best;
  }

  /**
   * Point at an area: outline, card and words; it is brought into view.
   *
   * @param {number} index -1 lets go
   * @param {Names} [names]
   * @param {boolean} [isTwin]
   */
  function point(index, names, isTwin) {
    if (index < 0 && cursor < 0) return;
    cursor = index;
    if (index < 0) {
      page.shownBy(false).engine.highlight(-1);
      page.leave(false);
      return;
    }
    const shown = page.shownBy(isTwin);
    const place = [names.lng[index], names.lat[index]];
    const box = shown.engine.container;
    const off = function (at) {
      return at.x < EDGE_PX || at.y < EDGE_PX || at.x > box.clientWidth - EDGE_PX ||
        at.y > box.clientHeight - EDGE_PX;
    };
    if (off(shown.engine.project(place))) shown.engine.centre(place);
    shown.engine.highlight(index);
    page.hover({ kind: 'hover', key: shown.values.key, index: index, note: '',
      point: shown.engine.project(place), lng: place[0], lat: place[1] }, isTwin);
    tell(PinganMap.hoverCard.words(page.sides(shown.values.key), index));
  }

  /** @param {string} text for screen readers */
  function tell(text) { live.textContent = text; }

  /** Who comes back up by keyboard stands on the area just left. */
  document.addEventListener('pingan:painted', function () {
    const focused = document.activeElement;
    const map = focused && focused.closest('.map-canvas, .map-twin');
    if (cursor < 0 || !map || !view.names) return;
    const asked = view;
    PinganMap.loadNames(view.names).then(function (names) {
      if (view === asked && names && cursor >= 0 && names.lng[cursor] != null) {
        point(cursor, names, map.matches('.map-twin'));
      }
    });
  });

  PinganMap.keys = { STEPS: STEPS, attach: attach, applyView: applyView, name: name };
}());
