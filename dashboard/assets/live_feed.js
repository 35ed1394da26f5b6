/* What is new, for a page that is open: asks the server every two seconds for the difference to what
   it has, and tells the page by events on `document`:

     pingan:live        detail: the answer of GET /live
     pingan:live-state  detail: {state: "on" | "off", since: Date}

   One question at a time. A failure waits longer each time, up to 15 seconds and never two pages in
   step; a page that becomes visible or gets its line back asks at once. Plain ES2017, no modules. */
"use strict";

(function () {
  const EVERY = 2000;
  const LONGEST = 15000;
  const TIMEOUT = 10000;
  const FAILURES = 2; // a single one may be a server that is just being restarted

  let every = EVERY;
  let lang = "zh";
  let cursor = "";
  let failures = 0;
  let state = "";
  let timer = 0;
  let asking = null;
  let isStarted = false;

  function tell(name, detail) {
    document.dispatchEvent(new CustomEvent(name, { detail: detail }));
  }

  function turn(next) {
    if (state === next) return;
    state = next;
    tell("pingan:live-state", { state: next, since: new Date() });
  }

  function address() {
    const asked = new URLSearchParams({ lang: lang });
    if (cursor) asked.set("after", cursor);
    return "/live?" + asked;
  }

  function wait(ms) {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, ms);
  }

  /* A page in the background asks seldom: nobody looks, and the browser would slow it anyway. */
  function pause() {
    return document.visibilityState === "hidden" ? Math.max(every, LONGEST) : every;
  }

  function backOff(least) {
    const ms = Math.min(LONGEST, every * Math.pow(2, failures - 1));
    return Math.max(least, ms * (0.5 + Math.random() / 2));
  }

  async function ask() {
    if (asking) return;
    const control = new AbortController();
    const limit = window.setTimeout(function () { control.abort(); }, TIMEOUT);
    asking = control;
    let next = 0;
    try {
      const answer = await fetch(address(), {
        signal: control.signal,
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        headers: { Accept: "application/json" },
      });
      next = await take(answer);
    } catch (error) {
      next = failed(0);
    } finally {
      window.clearTimeout(limit);
      asking = null;
    }
    wait(next);
  }

  async function take(answer) {
    if (answer.status === 429) {
      // Busy, not gone: the line is there.
      failures = Math.max(1, failures);
      return backOff(1000 * (Number(answer.headers.get("Retry-After")) || 1));
    }
    if (answer.status !== 200 && answer.status !== 204) return failed(answer.status);
    let told = null;
    if (answer.status === 200) {
      told = await answer.json();
      cursor = told.cursor;
    }
    failures = 0;
    turn("on");
    if (told) tell("pingan:live", told);
    return told && told.has_more ? 0 : pause();
  }

  function failed(status) {
    failures += 1;
    if (failures >= FAILURES || status === 401 || status === 403 || !navigator.onLine) turn("off");
    return backOff(0);
  }

  function askNow() {
    if (!isStarted || document.visibilityState === "hidden") return;
    failures = 0;
    if (!asking) wait(0);
  }

  window.pinganLive = {
    /* Begin, once; a second call changes the pace and the language, and begins anew where the
       language is another. */
    start: function (options) {
      const chosen = options || {};
      every = chosen.every || EVERY;
      const language = chosen.lang || document.documentElement.lang.slice(0, 2) || "zh";
      if (language !== lang) cursor = "";
      lang = language === "en" ? "en" : "zh";
      if (isStarted) return;
      isStarted = true;
      document.addEventListener("visibilitychange", askNow);
      window.addEventListener("online", askNow);
      window.addEventListener("offline", function () { turn("off"); });
      window.addEventListener("pageshow", askNow);
      wait(0);
    },
    stop: function () {
      isStarted = false;
      window.clearTimeout(timer);
      if (asking) asking.abort();
    },
    state: function () { return state; },
  };
})();
