/* Reports that wait on the phone for the network: kept in order, sent one at a time, each once.
   Each has a key of its own; the server answers the same key with the same report, so whatever has
   had no answer is sent again without harm. What belongs to another account is never touched. */
'use strict';

(function () {
  const SENT = 30; // codes that are remembered
  const MOST = 200; // reports that may wait
  const RETRY_MS = [2000, 5000, 15000, 30000, 60000];

  /** Random key of a report: 32 hexadecimal digits. */
  function newKey() {
    const bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    return Array.from(bytes, function (one) { return ('0' + one.toString(16)).slice(-2); }).join('');
  }

  /** List of one reader under a name; empty where it cannot be read. */
  function read(name) {
    try { return JSON.parse(localStorage.getItem(name) || '[]'); } catch (error) { return []; }
  }

  class Queue {
    /**
     * @param {string} reader whose reports these are
     * @param {function} send takes an item, gives a promise of {code, href} or rejects with
     *   {fault, again}: `again` true = try later, false = never
     */
    constructor(reader, send, changed) {
      this.waitingName = 'pingan-reports-' + reader;
      this.sentName = 'pingan-reported-' + reader;
      this.send = send;
      this.changed = changed;
      this.busy = false;
      this.tries = 0;
      this.timer = 0;
    }

    get waiting() { return read(this.waitingName); }

    get sent() { return read(this.sentName); }

    /** Put a report at the end; false where the phone cannot hold it. */
    add(item) {
      const all = this.waiting;
      if (all.length >= MOST) return false;
      item.key = newKey();
      all.push(item);
      try { localStorage.setItem(this.waitingName, JSON.stringify(all)); } catch (error) { return false; }
      this.changed();
      this.flush();
      return true;
    }

    drop(key) {
      this._keep(this.waiting.filter(function (one) { return one.key !== key; }));
      this.changed();
    }

    /** Send what waits, the oldest first; one at a time, and only once however often it is called. */
    flush() {
      if (this.busy) return;
      const next = this.waiting.find(function (one) { return !one.fault; });
      if (!next) return;
      clearTimeout(this.timer);
      this.busy = next.key;
      this.changed();
      this.send(next).then(this._done.bind(this, next), this._failed.bind(this, next));
    }

    _done(item, answer) {
      const sent = this.sent;
      sent.unshift({ key: item.key, text: item.text, at: item.at, code: answer.code, href: answer.href });
      // First remembered, then forgotten: a phone that stops in between sends it again, which is safe.
      localStorage.setItem(this.sentName, JSON.stringify(sent.slice(0, SENT)));
      this._keep(this.waiting.filter(function (one) { return one.key !== item.key; }));
      this.busy = false;
      this.tries = 0;
      this.changed();
      this.flush();
    }

    _failed(item, why) {
      this.busy = false;
      if (!why.again) {
        this._keep(this.waiting.map(function (one) {
          return one.key === item.key ? Object.assign({}, one, { fault: why.fault }) : one;
        }));
        this.changed();
        this.flush();
        return;
      }
      const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
      this.tries += 1;
      if (!why.stop) this.timer = setTimeout(this.flush.bind(this), wait);
      this.changed(why);
    }

    _keep(all) { localStorage.setItem(this.waitingName, JSON.stringify(all)); }
  }

  window.PinganQueue = Queue;
})();
