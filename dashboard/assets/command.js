/* The desk: keys, selection, clocks that run, the ticker, and a queue that renews itself. The page
   works without it; nothing here knows a warning, all comes from the server as it is drawn there. */
"use strict";

(function () {
  const TICKER = 50;
  const MINUTE = 60000;
  const PARTS = ["queue-head", "queue-sieves", "queue-chosen", "queue-pager", "queue-batch"];

  const desk = document.getElementById("desk");
  const find = function (id) { return document.getElementById(id); };
  const all = function (what, where) { return Array.from((where || document).querySelectorAll(what)); };
  const fill = function (text, values) {
    return text.replace(/\{(\w+)\}/g, function (_, name) { return values[name]; });
  };

  /* --- selection ------------------------------------------------------------------------------ */
  let lastBox = "";
  const boxes = function () { return all("#lines input[name=id]"); };
  const rowOf = function (one) { return one && one.closest ? one.closest("#lines tr") : null; };

  function count() {
    const chosen = boxes().filter(function (box) { return box.checked; });
    const told = find("selected");
    const select = find("select-all");
    if (told) told.textContent = chosen.length ? fill(desk.dataset.selected, { n: chosen.length }) : "";
    if (!select) return;
    select.closest("label").hidden = false;
    select.checked = chosen.length > 0 && chosen.length === boxes().length;
    select.indeterminate = chosen.length > 0 && chosen.length < boxes().length;
  }

  function selectRange(row, checked) {
    const known = boxes();
    const ends = [lastBox, row.id].map(function (id) {
      return known.findIndex(function (box) { return rowOf(box).id === id; });
    });
    if (ends[0] < 0 || ends[1] < 0) return;
    known.slice(Math.min(ends[0], ends[1]), Math.max(ends[0], ends[1]) + 1)
      .forEach(function (box) { box.checked = checked; });
  }

  document.addEventListener("click", function (event) {
    const box = event.target.closest("#lines input[name=id]");
    if (!box) return;
    if (event.shiftKey && lastBox) selectRange(rowOf(box), box.checked);
    lastBox = rowOf(box).id;
  });
  document.addEventListener("change", function (event) {
    if (event.target.id === "select-all") {
      boxes().forEach(function (box) { box.checked = event.target.checked; });
    }
    if (event.target.closest("#batch")) count();
  });

  /* --- keys ----------------------------------------------------------------------------------- */
  function move(by) {
    const rows = all("#lines tr");
    const at = rows.indexOf(rowOf(document.activeElement));
    const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (!next) return;
    next.querySelector(".go").focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function press() {
    const row = rowOf(document.activeElement);
    const box = row && row.querySelector("input[name=id]");
    if (!box) return;
    box.checked = !box.checked;
    lastBox = row.id;
    count();
  }

  const KEYS = {
    j: function () { move(1); },
    k: function () { move(-1); },
    ArrowDown: function () { move(1); },
    ArrowUp: function () { move(-1); },
    x: press,
    a: function () { if (find("to")) find("to").focus(); },
    "/": function () { find("sieves").open = true; find("queue-sieves").querySelector("a").focus(); },
    "?": function () { find("keys").showModal(); },
  };

  document.addEventListener("keydown", function (event) {
    const key = KEYS[event.key];
    const typed = event.target.closest("select, textarea, input:not([type=checkbox]), dialog, .ticker");
    if (!key || typed || event.ctrlKey || event.metaKey || event.altKey || find("keys").open) return;
    const isArrow = event.key.startsWith("Arrow");
    if (isArrow && !rowOf(document.activeElement)) return; // elsewhere arrows scroll the page
    event.preventDefault();
    key();
  });

  /* --- clocks --------------------------------------------------------------------------------- */
  function span(seconds) {
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    const days = Math.floor(hours / 24);
    if (days) return fill(desk.dataset.days, { d: days, h: hours % 24 });
    return fill(desk.dataset.hours, { h: hours, m: minutes % 60 });
  }

  function tick() {
    const now = Date.now() / 1000;
    all("[data-due]").forEach(function (one) {
      const left = Number(one.dataset.due) - now;
      const text = fill(left < 0 ? desk.dataset.over : desk.dataset.left, { t: span(Math.abs(left)) });
      if (one.textContent !== text) one.textContent = text;
      one.classList.toggle("is-late", left < 0);
    });
  }

  /* --- renewal -------------------------------------------------------------------------------- */
  let revision = null;
  let isRenewing = false;
  let isWanted = false;

  function same(one, other) {
    // Clocks run by themselves, and the box is the reader's.
    return one.dataset.version === other.dataset.version &&
      one.querySelector(".what").textContent === other.querySelector(".what").textContent &&
      Boolean(one.querySelector("input")) === Boolean(other.querySelector("input"));
  }

  /* Lay the new lines over the old ones: what is the same stays the same element. */
  function layLines(old, next) {
    let changed = 0;
    const known = new Map(all("tr", old).map(function (row) { return [row.id, row]; }));
    const rows = all("tr", next).map(function (row) {
      const before = known.get(row.id);
      if (before && same(before, row)) return before;
      const made = document.importNode(row, true);
      const box = before && before.querySelector("input:checked");
      if (box && made.querySelector("input")) made.querySelector("input").checked = true;
      made.classList.add("is-changed");
      made.querySelector(".go").dataset.new = desk.dataset.new;
      changed += 1;
      return made;
    });
    const kept = new Set(rows);
    all("tr", old).forEach(function (row) { if (!kept.has(row)) row.remove(); });
    rows.forEach(function (row, at) { if (old.children[at] !== row) old.insertBefore(row, old.children[at] || null); });
    return changed;
  }

  function layPart(id, next) {
    const old = find(id);
    const made = next.querySelector("#" + id);
    if (!old || !made || old.innerHTML === made.innerHTML) return;
    const values = all("select", old).map(function (one) { return [one.id, one.value]; });
    old.innerHTML = made.innerHTML;
    values.forEach(function (pair) {
      const select = find(pair[0]);
      if (select && all("option", select).some(function (one) { return one.value === pair[1]; })) select.value = pair[1];
    });
  }

  function lay(next) {
    const active = document.activeElement;
    const row = rowOf(active);
    const held = { id: active.id, row: row && row.id, isBox: active.matches("input[name=id]") };
    const scroll = [window.scrollX, window.scrollY];
    const queue = find("queue");
    let changed = 0;
    PARTS.forEach(function (id) { layPart(id, next); });
    if (find("lines") && next.querySelector("#lines")) {
      changed = layLines(find("lines"), next.querySelector("#lines"));
      find("batch-key").value = next.querySelector("#batch-key").value;
    } else if (find("lines") || next.querySelector("#lines")) {
      find("batch").innerHTML = next.querySelector("#batch").innerHTML;
    }
    const made = next.querySelector("#queue");
    ["total", "open", "late"].forEach(function (name) { queue.dataset[name] = made.dataset[name]; });
    find("count-open").textContent = made.dataset.open;
    find("count-late").textContent = made.dataset.late;
    count();
    tick();
    restore(held);
    window.scrollTo(scroll[0], scroll[1]);
    return changed;
  }

  function restore(held) {
    const row = held.row && find(held.row);
    const wanted = row ? row.querySelector(held.isBox ? "input" : ".go") : held.id && find(held.id);
    if (wanted && wanted !== document.activeElement) wanted.focus({ preventScroll: true });
  }

  function renew() {
    isWanted = true;
    if (isRenewing) return;
    isRenewing = true;
    isWanted = false;
    const asked = new URLSearchParams(window.location.search);
    asked.delete("told");
    asked.set("part", "queue");
    fetch("/command?" + asked, { headers: { Accept: "text/html" }, credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : Promise.reject(new Error(answer.status)); })
      .then(function (text) {
        const changed = lay(new DOMParser().parseFromString(text, "text/html"));
        if (changed) say(fill(desk.dataset.changed, { n: changed }));
        find("queue").dataset.renewed = Number(find("queue").dataset.renewed || 0) + 1;
      })
      .catch(function () { revision = null; }) // the next difference asks again
      .finally(function () {
        isRenewing = false;
        if (isWanted) renew();
      });
  }

  /* --- what arrives --------------------------------------------------------------------------- */
  function say(text) { find("live-text").textContent = text; }
  const clock = function (at) { return at.slice(11, 19); };

  function arrived(one) {
    const made = document.createElement("li");
    const time = document.createElement("time");
    const place = document.createElement("a");
    const what = document.createElement("span");
    made.dataset.seq = one.seq;
    if (one.is_new) made.className = "is-new";
    time.textContent = one.at;
    place.textContent = one.place;
    place.href = find("ticker").dataset.href.replace("AREA", encodeURIComponent(one.area.replace(":", ".")));
    what.append(one.class + " · ", place);
    made.append(time, what);
    return made;
  }

  function arrive(told) {
    const ticker = find("ticker");
    all("li.hint", ticker).forEach(function (one) { one.remove(); });
    (told.removed || []).forEach(function (seq) {
      all("li[data-seq=\"" + Number(seq) + "\"]", ticker).forEach(function (one) { one.remove(); });
    });
    told.incidents.forEach(function (one) { ticker.prepend(arrived(one)); });
    all("li", ticker).slice(TICKER).forEach(function (one) { one.remove(); });
    if (!ticker.children.length) {
      const none = document.createElement("li");
      none.className = "hint";
      none.textContent = ticker.dataset.none;
      ticker.append(none);
    }
    if (told.counts) {
      find("count-today").textContent = told.counts.today;
      find("count-hour").textContent = told.counts.hour;
    }
  }

  document.addEventListener("pingan:live", function (event) {
    const told = event.detail;
    arrive(told);
    say(fill(desk.dataset.on, { at: clock(told.at) }));
    if (told.warnings && told.warnings.revision !== revision) {
      // The first answer too: something may have changed since the page was drawn.
      revision = told.warnings.revision;
      renew();
    }
  });
  document.addEventListener("pingan:live-state", function (event) {
    const isOn = event.detail.state === "on";
    const live = find("live");
    live.classList.toggle("on", isOn);
    live.classList.toggle("off", !isOn);
    const at = event.detail.since.toLocaleTimeString("zh-CN", { hour12: false });
    say(fill(isOn ? desk.dataset.on : desk.dataset.off, { at: at }));
  });

  find("show-keys").hidden = false;
  find("show-keys").addEventListener("click", function () { find("keys").showModal(); });
  count();
  tick();
  window.setInterval(tick, MINUTE);
  if (window.pinganLive) window.pinganLive.start({ lang: document.documentElement.lang === "en" ? "en" : "zh" });
})();
