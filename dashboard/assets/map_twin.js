/**
 * A second map: over the first, cut along a line that the reader drags, or beside it (under it where
 * the page is narrow). Two periods, two classes or two measures of one place; the cameras are one.
 *
 * The view of the second map is the first one's with what `view.other` says otherwise; its values
 * come as `values.other`.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const STEP_PERCENT = 5;
  const LABEL = { zh: '拖动或用方向键移动对比线', en: 'Drag, or use the arrow keys, to move the line' };

  class Twin {
    /**
     * @param {HTMLElement} container of the first map
     * @param {function(HTMLElement): Engine} create makes an engine in a box
     */
    constructor(container, create) {
      this.container = container;
      this.create = create;
      this.engine = null;
      this.box = null;
      this.view = null;
      this.values = null;
      this.percent = 0; // of the width that the first map keeps
    }

    /** @param {View} view with or without `other` */
    applyView(view) {
      this.view = view.other ? Object.assign({}, view, view.other, { other: null }) : null;
      if (!this.view) {
        this.remove();
        return;
      }
      if (!this.box) this.mount();
      this.lay(view.split === 'side');
      if (!this.engine) this.engine = this.create(this.box); // in a box that has its size
      this.title = view.title || '';
      this.dated = /[?&]compare=(before|year)\b/.test(view.search); // the titles are the windows
      this.left.textContent = this.title;
      this.right.textContent = this.view.title || '';
      this.engine.applyView(this.view);
      if (this.values && PinganMap.belongs(this.values, this.view)) {
        this.engine.applyValues(this.values);
      }
    }

    /** @param {?DecodedValues} values */
    applyValues(values) {
      this.values = values;
      if (values && this.engine) this.engine.applyValues(values);
    }

    /** @param {{lng: number, lat: number, zoom: number}} at */
    follow(at) {
      if (this.engine) this.engine.follow([at.lng, at.lat, at.zoom]);
    }

    mount() {
      const made = function (name) {
        const element = document.createElement('div');
        element.className = name;
        return element;
      };
      this.box = made('map-twin');
      this.left = made('map-side map-side-left');
      this.right = made('map-side map-side-right');
      this.line = made('map-divider');
      this.line.tabIndex = 0;
      this.line.setAttribute('role', 'slider');
      this.line.setAttribute('aria-valuemin', '0');
      this.line.setAttribute('aria-valuemax', '100');
      this.container.append(this.left, this.line, this.box, this.right);
      this.container.classList.add('is-compared');
      this.listen();
    }

    /** @param {boolean} beside or cut along the line */
    lay(beside) {
      const page = this.container.closest('.map-box') || this.container;
      page.classList.toggle('is-beside', beside);
      this.line.hidden = beside;
      if (!beside) {
        this.place(this.percent || this.middle());
        return;
      }
      [this.box, this.left, this.right].forEach(function (part) { part.removeAttribute('style'); });
      const legend = page.querySelector('.legend');
      if (!legend || this.watched) return;
      // One legend for both, under them: as much room as it takes is theirs no more.
      this.watched = new ResizeObserver(function () {
        page.style.setProperty('--legend-room', legend.offsetHeight + 'px');
      });
      this.watched.observe(legend);
    }

    /** @param {?string} title of what the first map shows for a while; null for its own */
    sayFirst(title) {
      if (!this.engine) return;
      const both = [this.dated ? '' : this.title, title].filter(Boolean).join(' · ');
      this.left.textContent = title ? both : this.title;
    }

    listen() {
      const lang = document.documentElement.lang.startsWith('en') ? 'en' : 'zh';
      this.line.title = LABEL[lang];
      this.line.setAttribute('aria-label', LABEL[lang]);
      this.line.addEventListener('pointerdown', (event) => {
        event.preventDefault();
        this.line.setPointerCapture(event.pointerId);
      });
      this.line.addEventListener('pointermove', (event) => {
        if (!this.line.hasPointerCapture(event.pointerId)) return;
        const bounds = this.container.getBoundingClientRect();
        this.place(100 * (event.clientX - bounds.left) / bounds.width);
      });
      this.line.addEventListener('keydown', (event) => {
        const by = { ArrowLeft: -STEP_PERCENT, ArrowRight: STEP_PERCENT }[event.key];
        if (!by) return;
        event.preventDefault();
        this.place(this.percent + by);
      });
    }

    /** @returns {number} the middle of what the legend leaves free */
    middle() {
      const legend = this.container.parentElement.querySelector('.legend');
      const width = this.container.clientWidth;
      const covered = legend && legend.offsetWidth < width / 2 ? legend.offsetWidth : 0;
      return 50 * (1 + covered / width);
    }

    /** @param {number} percent of the width that the first map keeps */
    place(percent) {
      this.percent = Math.min(100, Math.max(0, percent));
      this.box.style.clipPath = 'inset(0 0 0 ' + this.percent + '%)';
      this.line.style.left = this.percent + '%';
      this.line.setAttribute('aria-valuenow', String(Math.round(this.percent)));
      this.left.style.right = 'calc(' + (100 - this.percent) + '% + 8px)';
      this.right.style.left = 'calc(' + this.percent + '% + 8px)';
    }

    remove() {
      if (!this.engine) return;
      this.engine.destroy();
      this.engine = null;
      [this.box, this.line, this.left, this.right].forEach(function (part) { part.remove(); });
      this.container.classList.remove('is-compared');
      (this.container.closest('.map-box') || this.container).classList.remove('is-beside');
      if (this.watched) this.watched.disconnect();
      this.watched = null;
      this.box = null;
    }
  }

  PinganMap.Twin = Twin;
}());
