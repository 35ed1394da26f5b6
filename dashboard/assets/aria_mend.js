/**
 * Mends what the framework's controls tell assistive technology (Dash 4.4).
 *
 * Its radio items call themselves a list box with options, though they hold native radio buttons,
 * and have no name; its drop-downs take the keyboard by a hidden field instead of by their button.
 */
(function () {
  'use strict';

  const NAMES = { zh: { language: '语言', theme: '外观', layer: '图层' },
    en: { language: 'Language', theme: 'Theme', layer: 'Layer' } };

  /** @param {Element} element @param {string} name @param {?string} value null takes it away */
  function set(element, name, value) {
    if (element.getAttribute(name) === value) return;
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }

  /** @param {Element} group */
  function mendRadios(group) {
    set(group, 'role', 'radiogroup');
    if (document.getElementById(group.id + '-label')) {
      set(group, 'aria-labelledby', group.id + '-label');
    } else {
      const lang = document.documentElement.lang.startsWith('en') ? 'en' : 'zh';
      set(group, 'aria-label', NAMES[lang][group.id] || group.id);
    }
    group.querySelectorAll('label').forEach(function (label) {
      set(label, 'role', null);
      set(label, 'aria-selected', null);
    });
  }

  /** @param {Element} box */
  function mendDropdown(box) {
    const field = box.querySelector('.dash-dropdown-focus-target');
    const button = box.querySelector('button.dash-dropdown');
    if (!field || !button) return;
    set(field, 'tabindex', '-1');
    set(button, 'tabindex', '0');
    const label = button.id + '-label';
    if (document.getElementById(label)) {
      set(button, 'aria-labelledby', label + ' ' + button.id + '-value');
    }
  }

  function mend() {
    document.querySelectorAll('.dash-radioitems').forEach(mendRadios);
    document.querySelectorAll('.dash-dropdown-wrapper').forEach(mendDropdown);
  }

  new MutationObserver(mend).observe(document.documentElement, { childList: true, subtree: true,
    attributes: true, attributeFilter: ['role', 'aria-selected', 'tabindex', 'lang'] });
}());
