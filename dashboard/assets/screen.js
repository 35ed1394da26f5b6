/* The wall: fits the stage to the screen, turns the scenes, keeps clock and live figures, fetches the
   scenes anew when the data change, and goes on by itself whatever happens to the line.

   One timer (a beat each second) and one listener per kind of event, set once: a day and night leave
   nothing behind. live_feed.js asks what is new; situation_map.js draws it on the map. */
(function () {
  "use strict";

  const body = document.body;
  const stage = document.querySelector("[data-stage]");
  const holder = document.querySelector("[data-scenes]");
  const tabs = [...document.querySelectorAll("[data-go]")];
  const pause = document.querySelector("[data-pause]");
  const sign = document.querySelector("[data-sign]");
  const ticks = [...document.querySelectorAll("[data-ticker] li")];
  const isWide = stage.classList.contains("is-wide");
  const told = body.dataset;

  const REFRESH_MS = 5 * 60 * 1000; // spans such as “3 h left” grow old
  const LEAST_MS = 5000; // between two fetches of the scenes
  const PROBE_MS = 15000; // while the line is lost
  const QUIET_MINUTE = 4 * 60 + Math.floor(Math.random() * 30); // soft reload, city's time
  const FRESH_MS = 30000;
  const AWAY = 6 * 60 * 60 * 1000; // a page younger than this is not reloaded at night

  const locale = told.lang === "en" ? "en-GB" : "zh-CN";
  const dated = new Intl.DateTimeFormat(locale, { timeZone: told.zone, month: "long", day: "numeric", weekday: "short" });
  const timed = new Intl.DateTimeFormat("en-GB", { timeZone: told.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dayed = new Intl.DateTimeFormat("en-CA", { timeZone: told.zone, year: "numeric", month: "2-digit", day: "2-digit" });

  const started = Date.now();
  const state = {
    ahead: Number(told.now) - started, // how far the server's clock is ahead of this one
    scene: "",
    since: started,
    isPaused: false,
    fetched: started,
    isFetching: false,
    isWanted: false, // the scenes are out of date
    revision: null,
    day: "",
    off: null,
    isOut: false,
    isReloading: false,
    mustReload: false,
    tried: 0,
    latest: [],
    freshUntil: 0,
    counts: null,
  };

  const now = () => new Date(Date.now() + state.ahead);
  const find = (selector) => holder.querySelector(selector);
  const board = () => find(".board");
  const list = () => board().dataset.list.split(",").filter((name) => name && !(isWide && name === "overview"));

  function write(node, text) {
    if (node && node.textContent !== text) node.textContent = text;
  }

  /* --- stage ---------------------------------------------------------------------------------- */
  function fit() {
    const width = Number(stage.dataset.width);
    const height = Number(stage.dataset.height);
    const scale = Math.min(window.innerWidth / width, window.innerHeight / height);
    const x = (window.innerWidth - width * scale) / 2;
    const y = (window.innerHeight - height * scale) / 2;
    stage.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.add("is-fitted");
  }

  /* --- scenes --------------------------------------------------------------------------------- */
  function remember() {
    try {
      sessionStorage.setItem("wall", JSON.stringify([state.scene, state.isPaused]));
    } catch (error) { /* a wall without storage begins at the first scene */ }
  }

  function go(name) {
    const known = list();
    state.scene = known.includes(name) ? name : known[0] || "";
    state.since = Date.now();
    mark();
    remember();
    if (state.mustReload) reload();
  }

  function mark() {
    holder.dataset.now = state.scene;
    const known = list();
    for (const tab of tabs) {
      tab.hidden = !known.includes(tab.dataset.go);
      if (tab.dataset.go === state.scene) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }

  function turn(by) {
    const known = list();
    if (known.length) go(known[(known.indexOf(state.scene) + by + known.length) % known.length]);
  }

  function hold(isPaused) {
    state.isPaused = isPaused;
    state.since = Date.now();
    const label = isPaused ? told.play : told.pause;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.setAttribute("aria-label", label);
    pause.title = label;
    pause.querySelector("span").hidden = !isPaused;
    stage.style.setProperty("--part", "1");
    remember();
  }

  /* --- what the server draws ------------------------------------------------------------------ */
  function address() {
    const asked = new URLSearchParams(window.location.search);
    asked.set("part", "scenes");
    return `${window.location.pathname}?${asked}`;
  }

  async function fetchScenes() {
    if (state.isFetching || Date.now() - state.fetched < LEAST_MS) {
      state.isWanted = true;
      return;
    }
    state.isFetching = true;
    state.isWanted = false;
    state.fetched = Date.now();
    try {
      const answer = await fetch(address(), {
        cache: "no-store",
        credentials: "same-origin",
        headers: { Accept: "application/json" }, // a wall that is signed out gets 401, no page
        signal: AbortSignal.timeout(20000),
      });
      if (answer.status === 401 || answer.status === 403) lose(true);
      else if (answer.ok) swap(await answer.text());
      else state.isWanted = true;
    } catch (error) {
      state.isWanted = true;
    } finally {
      state.isFetching = false;
    }
  }

  function swap(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector(".board");
    if (!fresh) return;
    // Only the panels of a scene fade in; a swap shows them at once.
    fresh.classList.add("is-swapped");
    holder.replaceChildren(document.adoptNode(fresh));
    if (!list().includes(state.scene)) go("");
    else mark();
    showCounts();
    showWarned();
    document.dispatchEvent(new CustomEvent("pingan:situation"));
  }

  async function reload() {
    if (state.isReloading) return;
    state.isReloading = true;
    state.tried = Date.now();
    try {
      const answer = await fetch(window.location.href, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(20000) });
      if (answer.ok) window.location.reload();
    } catch (error) { /* the line is lost: what is on the wall stays */ }
    state.isReloading = false;
  }

  /* --- what is new ---------------------------------------------------------------------------- */
  function showCounts() {
    if (!state.counts) return;
    write(find("[data-today]"), state.counts.today.toLocaleString("en"));
    write(find("[data-hour].detail"), told.hour.replace("{n}", state.counts.hour.toLocaleString("en")));
    const held = state.counts.quarantined;
    write(find("[data-held]"), held ? told.held.replace("{n}", held.toLocaleString("en")) : "");
  }

  function showTicker() {
    document.querySelector("[data-ticker-none]").hidden = state.latest.length > 0;
    const isFresh = Date.now() < state.freshUntil;
    ticks.forEach((tick, at) => {
      const one = state.latest[at];
      tick.hidden = !one;
      if (!one) return;
      const [time, what, where] = tick.children;
      write(time, one.at);
      write(what, one.class);
      write(where, one.place);
      tick.classList.toggle("is-fresh", at === 0 && isFresh);
    });
  }

  /* The warning that was opened or moved last stands beside the incidents in every scene. */
  function showWarned() {
    const newest = find("[data-newest]");
    const slot = document.querySelector("[data-warned]");
    slot.hidden = !newest;
    slot.replaceChildren(...(newest ? newest.cloneNode(true).childNodes : []));
  }

  function take(event) {
    const detail = event.detail;
    const server = Date.parse(detail.at);
    if (Number.isFinite(server)) state.ahead = server - Date.now();
    if (detail.counts) state.counts = detail.counts;
    const removed = new Set(detail.removed || []);
    const arrived = detail.incidents || [];
    const seqs = new Set(arrived.map((one) => one.seq));
    const kept = state.latest.filter((one) => !removed.has(one.seq) && !seqs.has(one.seq));
    state.latest = [...arrived.slice(-ticks.length).reverse(), ...kept].slice(0, ticks.length);
    if (arrived.some((one) => one.is_new)) state.freshUntil = Date.now() + FRESH_MS;
    showCounts();
    showTicker();
    const revision = detail.warnings ? detail.warnings.revision : state.revision;
    if (state.revision !== null && revision !== state.revision) state.isWanted = true;
    state.revision = revision;
    if (detail.snapshot && detail.snapshot !== board().dataset.snapshot) state.isWanted = true;
    if (detail.code) {
      // The first answer of a server tells its version; the page may be older than that.
      if (state.code && detail.code !== state.code) state.mustReload = true;
      state.code = state.code || detail.code;
    }
    if (state.isWanted) fetchScenes();
  }

  /* --- the line ------------------------------------------------------------------------------- */
  function lose(isOut) {
    state.off = state.off || now();
    state.isOut = isOut;
    write(sign, (isOut ? told.out : told.off).replace("{since}", timed.format(state.off)));
    sign.hidden = false;
  }

  function line(event) {
    if (event.detail.state === "off") {
      lose(state.isOut);
      fetchScenes(); // tells a lost line from a session that has ended
      return;
    }
    const wasOff = state.off !== null;
    state.off = null;
    state.isOut = false;
    sign.hidden = true;
    if (wasOff) fetchScenes();
  }

  /* --- the beat ------------------------------------------------------------------------------- */
  function beat() {
    const moment = now();
    write(document.querySelector("[data-date]"), dated.format(moment));
    write(document.querySelector("[data-time]"), timed.format(moment));
    const day = dayed.format(moment);
    if (state.day && day !== state.day) state.isWanted = true; // midnight
    state.day = day;

    const gone = Date.now() - state.since;
    const dwell = Number(told.dwell) * 1000;
    if (!state.isPaused) {
      if (gone >= dwell) turn(1);
      else stage.style.setProperty("--part", (gone / dwell).toFixed(3));
    }
    if (state.freshUntil && Date.now() > state.freshUntil) {
      state.freshUntil = 0;
      showTicker();
    }
    const age = Date.now() - state.fetched;
    const isLost = state.off !== null;
    if (age > (isLost ? PROBE_MS : REFRESH_MS) || (state.isWanted && age > LEAST_MS)) fetchScenes();
    nightly(moment);
  }

  /* Once a night the page is loaded anew, if it can be; so it is after an update of the program. */
  function nightly(moment) {
    const [hour, minute] = timed.format(moment).split(":").map(Number);
    const isTime = hour * 60 + minute === QUIET_MINUTE && Date.now() - started > AWAY;
    const isHeld = state.mustReload && state.isPaused;
    if ((isTime || isHeld) && state.off === null && Date.now() - state.tried > 60000) reload();
  }

  /* --- hands ---------------------------------------------------------------------------------- */
  const KEYS = {
    " ": () => hold(!state.isPaused),
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  };

  function press(event) {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); // a focused button would be pressed too
    act();
  }

  function click(event) {
    const tab = event.target.closest("[data-go]");
    if (tab) go(tab.dataset.go);
    else if (!event.target.closest("a")) hold(!state.isPaused);
  }

  told.pause = pause.getAttribute("aria-label");
  told.play = pause.dataset.play;
  let before = ["", false];
  try {
    before = JSON.parse(sessionStorage.getItem("wall")) || before;
  } catch (error) { /* nothing is remembered */ }
  fit();
  showWarned();
  go(before[0]);
  if (before[1]) hold(true);
  window.addEventListener("resize", fit);
  document.addEventListener("keydown", press);
  document.addEventListener("click", click);
  document.addEventListener("pingan:live", take);
  document.addEventListener("pingan:live-state", line);
  window.setInterval(beat, 1000);
  beat();
  if (window.pinganLive) window.pinganLive.start({ every: Number(told.every), lang: told.lang });
})();
