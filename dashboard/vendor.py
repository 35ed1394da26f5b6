"""
Copy the browser libraries out of `node_modules` into the folder of assets.

No third-party source is committed: `package.json` pins the versions, npm fetches them, this copies
the few files the page needs. MapLibre 6 is ES modules only; its main module finds the worker under
its own name beside it, so the names must stay.
"""

import shutil
from pathlib import Path

VENDOR = Path(__file__).parent / "assets" / "vendor"
NODE_MODULES = Path(__file__).parent.parent / "node_modules"

FILES = (
    "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css",
    "plotly.js-basic-dist-min/plotly-basic.min.js",
)


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
    return [Path(file).name for file in FILES if not (vendor / Path(file).name).is_file()]


def copy_vendor_files(node_modules: Path = NODE_MODULES, *, vendor: Path = VENDOR) -> list[Path]:
    """
    Copy the browser libraries into the folder of assets.

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
    absent = [file for file in FILES if not (node_modules / file).is_file()]
    if absent:
        raise FileNotFoundError(
            f"{len(absent)} of {len(FILES)} browser files are not in {node_modules} "
            f"({', '.join(absent)}); run npm install --no-package-lock first"
        )
    vendor.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(node_modules / file, vendor / Path(file).name)) for file in FILES]


if __name__ == "__main__":
    for path in copy_vendor_files():
        print(path)  # noqa: T201 -- the command's output
