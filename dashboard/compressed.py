"""
Scripts and style sheets in their smallest form: compressed once at set-up, sent as they lie there.

The strongest compression takes seconds a file, too long for a visitor to wait for and, spread
over the web processes, for a machine to do again and again. Files are found by their content, so
that a changed library is never answered by its old form.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final

import brotli

from dashboard.vendor import VENDOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Request, Response

FOLDER: Final = VENDOR / "br"
STATIC: Final = ("/_dash-component-suites/", "/assets/")

DASH_FILES: Final = (
    "dash-renderer/build/dash_renderer.min.js",
    "dash_table/bundle.js",
    "dcc/async-dropdown.js",
    "dcc/async-graph.js",
    "dcc/dash_core_components-shared.js",
    "dcc/dash_core_components.js",
    "deps/*.min.js",
    "html/dash_html_components.min.js",
)
"""What the page loads of Dash; relative to the package, some as patterns."""


class Compressed:
    """Answers static files from the folder; one that is not there goes on as it is."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._kept: dict[tuple[str, str | None], bytes | None] = {}

    def apply(self, asked: Request, answer: Response) -> Response:
        """
        Replace the body of a whole static file by its compressed form where the client takes it.

        The tag becomes a weak one: it stands for the file, in whatever encoding.
        """
        if not asked.path.startswith(STATIC) or answer.status_code != 200:
            return answer
        tag, _ = answer.get_etag()
        if tag is not None:
            answer.set_etag(tag, weak=True)
        answer.direct_passthrough = False
        # Held as a whole from here on, so that what is not in the folder is compressed once too.
        content = answer.get_data()
        if asked.accept_encodings.quality("br") <= 0:
            return answer
        key = (asked.path, tag)
        if key not in self._kept:
            self._kept[key] = self._find(content)
        found = self._kept[key]
        if found is not None:
            answer.set_data(found)
            answer.headers["Content-Encoding"] = "br"
            answer.vary.add("Accept-Encoding")
        return answer

    def _find(self, content: bytes) -> bytes | None:
        path = self._folder / _name(content)
        return path.read_bytes() if path.is_file() else None


def compress_files(paths: Iterable[Path], folder: Path = FOLDER) -> list[Path]:
    """
    Write the compressed form of files; those that are there already are left alone.

    Returns
    -------
    written
        The new files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in paths:
        content = path.read_bytes()
        target = folder / _name(content)
        if not target.is_file():
            target.write_bytes(brotli.compress(content, quality=11))
            written.append(target)
    return written


GRID_FILES: Final = ("dash_ag_grid.min.js", "async-community.js")
"""What the pages with tables load of the grid's library."""


def page_files(vendor: Path = VENDOR) -> list[Path]:
    """Every large file of the pages: the vendored ones, those of Dash and those of the grid."""
    found = [path for path in vendor.iterdir() if path.is_file()]
    for package, names in (("dash", DASH_FILES), ("dash_ag_grid", GRID_FILES)):
        spec = importlib.util.find_spec(package)
        folders = [] if spec is None else list(spec.submodule_search_locations or ())
        found += [path for folder in folders for name in names for path in Path(folder).glob(name)]
    return sorted(found)


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32] + ".br"


if __name__ == "__main__":
    for path in compress_files(page_files()):
        print(path)  # noqa: T201 -- the command's output
