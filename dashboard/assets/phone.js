/* The phone's page after its first paint: the worker, the small map, reports from the spot. Plain
   ES2017 without modules: the browsers inside office apps are old. */
'use strict';

(function () {
  const RADIUS = 6378137; // of the sphere of Web Mercator, metres
  const root = document.documentElement;
  const reader = document.body.dataset.reader;
  const form = document.getElementById('phone-report');
  const holder = document.getElementById('phone-map');
  let place = null;
  let queue = null;

  function isKept() { return root.dataset.state === 'kept'; }

  // --- readable without a network ----------------------------------------------------------------
  if ('serviceWorker' in navigator) {
    window.addEventListener('load', function () {
      navigator.serviceWorker.register('/m/worker.js', { scope: '/m' }).then(function () {
        return navigator.serviceWorker.ready;
      }).then(function (ready) {
        // The first visit came before the worker: it is told what to keep.
        if (!isKept()) ready.active.postMessage({ keep: [location.pathname + location.search].concat(assets()) });
        root.dataset.worker = 'ready';
      }).catch(function () { root.dataset.worker = 'none'; });
    });
  }

  function assets() {
    const found = [];
    document.querySelectorAll('link[rel=stylesheet], link[rel=icon], link[rel=manifest]').forEach(function (one) {
      found.push(one.getAttribute('href'));
    });
    document.querySelectorAll('script[src]').forEach(function (one) { found.push(one.getAttribute('src')); });
    if (holder) found.push(holder.dataset.src);
    return found;
  }

  const leaving = document.querySelector('[data-sign-out]');
  if (leaving) {
    leaving.addEventListener('submit', function (event) {
      const waits = queue ? queue.waiting.length : 0;
      if (waits && !window.confirm(form.dataset.leave.replace('{n}', waits))) event.preventDefault();
    });
  }

  // --- the small map -----------------------------------------------------------------------------
  function loadMap() {
    fetch(holder.dataset.src, { credentials: 'same-origin' }).then(function (answer) {
      if (!answer.ok || answer.redirected) throw new Error('no map');
      return answer.text();
    }).then(function (text) {
      holder.innerHTML = text; // drawn by our own server, every text in it is escaped there
      holder.dataset.drawn = '';
      const map = holder.querySelector('svg.small-map');
      if (map && form) map.addEventListener('click', tapped);
      showPin();
    }).catch(function () { holder.dataset.drawn = 'no'; });
  }

  if (holder) window.addEventListener('load', function () { setTimeout(loadMap, 0); });

  /** Where the drawing shows a point of the screen, in degrees. */
  function degreesAt(map, x, y) {
    const point = map.createSVGPoint();
    point.x = x;
    point.y = y;
    const at = point.matrixTransform(map.getScreenCTM().inverse());
    const metres = Number(map.dataset.metres);
    const east = Number(map.dataset.west) + at.x * metres;
    const north = Number(map.dataset.north) - at.y * metres;
    return {
      lng: (east / RADIUS) * (180 / Math.PI),
      lat: (2 * Math.atan(Math.exp(north / RADIUS)) - Math.PI / 2) * (180 / Math.PI),
    };
  }

  function tapped(event) {
    if (!holder.classList.contains('choosing')) {
      if (event.target.closest('a')) return; // leads to the area
    }
    event.preventDefault();
    const map = event.currentTarget;
    const at = degreesAt(map, event.clientX, event.clientY);
    choose({ lng: at.lng, lat: at.lat, said: form.dataset.atMap });
    const wasAsked = holder.classList.contains('choosing');
    holder.classList.remove('choosing');
    if (wasAsked) document.getElementById('report').scrollIntoView();
  }

  function choose(found) {
    place = found;
    document.getElementById('report-place').textContent = found.said;
    showPin();
  }

  function showPin() {
    const map = holder && holder.querySelector('svg.small-map');
    const pin = map && map.querySelector('.pin');
    if (!pin) return;
    pin.classList.toggle('set', Boolean(place));
    if (!place) return;
    const metres = Number(map.dataset.metres);
    const x = place.lng * (Math.PI / 180) * RADIUS;
    const y = Math.log(Math.tan(Math.PI / 4 + (place.lat * Math.PI) / 360)) * RADIUS;
    pin.setAttribute('cx', (x - Number(map.dataset.west)) / metres);
    pin.setAttribute('cy', (Number(map.dataset.north) - y) / metres);
  }

  // --- reports -----------------------------------------------------------------------------------
  if (!form) return;
  const words = form.dataset;
  const list = document.getElementById('report-list');
  const fault = document.getElementById('report-fault');

  /** Send one report; gives its code, or says whether it may be tried again. */
  function send(item) {
    const body = new URLSearchParams();
    ['key', 'category', 'severity', 'lng', 'lat', 'at'].forEach(function (name) { body.set(name, item[name]); });
    body.set('form_token', form.elements.form_token.value);
    return fetch(form.action, {
      method: 'POST', body: body, credentials: 'same-origin', redirect: 'manual',
      headers: { Accept: 'application/json' },
    }).then(function (answer) {
      if (answer.ok) return answer.json();
      return answer.json().catch(function () { return {}; }).then(function (told) {
        return Promise.reject(judged(answer, told));
      });
    }, function () { return Promise.reject({ again: true }); });
  }

  /** What an answer that is none means for a report. */
  function judged(answer, told) {
    if (told.fault && answer.status < 500) return { again: false, fault: told.error };
    // Signed out, or the page is of an earlier session: what waits stays until it is opened anew.
    const isOver = answer.type === 'opaqueredirect' || [400, 401, 403].indexOf(answer.status) >= 0;
    return { again: true, stop: isOver, said: isOver ? words.again : told.error };
  }

  function line(one, state, track) {
    const row = document.createElement('li');
    row.className = one.fault ? 'line late' : 'line';
    const name = document.createElement('span');
    name.className = 'line-name';
    name.textContent = one.text;
    const small = document.createElement('small');
    small.textContent = one.fault || state;
    name.appendChild(small);
    row.appendChild(name);
    if (track) row.appendChild(track);
    return row;
  }

  function button(text, act) {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.addEventListener('click', act);
    return made;
  }

  function draw(why) {
    const rows = list.querySelector('ul');
    rows.textContent = '';
    queue.waiting.slice().reverse().forEach(function (one) {
      const drop = one.fault ? button(words.drop, function () { queue.drop(one.key); }) : null;
      rows.appendChild(line(one, queue.busy === one.key && navigator.onLine ? words.sending : words.waiting, drop));
    });
    queue.sent.forEach(function (one) {
      const link = document.createElement('a');
      link.className = 'tap';
      link.href = one.href;
      link.textContent = words.track;
      rows.appendChild(line(one, words.sent + ' · ' + one.code, link));
    });
    list.hidden = !rows.children.length;
    list.dataset.waiting = queue.waiting.length;
    list.dataset.sent = queue.sent.length;
    if (why && why.said) complain(why.said);
  }

  function complain(text) {
    fault.textContent = text;
    fault.hidden = !text;
    if (text) fault.scrollIntoView({ block: 'nearest' });
  }

  queue = new window.PinganQueue(reader, send, draw);

  document.getElementById('report-gps').addEventListener('click', function () {
    const said = document.getElementById('report-place');
    if (!navigator.geolocation) { said.textContent = words.noGps; return; }
    said.textContent = words.asking;
    navigator.geolocation.getCurrentPosition(function (found) {
      const metres = Math.round(found.coords.accuracy);
      choose({ lng: found.coords.longitude, lat: found.coords.latitude, said: words.atGps.replace('{m}', metres) });
    }, function () { said.textContent = words.noGps; }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 });
  });

  form.querySelector('a[href="#map"]').addEventListener('click', function () {
    holder.classList.add('choosing');
  });

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    const chosen = form.elements.category;
    if (!chosen.value) { complain(words.noClass); return; }
    if (!place) { complain(words.noPlace); return; }
    complain('');
    const isKept_ = queue.add({
      category: chosen.value,
      text: chosen.options[chosen.selectedIndex].text,
      severity: form.elements.severity.value,
      lng: place.lng.toFixed(6),
      lat: place.lat.toFixed(6),
      at: new Date().toISOString(),
    });
    if (!isKept_) { complain(words.full); return; }
    chosen.value = '';
    place = null;
    document.getElementById('report-place').textContent = '';
    showPin();
    list.scrollIntoView({ block: 'nearest' });
  });

  draw();
  // A page from the phone's own store may carry the token of an earlier session: it is opened anew
  // before anything is sent, unless somebody is just filling the form in.
  let wait = 2000;
  function wake() {
    if (!isKept()) { queue.flush(); return; }
    // The worker answers for GET alone, so this asks the network itself.
    fetch('/m/app.webmanifest', { method: 'HEAD', cache: 'no-store' }).then(function (answer) {
      if (!answer.ok) throw new Error('not there');
      if (place || form.elements.category.value) queue.flush(); else location.reload();
    }).catch(function () {
      setTimeout(wake, wait);
      wait = Math.min(wait * 2, 60000);
    });
  }
  window.addEventListener('online', wake);
  wake();
})();
