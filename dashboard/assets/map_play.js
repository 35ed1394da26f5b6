/**
 * Plays the last windows on the map: values alone travel, once; geometry stays. Over the slider
 * stands a bar for each window, as high as its incidents in the area in view.
 *
 * `#map-play` holds the controls; the film is fetched when first wanted and dropped with the view.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const FRAME_MS = [500, 250, 125]; // two, four and eight frames a second
  const WORDS = {
    zh: { play: '播放', pause: '暂停', back: '上一帧', on: '下一帧', speed: '速度', close: '关闭播放',
      hold: '定格到此期', loading: '正在载入…', none: '此图层不能播放', open: '播放近期变化', at: '第几帧',
      count: ' 件', unknown: '暂无数据' },
    en: { play: 'Play', pause: 'Pause', back: 'Frame before', on: 'Next frame', speed: 'Speed',
      close: 'Close the player', hold: 'Show this period', loading: 'Loading…',
      none: 'This layer cannot be played', open: 'Play the last periods', at: 'Frame',
      count: ' incidents', unknown: 'No data' }
  };

  let box = null;
  let view = null;
  let film = null; // DecodedValues with label and title
  let at = 0;
  let speed = 0;
  let timer = 0;
  const parts = {};

  /** @param {string} name @returns {string} */
  function word(name) {
    return WORDS[document.documentElement.lang.startsWith('en') ? 'en' : 'zh'][name];
  }

  function button(name, sign, act) {
    const made = document.createElement('button');
    made.type = 'button';
    made.className = 'play-' + name;
    made.textContent = sign;
    made.title = word(name);
    made.setAttribute('aria-label', word(name));
    made.addEventListener('click', act);
    parts[name] = made;
    return made;
  }

  function build() {
    parts.range = document.createElement('input');
    parts.range.type = 'range';
    parts.range.min = '0';
    parts.range.setAttribute('aria-label', word('at'));
    parts.range.addEventListener('input', function () { stop(); show(Number(parts.range.value)); });
    parts.bars = document.createElement('div');
    parts.bars.className = 'play-bars';
    parts.bars.setAttribute('aria-hidden', 'true'); // the slider says the same
    parts.bars.addEventListener('click', function (event) {
      stop();
      show(nearest(event.clientX));
    });
    const track = document.createElement('div');
    track.className = 'play-track';
    track.append(parts.bars, parts.range);
    parts.count = document.createElement('span');
    parts.count.className = 'play-count';
    parts.title = document.createElement('span');
    parts.title.className = 'play-title';
    parts.title.setAttribute('role', 'status');
    const head = document.createElement('div');
    head.className = 'play-head';
    head.append(parts.title, parts.count);
    const bar = document.createElement('div');
    bar.className = 'play-bar';
    bar.append(head, button('back', '‹', function () { stop(); show(at - 1); }), button('play', '', toggle),
      button('on', '›', function () { stop(); show(at + 1); }), track,
      button('speed', '1×', faster), button('hold', '✓', hold), button('close', '×', close));
    parts.bar = bar;
    box.replaceChildren(button('open', '▶ ' + word('open'), open), bar);
    bar.hidden = true;
  }

  function open() {
    parts.open.hidden = true;
    parts.bar.hidden = false;
    parts.title.textContent = word('loading');
    load().then(function (found) {
      if (!found) return;
      parts.range.max = String(film.length - 1);
      drawBars();
      if (film.length) start();
      else parts.title.textContent = word('none');
    }).catch(function (error) {
      console.warn('map: ' + error.message);
      parts.title.textContent = word('none');
    });
  }

  /** @returns {Promise<boolean>} false when the view has changed meanwhile */
  function load() {
    const wanted = view.search;
    return fetch('/frames' + wanted, { credentials: 'same-origin' }).then(function (answer) {
      if (!answer.ok) throw new Error('frames: ' + answer.status);
      return answer.json();
    }).then(function (sent) {
      if (view.search !== wanted) return false;
      film = sent.frames.map(function (frame) {
        return Object.assign(PinganMap.decodeValues(frame), { label: frame.label,
          title: frame.title, total: frame.total, version: 'frame ' + frame.label });
      });
      at = 0;
      return true;
    });
  }

  /** A frame's total in words; empty where none is sent, which is not the same as none. */
  function counted(frame) {
    if (frame.total === undefined) return '';
    const lang = document.documentElement.lang;
    return frame.total === null ? word('unknown')
      : frame.total.toLocaleString(lang) + word('count');
  }

  /** Bars from zero, each over the place of the slider's thumb at its frame. */
  function drawBars() {
    const most = Math.max(1, ...film.map(function (frame) { return frame.total || 0; }));
    parts.bars.hidden = film.length < 2 || film[0].total === undefined;
    if (parts.bars.hidden) return;
    parts.bars.style.setProperty('--bars', String(film.length));
    parts.bars.replaceChildren(...film.map(function (frame) {
      const bar = document.createElement('i');
      if (frame.total === null) bar.className = 'is-unknown';
      else bar.style.height = (100 * frame.total / most) + '%';
      bar.title = frame.title + ' · ' + counted(frame);
      return bar;
    }));
  }

  /** @param {number} x of the pointer @returns {number} the frame whose bar is nearest to it */
  function nearest(x) {
    const box = parts.bars.getBoundingClientRect();
    return Math.floor(film.length * (x - box.left) / box.width);
  }

  /** @param {number} index */
  function show(index) {
    if (!film || !film.length) return;
    at = Math.max(0, Math.min(film.length - 1, index));
    PinganMap.showFrame(film[at]);
    parts.range.value = String(at);
    const total = counted(film[at]);
    parts.range.setAttribute('aria-valuetext', film[at].title + (total && ', ' + total));
    parts.title.textContent = film[at].title;
    parts.count.textContent = total;
    Array.from(parts.bars.children).forEach(function (bar, index) {
      bar.classList.toggle('is-shown', index === at);
    });
  }

  function start() {
    if (at >= film.length - 1) at = -1;
    sign(true);
    const step = function () {
      show(at + 1);
      if (at < film.length - 1) timer = setTimeout(step, FRAME_MS[speed]);
      else stop();
    };
    step();
  }

  function stop() {
    clearTimeout(timer);
    timer = 0;
    sign(false);
  }

  /** @param {boolean} playing */
  function sign(playing) {
    parts.play.classList.toggle('is-playing', playing); // fonts lack the sign of a pause
    parts.play.title = word(playing ? 'pause' : 'play');
    parts.play.setAttribute('aria-label', parts.play.title);
  }

  function toggle() {
    if (timer) stop();
    else if (film && film.length) start();
  }

  function faster() {
    speed = (speed + 1) % FRAME_MS.length;
    parts.speed.textContent = Math.pow(2, speed) + '×';
  }

  /** The whole page follows to the period on screen. */
  function hold() {
    if (!film || !film.length) return;
    stop();
    window.dash_clientside.set_props('end', { value: film[at].label });
  }

  function close() {
    stop();
    film = null;
    parts.bar.hidden = true;
    parts.open.hidden = false;
    PinganMap.showFrame(null);
  }

  PinganMap.play = {
    /** @param {View} next a film belongs to one view */
    applyView: function (next) {
      const found = document.getElementById('map-play');
      if (!found) return;
      const lang = document.documentElement.lang;
      if (found !== box || found.dataset.lang !== lang) {
        box = found;
        box.dataset.lang = lang;
        film = null;
        build();
      } else if (view && view.search !== next.search && !parts.bar.hidden) {
        stop();
        film = null;
        parts.bar.hidden = true;
        parts.open.hidden = false;
      }
      view = next;
    }
  };
}());
