"""What the tests ask an open map, whichever engine draws it."""

RENDERERS = ["gl", "canvas"]

KEEP_ENGINE = """
window.addEventListener('DOMContentLoaded', () => {
  Object.values(PinganMap.engines).forEach((factory) => {
    const create = factory.create;
    factory.create = (box, report) => (window.engine = create(box, report));
  });
  const flat = () => document.getElementById('map').dataset.renderer === 'canvas';
  const look = () => {
    if (flat()) return engine.camera.look();
    const c = engine.map.getCenter();
    return { lng: c.lng, lat: c.lat, zoom: engine.map.getZoom() };
  };
  window.probe = {
    look: look,
    project: (lng, lat) => {
      const p = flat() ? engine.map.latLngToContainerPoint([lat, lng])
        : engine.map.project([lng, lat]);
      return [p.x, p.y];
    },
    moving: () => (flat() ? engine.camera.isMoving() : engine.map.isMoving()),
    /** Lines come after the colours: their tiles may still be on the way when these are painted. */
    idle: () => (flat() ? !engine.sheets.running && !engine.awaited &&
      !engine.sheets.store.pending.size : engine.map.loaded()),
    names: () => {
      if (flat()) return engine.signs.shown.map((sign) => sign.name);
      if (!engine.map.getLayer('labels') || !engine.map.loaded()) return [];
      return engine.map.queryRenderedFeatures({ layers: ['labels'] })
        .map((feature) => feature.properties.name);
    },
    /** The drawn colour of one pixel, straight from the map's frame. */
    colour: (x, y) => new Promise((resolve) => {
      if (flat()) {
        const found = Array.from(
          document.querySelectorAll('canvas.leaflet-tile-loaded')).filter((tile) => {
          const box = tile.getBoundingClientRect();
          return x >= box.x && x < box.right && y >= box.y && y < box.bottom &&
            engine.sheets.sheets.get(tile).coords.z === engine.sheets.grid._tileZoom;
        }).pop();
        const box = found.getBoundingClientRect();
        const scale = found.width / box.width;
        resolve(Array.from(found.getContext('2d').getImageData(Math.floor((x - box.x) * scale),
          Math.floor((y - box.y) * scale), 1, 1).data.slice(0, 3)));
        return;
      }
      const map = engine.map;
      map.once('render', () => {
        const gl = map.getCanvas().getContext('webgl2');
        const pixel = new Uint8Array(4);
        const scale = map.getCanvas().width / map.getCanvas().clientWidth;
        gl.readPixels(Math.round(x * scale), Math.round(gl.drawingBufferHeight - y * scale),
          1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
        resolve(Array.from(pixel.slice(0, 3)));
      });
      map.triggerRepaint();
    })
  };
});
"""
"""Sets `engine`, and `probe` with the same questions to either."""

FOCUSED = ".map-canvas [tabindex='0']"
"""What takes the keys of the map."""
