"""
Copy the browser libraries out of `node_modules` into the folder of assets.

No third-party source is committed: `package.json` pins the versions, npm fetches them, this copies
the few files the page needs. MapLibre 6 is ES modules only; its main module finds the worker under
its own name beside it, so the names must stay. Leaflet comes as its minified build, a third of the
bytes of its ES module; a dynamic import runs either. Modules that name a package import the copy
beside them instead, as the page has neither a bundler nor an import map.
"""

import re
import shutil
from pathlib import Path

VENDOR = Path(__file__).parent / "assets" / "vendor"
NODE_MODULES = Path(__file__).parent.parent / "node_modules"

FILES = {
    "maplibre-gl.mjs": "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre-gl-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
    "maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
    "vector-tile.mjs": "@mapbox/vector-tile/index.js",
    "point-geometry.mjs": "@mapbox/point-geometry/index.js",
    "pbf.mjs": "pbf/index.js",
}
"""Name in the folder of assets → where npm puts it."""

_IMPORTED = {"vector-tile.mjs"}


def missing_vendor_files(vendor: Path = VENDOR) -> list[str]:
    """
    Names of the browser libraries that are not in place.

    Parameters
    ----------
    vendor
        Folder the page is served from.

    Returns
    -------
    names
        File names, in the order of `FILES`; empty when the page can work.
    """
    return [name for name in FILES if not (vendor / name).is_file()]


def copy_vendor_files(node_modules: Path = NODE_MODULES, *, vendor: Path = VENDOR) -> list[Path]:
    """
    Copy the browser libraries into the folder of assets, and drop those no longer needed.

    Parameters
    ----------
    node_modules
        Folder that `npm install` filled.
    vendor
        Target folder; made if absent, files of the same name replaced.

    Returns
    -------
    copied
        The files written.

    Raises
    ------
    FileNotFoundError
        A library is not installed; the message lists the files and says what to run.
    """
    absent = [file for file in FILES.values() if not (node_modules / file).is_file()]
    if absent:
        raise FileNotFoundError(
            f"{len(absent)} of {len(FILES)} browser files are not in {node_modules} "
            f"({', '.join(absent)}); run npm install --no-package-lock first"
        )
    vendor.mkdir(parents=True, exist_ok=True)
    for path in vendor.glob("[!.]*"):
        # What Dash finds in the folder, it loads.
        if path.is_file() and path.name not in FILES:
            path.unlink()
    return [_copy(node_modules / file, vendor / name) for name, file in FILES.items()]


def _copy(source: Path, target: Path) -> Path:
    if target.name not in _IMPORTED:
        return Path(shutil.copyfile(source, target))
    script = source.read_text("utf-8")
    target.write_text(re.sub(r"from '@mapbox/([\w-]+)'", r"from './\1.mjs'", script), "utf-8")
    return target


if __name__ == "__main__":
    for path in copy_vendor_files():
        print(path)  # noqa: T201 -- the command's output
