/**
 * Between Dash and the map engine.
 *
 * Clientside callbacks: `pingan.applyView(view)`, `pingan.applyValues(values)`,
 * `pingan.theme(theme, lang)`. Both may come in any order and before `#map` is in the page.
 * Stores written: `map-event` (click, up, error), `map-hover` (hover, leave), `map-camera`.
 * `#map[data-painted]` names the values last painted.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const round = PinganMap.round;
  const HOVER_MS = 100;
  const RETRY_MS = 40;
  /** Longest time that the panels wait for the map. */
  const PATIENCE_MS = 2500;
  const UNSUPPORTED = {
    zh: ['无法显示地图', '此浏览器未启用 WebGL2。请更新浏览器或显卡驱动，或开启硬件加速；其他图表与表格不受影响。'],
    en: ['The map cannot be drawn', 'This browser has no WebGL2. Update the browser or the graphics ' +
      'driver, or turn on hardware acceleration; all other charts and tables work.']
  };

  let engine = null;
  let twin = null; // of the present container
  let container = null;
  let view = null;
  let values = null; // on the map: the view's own, or a frame of a film
  let ownValues = null;
  let taken = null; // view and values that Dash has, while the map is ahead of it
  let aheadVersion = ''; // version of the values that the map has ahead of Dash
  let waiting = []; // events that Dash would not understand before it has caught up
  let counter = 0;
  let hoverTimer = 0;
  let chosen;
  let address = '';
  let addresses = 0;
  let lastError = '';

  /** @param {string} store @param {object} data */
  function send(store, data) {
    counter += 1; // a second click on the same area must differ from the first
    const dash = window.dash_clientside;
    if (!dash || !dash.set_props) return;
    const told = Object.assign({ counter: counter }, data);
    if (store === 'map-event' && PinganMap.askEvent) PinganMap.askEvent(told);
    dash.set_props(store, { data: told });
  }

  /** @param {MapEvent} event @returns {object} what an event is about, in the server's words */
  function subject(event) {
    const parts = event.key.split(':');
    const cells = parts[0] === 'cells';
    return { kind: event.kind, layer: parts[0], level: cells ? null : parts[1],
      resolution: cells ? Number(parts[1]) : null, index: event.index,
      lng: round(event.lng, 5), lat: round(event.lat, 5) };
  }

  /** @param {object} data what the reader did on the map */
  function act(data) {
    if (taken) waiting.push(data);
    else send('map-event', data);
  }

  /**
   * @param {boolean} isTwin
   * @returns {{view: View, values: DecodedValues, engine: ?Engine}} what a map shows
   */
  function shownBy(isTwin) {
    return isTwin ? twin : { view: view, values: values, engine: engine };
  }

  /** @param {string} key @returns {Side[]} the maps that show it, of the same boundaries */
  function sides(key) {
    const boundary = view.boundary;
    return [shownBy(false), shownBy(true)].filter(function (side) {
      return side.engine && side.values && side.values.key === key &&
        side.view.boundary === boundary;
    });
  }

  /** @returns {HTMLElement} what the card lies in */
  function cardBox() { return container.closest('.map-box') || container; }

  /** @param {object} event @param {boolean} isTwin @returns {object} its point within the card's box */
  function placed(event, isTwin) {
    const own = shownBy(isTwin).engine.container.getBoundingClientRect();
    const box = cardBox().getBoundingClientRect();
    return Object.assign({}, event, { point: { x: event.point.x + own.left - box.left,
      y: event.point.y + own.top - box.top } });
  }

  function onHover(event, isTwin) {
    const shown = shownBy(isTwin);
    if (!shown.values || shown.values.key !== event.key) return; // the next view's are here already
    const both = sides(event.key);
    const lone = !both.some(function (side) { return side.engine === shown.engine; });
    PinganMap.hoverCard.show(cardBox(), placed(event, isTwin), lone ? [shown] : both);
    if (!lone) highlightOther(isTwin, event.index);
    if (isTwin && lone) return; // what the server would say is about the first map
    clearTimeout(hoverTimer);
    hoverTimer = setTimeout(function () { send('map-hover', subject(event)); }, HOVER_MS);
  }

  /** @param {boolean} isTwin which map is pointed at @param {number} index of the area, -1 for none */
  function highlightOther(isTwin, index) {
    const other = twin && twin.engine && shownBy(!isTwin).engine;
    if (other) other.highlight(index);
  }

  function onLeave(event, isTwin) {
    PinganMap.hoverCard.hide();
    highlightOther(isTwin, -1);
    clearTimeout(hoverTimer);
    hoverTimer = setTimeout(function () { send('map-hover', { kind: 'leave' }); }, HOVER_MS);
  }

  function onUp() {
    if (!PinganMap.wayBack.leave()) act({ kind: 'up' });
  }

  function onCamera(event, isTwin) {
    const other = event.reset && twin && twin.engine && shownBy(!isTwin).engine;
    if (other) other.fit();
    const camera = PinganMap.hand.told(event);
    view = PinganMap.hand.moved(view, camera);
    PinganMap.wayBack.moved(camera);
    send('map-camera', camera);
  }

  function onPainted(event, isTwin) {
    if (isTwin) {
      container.dataset.twinPainted = event.version;
      return;
    }
    container.dataset.painted = event.version;
    container.dataset.shown = event.key;
    performance.clearMarks('pingan:painted'); // the browser keeps them for ever
    performance.clearMeasures('pingan:apply-to-paint');
    performance.mark('pingan:painted', { detail: { version: event.version, key: event.key } });
    performance.measure('pingan:apply-to-paint', { start: performance.getEntriesByName(
      'pingan:applied').pop().startTime, detail: { version: event.version } });
    document.dispatchEvent(new CustomEvent('pingan:painted', { detail: event }));
    settled();
  }

  const handlers = {
    click: function (event) { act(subject(event)); },
    up: onUp,
    error: function (event) {
      if (event.message === lastError) return; // a tile server that is down fails for every tile
      lastError = event.message;
      console.warn('map: ' + event.message);
      send('map-event', { kind: 'error', message: event.message.slice(0, 200) });
    },
    hover: onHover,
    move: function (event, isTwin) {
      PinganMap.hoverCard.move(cardBox(), placed(event, isTwin));
    },
    moving: function (event, isTwin) {
      if (isTwin && engine) engine.follow([event.lng, event.lat, event.zoom]);
      else if (twin) twin.follow(event);
    },
    leave: onLeave,
    camera: onCamera,
    painted: onPainted
  };

  /**
   * GL where hardware draws it, else the canvas; `?renderer=` asks for one of them.
   *
   * @returns {?string} name of the engine to use; asked once, as a test costs a GL context
   */
  function chooseEngine() {
    if (chosen !== undefined) return chosen;
    const asked = new URLSearchParams(window.location.search).get('renderer');
    const engines = PinganMap.engines;
    const usable = [asked, 'gl', 'canvas'].filter(function (name) {
      return Object.hasOwn(engines, name) && engines[name].supported();
    });
    chosen = usable.find(function (name) {
      return name === asked || !(engines[name].software && engines[name].software());
    }) || usable[0] || null;
    return chosen;
  }

  /** @param {HTMLElement} box says in place of the map why there is none */
  function showUnsupported(box) {
    const words = UNSUPPORTED[document.documentElement.lang.startsWith('en') ? 'en' : 'zh'];
    const panel = document.createElement('div');
    panel.className = 'map-unsupported';
    panel.setAttribute('role', 'alert');
    words.forEach(function (text, at) {
      const line = document.createElement(at ? 'p' : 'strong');
      line.textContent = text;
      panel.appendChild(line);
    });
    box.replaceChildren(panel);
    document.dispatchEvent(new CustomEvent('pingan:nomap'));
  }

  /** Mount an engine in the present `#map`; a re-rendered page has a new one. */
  function ensureEngine() {
    const found = document.getElementById('map');
    if (!found) {
      setTimeout(ensureEngine, RETRY_MS);
      return;
    }
    if (found === container) return;
    if (engine) engine.destroy();
    if (twin) twin.remove();
    engine = null;
    twin = null;
    container = found;
    const name = chooseEngine();
    if (!name) {
      showUnsupported(container);
      return;
    }
    const canvas = document.createElement('div');
    canvas.className = 'map-canvas';
    container.appendChild(canvas); // Dash owns #map itself; the engine gets a child of its own
    container.dataset.renderer = name;
    engine = createEngine(name, canvas, false);
    twin = new PinganMap.Twin(container, function (box) { return createEngine(name, box, true); });
    PinganMap.keys.attach(container, { shownBy: shownBy, sides: sides, click: handlers.click,
      up: onUp, hover: onHover, leave: onLeave.bind(null, null) });
    if (view) show(view);
    if (values) showValues(values);
  }

  /** @returns {Engine} */
  function createEngine(name, box, isTwin) {
    return PinganMap.engines[name].create(box, function (event) {
      handlers[event.kind](event, isTwin);
    });
  }

  function show(next) {
    if (!engine) return;
    PinganMap.keys.applyView(next);
    engine.applyView(next);
    twin.applyView(next);
  }

  function showValues(next) {
    if (!engine) return;
    engine.applyValues(next);
    twin.applyValues(next.other || null);
  }

  /** @returns {*} what a clientside callback returns to change nothing */
  function nothing() { return window.dash_clientside.no_update; }

  function applyView(next) {
    if (next) {
      const ahead = taken && JSON.stringify(next) === taken.next;
      taken = null;
      if (!ahead) takeView(PinganMap.hand.kept(next, view));
      if (container && container.dataset.painted === view.values) settled(); // nothing to paint
      const held = waiting;
      waiting = [];
      held.forEach(function (data) { setTimeout(function () { send('map-event', data); }, 0); });
    }
    return nothing();
  }

  /** @param {View} next */
  function takeView(next) {
    setPage(next.theme, next.lang);
    document.documentElement.dataset.palette = next.scheme || '';
    view = next;
    PinganMap.wayBack.applyView(view);
    ensureEngine();
    show(view);
    PinganMap.play.applyView(view);
  }

  /**
   * View and values of an answer that Dash has not taken yet.
   *
   * @param {View} [nextView]
   * @param {Values} [nextValues] none where they stay
   * @returns {boolean} whether there is something to wait for
   */
  PinganMap.takeAhead = function (nextView, nextValues) {
    if (!nextView || !document.getElementById('map')) return false;
    ensureEngine();
    if (!engine) return false;
    taken = { view: view, values: ownValues, next: JSON.stringify(nextView) };
    takeView(PinganMap.hand.kept(nextView, view));
    if (nextValues) {
      takeValues(nextValues);
      aheadVersion = nextValues.version;
    }
    return container.dataset.painted !== view.values;
  };

  /** @returns {boolean} whether the map shows an answer that Dash has not taken yet */
  PinganMap.isAhead = function () { return Boolean(taken); };

  /** Go back to what Dash has: the answer taken ahead will never reach it. */
  PinganMap.dropAhead = function () {
    if (!taken) return;
    const before = taken;
    taken = null;
    aheadVersion = '';
    if (!before.view) return; // the first answer: nothing to go back to
    takeView(before.view);
    ownValues = values = before.values;
    showValues(values);
  };

  /** A map is asked for: what is ahead of Dash is dropped, and the answer tells of this view. */
  PinganMap.askedFor = function () {
    PinganMap.dropAhead();
    PinganMap.hand.ask(view);
  };

  /** @param {Values} next */
  function takeValues(next) {
    ownValues = values = PinganMap.decodeValues(next);
    ensureEngine();
    showValues(values);
  }

  /**
   * Counts the times that a link, a bookmark or the way back changes the address: what an answer
   * of the server has set is on the map already.
   *
   * @param {string} search
   * @param {string} path the map is the page at `/`; behind others no view comes
   * @param {?View} held the last view that came
   * @returns {number} or Dash's sign to change nothing
   */
  function addressChanged(search, path, held) {
    const isMap = (path || '/') === '/';
    if (isMap && held && held.search === (search || '')) return nothing();
    addresses += 1;
    return addresses;
  }

  function applyValues(next) {
    if (next) {
      if (next.version !== aheadVersion) takeValues(next);
      aheadVersion = '';
      if (container && container.dataset.painted === values.version) settled(); // nothing to paint
    }
    return nothing();
  }

  /** @param {?DecodedValues} frame values of another window; null goes back to the view's own */
  PinganMap.showFrame = function (frame) {
    values = frame || ownValues;
    if (!values || !engine) return;
    engine.applyValues(values);
    twin.sayFirst(frame && frame.title); // the second map stands still meanwhile
  };

  function settled() { document.dispatchEvent(new CustomEvent('pingan:settled')); }

  /**
   * The address for the panels: at once on load, later only when the map has painted the view,
   * because tables and charts would take the processor from it.
   *
   * @param {?View} next
   * @param {string} search as it was asked for: the panels say what in it is not understood
   * @returns {string|Promise<string>}
   */
  function afterPaint(next, search) {
    if (!next) return nothing();
    address = search || '';
    if (!container || !container.dataset.painted || document.hidden) return address;
    return new Promise(function (resolve) {
      function done() {
        document.removeEventListener('pingan:settled', done);
        clearTimeout(timer);
        resolve(address); // the newest, should the reader have moved on meanwhile
      }
      const timer = setTimeout(done, PATIENCE_MS);
      document.addEventListener('pingan:settled', done);
    });
  }

  /** @param {string} theme @returns {string} `auto` settled by the reader's own setting */
  function settledTheme(theme) {
    const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
    return theme === 'auto' ? (dark ? 'dark' : 'light') : theme;
  }

  function setPage(theme, lang) {
    const page = document.documentElement;
    const tongue = lang === 'en' ? 'en' : 'zh-CN';
    if (theme) page.dataset.theme = settledTheme(theme);
    if (lang && page.lang !== tongue) page.lang = tongue; // set anew, it restyles the whole page
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    pingan: {
      addressChanged: addressChanged,
      applyView: applyView,
      applyValues: applyValues,
      afterPaint: afterPaint,
      theme: function (theme, lang) {
        setPage(theme, lang);
        if (view && (theme !== view.theme || lang !== view.lang)) {
          applyView(Object.assign({}, view, { theme: theme || view.theme, lang: lang || view.lang }));
        }
        return nothing();
      }
    }
  });

  // The library is large: fetch it while Dash is still asking for the layout.
  const early = chooseEngine();
  if (early && PinganMap.engines[early].preload) {
    PinganMap.engines[early].preload().catch(function () { /* said when the map mounts */ });
  }
}());
