/* Keeps the camera in the address's fragment without a new history entry, and tells the cells'
   resolution. Dash's Location hears of the fragment through `popstate`; no callback listens to it. */
function keepCamera(camera, view) {
  const none = window.dash_clientside.no_update;
  if (!camera) return null;
  const address = new URL(window.location.href);
  address.hash = camera.reset ? '' : 'camera=' + [camera.lng, camera.lat, camera.zoom].join(',');
  window.history.replaceState(window.history.state, '', address);
  window.dispatchEvent(new PopStateEvent('popstate', { state: window.history.state }));
  if (camera.reset || !view) return null;
  const passed = view.zoom_edges.filter(function (edge) { return camera.zoom >= edge; });
  const wanted = String(view.coarsest + passed.length);
  const heat = (view.overlays || []).some(function (over) { return /^cells:/.test(over.key); });
  if (!(view.layer === 'cells' || heat) || !(wanted in view.cells)) return none;
  return Number(wanted);
}
