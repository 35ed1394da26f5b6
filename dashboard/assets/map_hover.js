/**
 * The hover card: drawn at once from what the browser has (name, count, band); the slot below is
 * Dash's to fill.
 *
 * In the page: `#map-hover-card.map-hover-card > .map-hover-head` (ours, leave it empty) and
 * `#map-hover-detail` (Dash's). An answer that carries `data-key="<level>:<index>"` on its first
 * element is shown only while that area is still under the pointer.
 */
(function () {
  'use strict';

  const PinganMap = window.PinganMap;
  const WORDS = {
    zh: { count: '件数', no_data: '暂无数据', small_sample: '样本较少，仅供参考',
      outside: '当前范围之外', cell: '蜂窝格' },
    en: { count: 'Incidents', no_data: 'No data', small_sample: 'Small sample, read with care',
      outside: 'Outside the current area', cell: 'Cell' }
  };
  const OFFSET_PX = 14;

  /** @param {string} className @param {string} [text] @returns {HTMLElement} */
  function element(className, text) {
    const made = document.createElement('div');
    made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  /** @param {View} view @param {string} name @returns {string} */
  function word(view, name) {
    return (view.labels || {})[name] || WORDS[view.lang === 'en' ? 'en' : 'zh'][name];
  }

  /**
   * @param {View} view
   * @param {string} key
   * @param {number} index
   * @returns {string}
   */
  function title(view, key, index) {
    const names = PinganMap.namesAt(view.names);
    const known = PinganMap.tileLayer(key) === 'areas' && key === 'areas:' + view.level;
    if (known && names && names.names[index]) return names.names[index];
    if (!known) return word(view, 'cell') + ' r' + key.split(':')[1];
    return '…';
  }

  /**
   * What one map shows of an area.
   *
   * @param {View} view
   * @param {DecodedValues} values
   * @param {number} index
   * @returns {{colour: string, hatched: boolean, label: string, count: string, small: boolean}}
   */
  function facts(view, values, index) {
    const areas = PinganMap.tileLayer(values.key) === 'areas';
    const band = PinganMap.readBand(values.bands[index]);
    const palette = areas ? view.palette.areas : view.palette.cells;
    const bandLabels = ((view.labels || {}).bands || {})[areas ? 'areas' : 'cells'] || [];
    let label = bandLabels[band.entry - 1] || '';
    if (band.outside) label = word(view, 'outside');
    else if (!band.entry) label = word(view, 'no_data');
    // Counts outside the focus are not part of this view, and withheld ones are not zero.
    const counted = values.counts && !band.outside && !(view.protected && !band.entry);
    const locale = view.lang === 'en' ? 'en' : 'zh-CN';
    return { colour: palette[band.entry - 1] || view.palette.no_data, small: band.small,
      hatched: band.small || !band.entry, label: label, count: counted ?
        word(view, 'count') + ' ' + values.counts[index].toLocaleString(locale) : '' };
  }

  /**
   * @typedef {{view: View, values: DecodedValues}} Side what one map shows; of two, the first first
   *
   * @param {Side[]} sides
   * @param {number} index
   * @returns {Node}
   */
  function head(sides, index) {
    const made = document.createDocumentFragment();
    const [{ view, values }] = sides;
    made.appendChild(element('map-hover-name', title(view, values.key, index)));
    sides.forEach(function (side) {
      const found = facts(side.view, side.values, index);
      if (sides.length > 1) made.appendChild(element('map-hover-side', side.view.title));
      const line = element('map-hover-line');
      const swatch = element('map-hover-swatch' + (found.hatched ? ' hatched' : ''));
      swatch.style.backgroundColor = found.colour; // var() too
      line.append(swatch, element('map-hover-band', found.label));
      if (found.count) line.appendChild(element('map-hover-count', found.count));
      made.appendChild(line);
      if (found.small) made.appendChild(element('map-hover-small', word(side.view, 'small_sample')));
    });
    return made;
  }

  /**
   * The same for a screen reader.
   *
   * @param {Side[]} sides
   * @param {number} index
   * @returns {string}
   */
  function words(sides, index) {
    const [{ view, values }] = sides;
    const told = sides.map(function (side) {
      const found = facts(side.view, side.values, index);
      return [sides.length > 1 ? side.view.title : '', found.label, found.count,
        found.small ? word(side.view, 'small_sample') : ''].filter(Boolean).join(' ');
    });
    return [title(view, values.key, index)].concat(told).join(view.lang === 'en' ? ', ' : '，');
  }

  /**
   * @param {HTMLElement} box the positioned box of the map
   * @returns {HTMLElement} the card, made if the page has none
   */
  function cardIn(box) {
    let card = document.getElementById('map-hover-card');
    if (!card) {
      card = element('map-hover-card');
      card.id = 'map-hover-card';
      box.appendChild(card);
    }
    if (!card.querySelector('.map-hover-head')) card.prepend(element('map-hover-head'));
    const slot = document.getElementById('map-hover-detail');
    if (slot && !slot.dataset.watched) {
      slot.dataset.watched = 'yes';
      new MutationObserver(function () {
        const answer = slot.firstElementChild;
        const about = answer && answer.dataset.key;
        slot.classList.toggle('is-stale', Boolean(about) && about !== card.dataset.key);
      }).observe(slot, { childList: true, subtree: true, attributes: true,
        attributeFilter: ['data-key'] });
    }
    return card;
  }

  /** @param {HTMLElement} card @param {HTMLElement} box @param {{x: number, y: number}} point */
  function place(card, box, point) {
    const flipX = point.x + OFFSET_PX + card.offsetWidth > box.clientWidth;
    const flipY = point.y + OFFSET_PX + card.offsetHeight > box.clientHeight;
    const x = flipX ? point.x - OFFSET_PX - card.offsetWidth : point.x + OFFSET_PX;
    const y = flipY ? point.y - OFFSET_PX - card.offsetHeight : point.y + OFFSET_PX;
    card.style.transform = 'translate(' + Math.max(0, x) + 'px,' + Math.max(0, y) + 'px)';
  }

  /** @param {HTMLElement} card @param {?string} note what the icon under the pointer means */
  function tell(card, note) {
    const head = card.querySelector('.map-hover-head');
    const shown = head.querySelector('.map-hover-note');
    if (shown && shown.textContent === note) return;
    if (shown) shown.remove();
    if (note) head.appendChild(element('map-hover-note', note));
  }

  /** @param {HTMLElement} name of the card @param {Side} side @param {number} index */
  function nameLate(name, side, index) {
    const view = side.view;
    if (PinganMap.namesAt(view.names)) return;
    PinganMap.loadNames(view.names).then(function () {
      name.textContent = title(view, side.values.key, index);
    });
  }

  PinganMap.hoverCard = {
    words: words,
    show: function (box, event, sides) {
      const card = cardIn(box);
      card.dataset.key = event.key.split(':')[1] + ':' + event.index;
      const slot = document.getElementById('map-hover-detail');
      if (slot) slot.classList.add('is-stale');
      const made = head(sides, event.index);
      nameLate(made.firstChild, sides[0], event.index);
      card.querySelector('.map-hover-head').replaceChildren(made);
      card.classList.add('is-open');
      tell(card, event.note);
      place(card, box, event.point);
    },
    move: function (box, event) {
      const card = cardIn(box);
      tell(card, event.note);
      place(card, box, event.point);
    },
    hide: function () {
      const card = document.getElementById('map-hover-card');
      if (card) card.classList.remove('is-open');
    }
  };
}());
