/**
 * The tree of categories: built here from `data-tree` (`[[name, figures, code, children]]`), as its
 * hundred rows would be most of the answer as components. A click on a name sets the filter: the
 * value goes to the control that `data-control` names. All texts are text nodes.
 */
(function () {
  'use strict';

  /** Codes of what is unfolded, so that a new answer leaves it so. @type {Set<string>} */
  const unfolded = new Set();

  /**
   * @param {string} tag
   * @param {string} name
   * @param {string} [figures]
   */
  function row(tag, name, figures) {
    const made = document.createElement(tag);
    made.append(name);
    if (figures) made.appendChild(document.createElement('span')).textContent = figures;
    return made;
  }

  /**
   * @param {string} code
   * @param {HTMLElement} summary
   * @param {HTMLElement[]} rows
   */
  function fold(code, summary, rows) {
    const made = document.createElement('details');
    made.append(summary, ...rows);
    made.open = unfolded.has(code);
    made.addEventListener('toggle', function () {
      if (made.isConnected) unfolded[made.open ? 'add' : 'delete'](code);
    });
    return made;
  }

  /** @param {HTMLElement} tree */
  function build(tree) {
    const told = tree.dataset;
    if (tree.builtFrom === told.tree + told.chosen) return;
    tree.builtFrom = told.tree + told.chosen;

    function filter(name, figures, code) {
      const made = row('button', name, figures);
      made.type = 'button';
      made.setAttribute('aria-pressed', String(code === told.chosen));
      made.addEventListener('click', function () {
        const value = code === told.chosen ? '' : code;
        window.dash_clientside.set_props(told.control, { value: value });
      });
      return made;
    }

    function branch(name, figures, code, children) {
      const says = (code === told.chosen ? told.all : told.only).replace('{name}', name);
      const rows = children.map(([lower, of, own]) =>
        own ? filter(lower, of, own) : row('p', lower, of));
      return fold(code, row('summary', name, figures), [filter(says, '', code), ...rows]);
    }

    const rows = JSON.parse(told.tree).map((one) => branch(...one));
    tree.replaceChildren(fold('', row('summary', told.title), rows));
  }

  new MutationObserver(function () {
    document.querySelectorAll('.tree[data-tree]').forEach(build);
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true,
    attributeFilter: ['data-tree', 'data-chosen'] });
}());
