/* Keeps the camera in the address without a new history entry, and tells the cells' resolution. */
function keepCamera(camera, view) {
  const none = window.dash_clientside.no_update;
  if (!camera) return null;
  const address = new URL(window.location.href);
  address.searchParams.delete('camera');
  let search = address.searchParams.toString();
  if (!camera.reset) {
    const at = [camera.lng, camera.lat, camera.zoom].join(',');
    search += (search ? '&' : '') + 'camera=' + at;
  }
  address.search = search;
  window.history.replaceState(window.history.state, '', address);
  if (camera.reset || !view) return null;
  const passed = view.zoom_edges.filter(function (edge) { return camera.zoom >= edge; });
  const wanted = String(view.coarsest + passed.length);
  if (view.layer !== 'cells' || !(wanted in view.cells)) return none;
  return Number(wanted);
}
