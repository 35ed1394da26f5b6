/* Lay on the situation maps of a page what arrives while it is open: incidents as a short pulse and
   then a dot that fades within ten minutes, units and crowds as they stand. The dots fade in steps:
   an animation of ten minutes would draw the whole map anew sixty times a second, all day long.

   Listens to `pingan:live` of live_feed.js. Keeps at most MOST incidents; a map that the page has
   swapped in asks for them again by `pingan:situation`. One listener each, one timer, for ever. */
(function () {
  "use strict";

  const MOST = 60;
  const MOST_SYMBOLS = 400;
  const KEPT_MS = 10 * 60 * 1000;
  const RADIUS_M = 6378137;
  const FADES_AFTER = 0.2; // of the time that a dot is kept
  const FADED = 0.18;
  const SVG = "http://www.w3.org/2000/svg";

  const incidents = new Map(); // seq -> {lng, lat, severity, since}
  let units = [];
  let crowds = [];

  const radians = (degrees) => (degrees * Math.PI) / 180;
  const isPlaced = (one) => Number.isFinite(one.lng) && Number.isFinite(one.lat);

  function place(map, one) {
    const metres = Number(map.dataset.metres);
    const x = (RADIUS_M * radians(one.lng) - Number(map.dataset.west)) / metres;
    const north = RADIUS_M * Math.log(Math.tan(Math.PI / 4 + radians(one.lat) / 2));
    const y = (Number(map.dataset.north) - north) / metres;
    const box = map.viewBox.baseVal;
    const isInside = x >= 0 && y >= 0 && x <= box.width && y <= box.height;
    return isInside ? [Math.round(x), Math.round(y)] : null;
  }

  function symbol(name, kind, values) {
    const made = document.createElementNS(SVG, name);
    made.setAttribute("class", kind);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    return made;
  }

  function at(where, parts, seq) {
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("transform", `translate(${where[0]} ${where[1]})`);
    if (seq !== undefined) group.dataset.seq = seq;
    group.append(...parts);
    return group;
  }

  function strength(one) {
    const share = (Date.now() - one.since) / KEPT_MS;
    const faded = Math.min(1, Math.max(0, share - FADES_AFTER) / (1 - FADES_AFTER));
    return (1 - (1 - FADED) * faded).toFixed(2);
  }

  function drawIncident(map, layer, seq, one, isNew) {
    const where = place(map, one);
    if (!where) return;
    const size = (one.severity || 1) >= 3 ? 13 : 9;
    const parts = [symbol("circle", "dot", { r: size, opacity: strength(one) })];
    if (isNew) parts.unshift(symbol("circle", "ring", { r: 14 }));
    layer.append(at(where, parts, seq));
  }

  function drawSymbols(map, layer) {
    for (const old of layer.querySelectorAll("[data-symbol]")) old.remove();
    const made = [];
    for (const one of crowds) {
      const where = place(map, one);
      const r = Math.min(34, 8 + Math.sqrt(one.count));
      if (where) made.push(at(where, [symbol("circle", "crowd", { r })]));
    }
    for (const one of units) {
      const where = place(map, one);
      if (where) made.push(at(where, [symbol("rect", "unit", { x: -8, y: -8, width: 16, height: 16, rx: 3 })]));
    }
    for (const one of made) one.dataset.symbol = "";
    layer.prepend(...made);
  }

  const layers = () =>
    [...document.querySelectorAll("svg[data-situation]")].map((map) => [
      map,
      map.querySelector("[data-situation-live]"),
    ]);

  function forget(seq) {
    incidents.delete(seq);
    for (const old of document.querySelectorAll(`[data-situation-live] [data-seq="${seq}"]`)) old.remove();
  }

  function sweep() {
    const oldest = Date.now() - KEPT_MS;
    for (const [seq, one] of incidents) if (one.since < oldest) forget(seq);
    while (incidents.size > MOST) forget(incidents.keys().next().value);
    for (const dot of document.querySelectorAll("[data-situation-live] [data-seq] .dot")) {
      const one = incidents.get(Number(dot.parentNode.dataset.seq));
      if (one) dot.setAttribute("opacity", strength(one));
    }
  }

  function take(event) {
    const told = event.detail;
    for (const seq of told.removed || []) forget(Number(seq));
    const fresh = (told.incidents || []).filter(isPlaced).slice(-MOST);
    for (const one of fresh) {
      const seq = Number(one.seq);
      const known = incidents.get(seq);
      if (known && known.lng === one.lng && known.lat === one.lat) continue;
      if (known) forget(seq);
      const kept = { lng: one.lng, lat: one.lat, severity: one.severity, since: Date.now() };
      incidents.set(seq, kept);
      for (const [map, layer] of layers()) drawIncident(map, layer, seq, kept, Boolean(one.is_new));
    }
    if (told.units) units = told.units.filter(isPlaced).slice(0, MOST_SYMBOLS);
    if (told.crowds) crowds = told.crowds.filter(isPlaced).slice(0, MOST_SYMBOLS);
    if (told.units || told.crowds) for (const [map, layer] of layers()) drawSymbols(map, layer);
    sweep();
  }

  function drawAgain() {
    sweep();
    for (const [map, layer] of layers()) {
      layer.replaceChildren();
      drawSymbols(map, layer);
      for (const [seq, one] of incidents) drawIncident(map, layer, seq, one, false);
    }
  }

  document.addEventListener("pingan:live", take);
  document.addEventListener("pingan:situation", drawAgain);
  window.setInterval(sweep, 30000);
})();
