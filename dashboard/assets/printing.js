/**
 * What paper needs and style sheets cannot give: the map as one picture, tables with all their
 * rows, and the light theme. All of it is put back afterwards.
 *
 * A picture drawn by WebGL is gone once it was shown, so the maps are asked to draw again first.
 */
(function () {
  'use strict';

  const page = document.documentElement;

  /** @type {Array<function(): void>} what puts the page back */
  let undo = [];

  /** @param {Element} element @returns {number} where it stands among its siblings */
  function order(element) { return Number(getComputedStyle(element).zIndex) || 0; }

  /** @param {CanvasRenderingContext2D} context @param {DOMRect} box @param {Element} label */
  function drawLabel(context, box, label) {
    const look = getComputedStyle(label);
    context.fillStyle = look.backgroundColor;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.fillStyle = look.color;
    context.font = look.fontWeight + ' ' + look.fontSize + ' ' + look.fontFamily;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(label.textContent, box.x + box.width / 2, box.y + box.height / 2);
  }

  /**
   * Everything drawn below an element, in the order in which the browser stacks it.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Element} parent
   */
  function drawChildren(context, parent) {
    const children = Array.from(parent.children);
    children.sort(function (one, other) { return order(one) - order(other); });
    children.forEach(function (child) {
      const look = getComputedStyle(child);
      const box = child.getBoundingClientRect();
      if (look.display === 'none' || look.visibility === 'hidden') return;
      context.save();
      context.globalAlpha *= Number(look.opacity);
      const cut = /inset\(0(?:px)? 0(?:px)? 0(?:px)? ([\d.]+)%\)/.exec(look.clipPath);
      if (cut) {
        context.beginPath();
        context.rect(box.x + box.width * cut[1] / 100, box.y, box.width, box.height);
        context.clip();
      }
      if (child instanceof HTMLCanvasElement || child instanceof HTMLImageElement) {
        if (box.width && box.height) context.drawImage(child, box.x, box.y, box.width, box.height);
      } else if (child.classList.contains('map-side') && child.textContent) {
        drawLabel(context, box, child);
      } else if (child.classList.contains('map-divider')) {
        context.fillStyle = getComputedStyle(child, '::before').backgroundColor;
        context.fillRect(box.x + box.width / 2 - 1, box.y, 2, box.height);
      } else {
        drawChildren(context, child);
      }
      context.restore();
    });
  }

  /** The map as it stands on the screen, beside which the real one is hidden. */
  function printMap() {
    const map = document.getElementById('map');
    if (!map || page.dataset.page !== 'map' || !map.clientWidth) return;
    document.dispatchEvent(new CustomEvent('pingan:print'));
    const box = map.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    const picture = document.createElement('canvas');
    picture.className = 'map-printed';
    picture.width = Math.round(box.width * scale);
    picture.height = Math.round(box.height * scale);
    const context = picture.getContext('2d');
    context.fillStyle = getComputedStyle(map.parentElement).backgroundColor;
    context.fillRect(0, 0, picture.width, picture.height);
    context.scale(scale, scale);
    context.translate(-box.x, -box.y);
    drawChildren(context, map);
    map.after(picture);
    undo.push(function () { picture.remove(); });
  }

  /** @param {object} column @returns {string} its heading, with that of its group */
  function heading(column) {
    const group = column.getParent && column.getParent();
    const over = group && group.getColGroupDef && group.getColGroupDef();
    const own = column.getColDef().headerName;
    return over && over.headerName ? over.headerName + ' · ' + own : own;
  }

  /** @param {object} grid @param {object} row @param {object} column @returns {HTMLElement} */
  function cell(grid, row, column) {
    const definition = column.getColDef();
    const value = grid.getCellValue({ rowNode: row, colKey: column, useFormatter: true });
    const made = document.createElement('td');
    const text = value === null || value === undefined || value === '' ? '–' : String(value);
    const tints = definition.cellRenderer === 'DeskChip' && definition.cellRendererParams.tints;
    const raw = row.data[definition.field];
    if (tints && tints[raw]) {
      const chip = document.createElement('span');
      chip.className = 'tint-chip';
      chip.style.setProperty('--tint', tints[raw]);
      chip.textContent = text;
      made.append(chip);
    } else {
      made.textContent = text;
    }
    if (definition.type === 'rightAligned') made.className = 'number';
    return made;
  }

  /** Columns that say something on paper: neither a drawn line nor a link to elsewhere. */
  function printable(column) {
    const definition = column.getColDef();
    const more = definition.cellRendererParams || {};
    return definition.cellRenderer !== 'DeskSpark' &&
      !(definition.cellRenderer === 'DeskLink' && more.href && more.href !== 'href');
  }

  /** A table with every row that the grid holds. @param {HTMLElement} box of the grid */
  function printGrid(box) {
    let grid;
    try {
      grid = window.dash_ag_grid.getApi(box.id);
    } catch (error) {
      return; // not drawn yet
    }
    const columns = grid.getAllDisplayedColumns().filter(printable);
    const table = document.createElement('table');
    table.className = 'desk-table printed-table';
    const heads = table.createTHead().insertRow();
    columns.forEach(function (column) {
      const head = document.createElement('th');
      head.textContent = heading(column);
      if (column.getColDef().type === 'rightAligned') head.className = 'number';
      heads.append(head);
    });
    const body = table.createTBody();
    grid.forEachNodeAfterFilterAndSort(function (row) {
      const line = body.insertRow();
      columns.forEach(function (column) { line.append(cell(grid, row, column)); });
    });
    box.after(table);
    undo.push(function () { table.remove(); });
  }

  function prepare() {
    putBack();
    printMap();
    const theme = page.dataset.theme;
    page.dataset.theme = 'light';
    undo.push(function () { page.dataset.theme = theme; });
    document.querySelectorAll('.desk .desk-grid').forEach(printGrid);
  }

  function putBack() {
    undo.forEach(function (one) { one(); });
    undo = [];
  }

  window.addEventListener('beforeprint', prepare);
  window.addEventListener('afterprint', putBack);
}());
