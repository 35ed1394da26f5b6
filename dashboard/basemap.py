"""
A raster base map under the areas: off by default, and always asked from this host.

It is the city's own: a folder `{z}/{x}/{y}.png`, an MBTiles file, or an XYZ or WMTS service whose
key stays on the server. Tiles are those of Web Mercator (EPSG:3857), which Tianditu names `_w`.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import current_app, has_app_context

from dashboard.signin.external import AnswerError
from dashboard.signin.outgoing import fetch
from geo.tiles import read_tile

if TYPE_CHECKING:
    from flask import Flask

    from data.settings import Settings

TIMEOUT_S: Final = 4.0
ZOOMS: Final = (1, 18)
_EXTENSION: Final = "pingan_basemap"
_KINDS: Final = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))
_SUFFIXES: Final = ("png", "jpg", "webp")

log = logging.getLogger("dashboard.basemap")


class BasemapError(RuntimeError):
    """The tile cannot be had now; the message names no key."""


@dataclass(frozen=True)
class Basemap:
    """
    Where the tiles come from.

    Attributes
    ----------
    source
        `https://…{z}…{x}…{y}…` (with `{key}` where one is wanted), a folder, or an MBTiles file.
    key
        Put in the place of `{key}`; never sent to a browser.
    notice
        Approval number and owner of the base map, shown on the map.
    """

    source: str
    key: str = ""
    notice: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether another server is asked."""
        return self.source.startswith(("http://", "https://"))

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """
        One tile as an image; None where there is none.

        Raises
        ------
        BasemapError
            The source does not answer.
        """
        if not (0 <= z <= ZOOMS[1] and 0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        if self.is_remote:
            return self._fetched(z, x, y)
        path = Path(self.source)
        if path.is_dir():
            found = (path / str(z) / str(x) / f"{y}.{suffix}" for suffix in _SUFFIXES)
            file = next((each for each in found if each.is_file()), None)
            return file.read_bytes() if file else None
        try:
            return read_tile(path, z, x, y)
        except (FileNotFoundError, sqlite3.Error) as error:
            raise BasemapError(f"the base map {path.name} cannot be read") from error

    def _fetched(self, z: int, x: int, y: int) -> bytes | None:
        address = self.source.format(z=z, x=x, y=y, key=self.key)
        try:
            answer = fetch(self.source, address, timeout_s=TIMEOUT_S)
        except AnswerError as error:
            raise BasemapError(f"the base map does not answer: {error}") from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise BasemapError(f"the base map answered {answer.status_code}")
        content: bytes = answer.content
        return content


def faults(settings: Settings) -> list[str]:
    """What is wrong with the settings of the base map; empty = nothing."""
    source = settings.basemap
    if not source:
        return []
    if source.startswith(("http://", "https://")):
        try:
            source.format(z=0, x=0, y=0, key="")
        except (KeyError, IndexError, ValueError):
            return ["PINGAN_BASEMAP: only {z}, {x}, {y} and {key} may stand in its braces"]
        missing = [name for name in ("{z}", "{x}", "{y}") if name not in source]
        return [f"PINGAN_BASEMAP has no {' '.join(missing)}"] if missing else []
    return [] if Path(source).exists() else [f"PINGAN_BASEMAP: {source} does not exist"]


def install(server: Flask, settings: Settings) -> None:
    """Have the application use the base map of its settings, if there is one."""
    if settings.basemap:
        found = Basemap(settings.basemap, settings.basemap_key, settings.basemap_notice)
        server.extensions[_EXTENSION] = found


def present() -> Basemap | None:
    """Base map of the application that is answering; None where there is none."""
    if not has_app_context():
        return None
    found: Basemap | None = current_app.extensions.get(_EXTENSION)
    return found


def drawn(opacity: float) -> dict[str, Any] | None:
    """What the browser's map is told of it."""
    found = present()
    if found is None:
        return None
    return {
        "tiles": "/basemap/{z}/{x}/{y}",
        "minzoom": ZOOMS[0],
        "maxzoom": ZOOMS[1],
        "opacity": opacity,
        "notice": found.notice,
    }


def kind(content: bytes) -> str | None:
    """Media type of an image by its first bytes; None for what is none that a map shows."""
    return next((name for start, name in _KINDS if content.startswith(start)), None)
