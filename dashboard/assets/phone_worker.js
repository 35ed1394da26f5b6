/* Keeps the phone's page readable without a network: this account's own pages as they were at the
   last visit, and the files that they need. It answers for /m alone; everything else goes its way.
   Pages of another account are deleted before the first one of this account is kept, and all of
   them when a session is over. */
'use strict';

const PAGES = 'pingan-m-pages';
const FILES = 'pingan-m-files-1';
const READER = 'X-Pingan-Reader';
const LAST = '/m/last-page';
const WHOSE = '/m/whose-pages';
const NOTHING = '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8">'
  + '<meta name="viewport" content="width=device-width"><title>平安地图</title>'
  + '<body style="font:16px/1.6 sans-serif;padding:24px"><h1>现在没有网络</h1>'
  + '<p>这一页还没有保存过，请联网后再打开。</p><p lang="en">You are offline, and this page was not kept before.</p>'
  + '<p><a href="/m" style="display:inline-block;padding:12px 0">返回 / Back</a></p></body></html>';

self.addEventListener('install', () => { self.skipWaiting(); });
self.addEventListener('activate', (event) => { event.waitUntil(self.clients.claim()); });

function isOwn(url) { return url.pathname === '/m' || url.pathname.startsWith('/m/'); }

function isFile(url) {
  return url.pathname.startsWith('/assets/') || url.pathname === '/m/app.webmanifest';
}

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (isFile(url)) event.respondWith(file(event.request));
  else if (isOwn(url) && url.pathname !== '/m/worker.js') event.respondWith(page(event.request, url));
});

self.addEventListener('message', (event) => {
  const wanted = (event.data && event.data.keep) || [];
  event.waitUntil(Promise.all(wanted.map((path) => {
    const url = new URL(path, self.location.origin);
    if (url.origin !== self.location.origin) return null;
    const asked = new Request(url.href, { credentials: 'same-origin' });
    if (isFile(url)) return file(asked).catch(() => null);
    return isOwn(url) ? fetch(asked).then((answer) => keep(url, answer)).catch(() => null) : null;
  })));
});

/** A file: the newest where there is a network, else the kept one. */
async function file(request) {
  const files = await caches.open(FILES);
  try {
    const answer = await fetch(request);
    if (answer.ok) await files.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await files.match(request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

/** A page: as it is now where there is a network, else as it was at the last visit. */
async function page(request, url) {
  let answer;
  try {
    answer = await fetch(request);
  } catch (error) {
    return kept(request, url);
  }
  await keep(url, answer.clone());
  return answer;
}

/** Keep a page of this account; forget all where the session is over. */
async function keep(url, answer) {
  if (answer.type === 'opaqueredirect' || answer.redirected || answer.status === 401) {
    await caches.delete(PAGES);
    return;
  }
  const reader = answer.headers.get(READER);
  let pages = await caches.open(PAGES);
  if (!answer.ok || !reader) {
    if (answer.status === 403) await pages.delete(url.href);
    return;
  }
  const whose = await pages.match(WHOSE);
  if (whose && (await whose.text()) !== reader) {
    await caches.delete(PAGES);
    pages = await caches.open(PAGES);
  }
  await pages.put(WHOSE, new Response(reader));
  await pages.put(url.href, answer.clone());
  if (url.pathname === '/m') await pages.put(LAST, answer);
}

/** The kept page, marked as such; the last one where this very address was not kept. */
async function kept(request, url) {
  const pages = await caches.open(PAGES);
  let found = await pages.match(url.href, { ignoreVary: true });
  if (!found && url.pathname === '/m' && !url.search) found = await pages.match(LAST);
  if (!found) {
    if (request.mode !== 'navigate') return new Response('', { status: 503 });
    return new Response(NOTHING, { status: 503, headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  }
  const text = (await found.text()).replace('data-state="live"', 'data-state="kept"');
  const headers = new Headers(found.headers);
  headers.delete('Content-Encoding');
  headers.delete('Content-Length');
  return new Response(text, { status: 200, headers });
}
