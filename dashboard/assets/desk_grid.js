/**
 * How the tables print and draw their cells; nothing here is ever given as text and run.
 *
 * `dashAgGridFunctions` print values, on screen and in a file. `dashAgGridComponentFunctions` draw
 * what is more than text. Search boxes, export buttons and the Enter key are heard at the document.
 */
(function () {
  'use strict';

  const UNSAFE = /^[=+\-@\t\r]/;

  /** @param {object} params @returns {*} value of a cell, whoever asks */
  function valueOf(params) {
    if (params.value !== undefined) return params.value;
    return params.data && params.colDef ? params.data[params.colDef.field] : undefined;
  }

  function isKnown(value) { return value !== null && value !== undefined && value !== ''; }

  function none(params) { return (params.context && params.context.none) || '–'; }

  /** @param {function(number): string} print @returns {function(object): string} */
  function printed(print) {
    return function (params) {
      const value = valueOf(params);
      return isKnown(value) ? print(value) : none(params);
    };
  }

  /** @param {number} value @param {number} decimals @returns {string} with its thousands apart */
  function fixed(value, decimals) {
    return value.toLocaleString('en-US', {
      minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  }

  /** As many decimals as a number needs: 2,783; 23.9; 0.13. */
  function significant(value) {
    const size = Math.abs(value);
    return fixed(value, value === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2);
  }

  /** @param {number} value @returns {string} with its sign */
  function change(value) {
    const text = significant(Math.abs(value));
    return Number(text) === 0 ? '0' : (value > 0 ? '+' : '−') + text;
  }

  /** @param {object} params @returns {string} from a value to another one of the row */
  function range(params) {
    const value = valueOf(params);
    const upper = params.data ? params.data[more(params).to] : null;
    if (!isKnown(value)) return none(params);
    const print = function (end) {
      return Number.isInteger(end) ? fixed(end, 0) : significant(end);
    };
    return isKnown(upper) ? print(value) + '–' + print(upper) : print(value);
  }

  function probability(value) {
    return value > 0.999 ? '> 0.999' : value < 0.001 ? '< 0.001' : fixed(value, 3);
  }

  function more(params) {
    return (params.colDef && params.colDef.cellRendererParams) || params;
  }

  function label(params) {
    const value = valueOf(params);
    const labels = more(params).labels || {};
    return isKnown(value) ? labels[value] || String(value) : none(params);
  }

  function mark(params) {
    const key = more(params).p;
    const p = key && params.data ? params.data[key] : null;
    const said = valueOf(params) ? ((params.context && params.context.yes) || '✓') : '–';
    return isKnown(p) ? said + ' ' + probability(p) : said;
  }

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    deskCount: printed(function (value) { return fixed(value, 0); }),
    deskNumber: printed(significant),
    deskChange: printed(change),
    deskRange: range,
    deskShare: printed(function (value) { return fixed(100 * value, 1) + '%'; }),
    deskProbability: printed(probability),
    deskLabel: label,
    deskFlag: mark
  });

  function element() { return window.React.createElement.apply(null, arguments); }

  /** A link that moves inside the application: the page is not loaded anew. */
  function DeskLink(props) {
    const href = props.data[props.href || 'href'];
    if (!href) return isKnown(props.value) ? String(props.value) : none(props);
    return element('a', { href: href, onClick: function (event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      window.history.pushState({}, '', href);
      window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
    } }, props.value);
  }

  function DeskChip(props) {
    const tint = (props.tints || {})[props.value];
    const text = label(props);
    if (!isKnown(props.value)) return text;
    return element('span', { className: 'tint-chip', style: tint ? { '--tint': tint } : undefined },
      text);
  }

  /** A flag of one layer with its probability; an empty cell is a no. */
  function DeskMark(props) {
    const p = props.data[props.p];
    return element('span', { className: 'desk-flag' + (props.value ? ' on ' + props.look : '') },
      element('span', { className: 'flag-mark', 'aria-hidden': 'true' }, props.value ? '●' : '–'),
      element('span', { className: 'visually-hidden' }, props.value ? props.context.yes : '–'),
      isKnown(p) ? element('small', null, probability(p)) : null);
  }

  /** The last periods as a line, the newest as a dot; heights from zero to the largest. */
  function DeskSpark(props) {
    const values = String(props.value || '').split(',').map(Number);
    if (values.length < 2) return none(props);
    const width = 110;
    const height = 24;
    const top = Math.max.apply(null, values.concat([1]));
    const points = values.map(function (value, at) {
      return [2 + at * (width - 6) / (values.length - 1), height - 3 - value / top * (height - 7)];
    });
    const last = points[points.length - 1];
    return element('svg', { className: 'desk-spark', width: width, height: height, role: 'img',
      'aria-label': values.join(' ') },
      element('polyline', { points: points.map(function (one) {
        return one[0].toFixed(1) + ',' + one[1].toFixed(1); }).join(' ') }),
      element('circle', { cx: last[0].toFixed(1), cy: last[1].toFixed(1), r: 2.5 }));
  }

  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
    DeskLink: DeskLink, DeskChip: DeskChip, DeskMark: DeskMark, DeskSpark: DeskSpark
  });

  /** @param {string} id @returns {?object} the grid's own interface */
  function gridOf(id) {
    try {
      return window.dash_ag_grid.getApi(id);
    } catch (error) {
      return null; // not drawn yet
    }
  }

  /** What a spreadsheet would take for a formula becomes text. */
  function safe(params) {
    const text = params.formatValue(params.value);
    const plain = isKnown(text) ? String(text) : '';
    return typeof params.value === 'string' && UNSAFE.test(plain) ? "'" + plain : plain;
  }

  /** Ask why, have it recorded, and only then write the file. @param {HTMLElement} button */
  function askAndExport(button) {
    const grid = gridOf(button.dataset.grid);
    const reason = grid && window.prompt(button.dataset.ask, '');
    if (!reason) return;
    const said = new URLSearchParams({ table: button.dataset.grid.slice(5), reason: reason,
      rows: String(grid.getDisplayedRowCount()) });
    fetch('/exported', { method: 'POST', body: said, credentials: 'same-origin' })
      .then(function (answer) {
        if (answer.status === 204) exportGrid(button, grid);
        else window.alert(button.dataset.refused);
      }).catch(function () { window.alert(button.dataset.refused); });
  }

  function exportGrid(button, grid) {
    const columns = grid.getAllDisplayedColumns().filter(function (column) {
      return column.getColDef().cellRenderer !== 'DeskSpark';
    });
    const made = new Date().toISOString().slice(0, 16).replace('T', ' ') + 'Z';
    grid.exportDataAsCsv({
      fileName: button.dataset.file + '.csv',
      columnKeys: columns,
      processCellCallback: safe,
      prependContent: [[{ data: { type: 'String', value: button.dataset.stamp + ' ' + made } }]]
    });
  }

  document.addEventListener('click', function (event) {
    const at = event.target.closest ? event.target : null;
    const button = at && at.closest('.grid-export');
    if (button) askAndExport(button);
    // A click anywhere in a row that leads somewhere.
    const row = at && at.closest('.row-leads .ag-row');
    if (row && !at.closest('a') && !String(window.getSelection())) {
      // The columns that stay at the left are rows of their own.
      const first = row.closest('.row-leads').querySelector(
        '.ag-pinned-left-cols-container .ag-row[row-index="' + row.getAttribute('row-index') + '"] a');
      const link = first || row.querySelector('a');
      if (link) link.click();
    }
  });

  document.addEventListener('input', function (event) {
    const box = event.target;
    if (!box.id || !box.id.startsWith('find-')) return;
    const grid = gridOf('grid-' + box.id.slice(5));
    if (grid) grid.setGridOption('quickFilterText', box.value);
  });

  document.addEventListener('keydown', function (event) {
    const cell = document.activeElement;
    if (event.key !== 'Enter' || !cell || !cell.classList.contains('ag-cell')) return;
    const link = cell.querySelector('a');
    if (link) link.click();
  });
}());
