/* Settles the theme `auto` by the reader's own setting, then hands the view to the map. */
function applyView(view) {
  if (!view || view.theme !== 'auto') return window.dash_clientside.pingan.applyView(view);
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const settled = Object.assign({}, view, { theme: dark ? 'dark' : 'light' });
  return window.dash_clientside.pingan.applyView(settled);
}
