"""The layers that are switched on: what the map draws of each, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from dashboard import basemap, cells
from dashboard.areas import hierarchy
from dashboard.map import facilities, live, marks, overlays, points, posts
from dashboard.map.view import cell_colours

if TYPE_CHECKING:
    from dashboard.map.marks import Key, Marks
    from dashboard.map.overlays import Overlay
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

UNLABELLED: Final = "unlabelled"
"""Takes the names off the map."""


class Source(Protocol):
    """What a module offers whose tables are drawn as icons at points."""

    def overlays_on_offer(self, scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
        """Names of its layers: those whose tables exist and that the scope may see."""

    def found(  # noqa: D102 - see `marks.found`
        self, scope: Scope, snapshot: Snapshot, view: View, overlay: str, words: Words,
        *, resolution: int | None = None,
    ) -> Marks: ...  # fmt: skip

    def mark_legend(  # noqa: D102 - see `marks.mark_legend`
        self, scope: Scope, snapshot: Snapshot, view: View, overlay: str, words: Words,
        *, resolution: int | None = None,
    ) -> list[Any]: ...  # fmt: skip

    def key(  # noqa: D102 - see `marks.key`
        self, scope: Scope, snapshot: Snapshot, view: View, overlay: str, words: Words,
        *, resolution: int | None = None,
    ) -> Key: ...  # fmt: skip


SOURCES: Final[tuple[Source, ...]] = (marks, points, facilities, posts, live)
"""
Every module with icons, in the order in which the panel lists them.

A further table of places becomes a layer here: panel, map, legend, image and the rights ask no
other list. (Its name stands in the catalogue as `overlay_<name>`, a new icon in `map_icons.js`.)
"""


def known(scope: Scope, snapshot: Snapshot, layer: str) -> tuple[str, ...]:
    """
    Overlays on offer, in the order in which the panel lists them.

    Those whose tables do not exist, or that the scope may not see, are not among them.
    """
    top, *below = hierarchy(scope, snapshot).order
    del top  # its boundary is always drawn
    heat = [overlays.CELLS] if layer != "cells" and cells.has_cells(scope, snapshot) else []
    base = [overlays.BASE] if basemap.present() else []
    return (
        *(name for source in SOURCES for name in source.overlays_on_offer(scope, snapshot)),
        *heat,
        *(f"{overlays.LINES}{level}" for level in below),
        *base,
        UNLABELLED,
    )


def present(scope: Scope, snapshot: Snapshot, view: View) -> tuple[Overlay, ...]:
    """Overlays of a view, bottom to top."""
    return overlays.read(view.state.overlays, known=known(scope, snapshot, view.state.layer))


def drawn(scope: Scope, snapshot: Snapshot, view: View, resolution: int) -> list[dict[str, Any]]:
    """What the map is told of each overlay; see `Overlay` in map_core.js."""
    over = heat(scope, snapshot, view)
    return [
        {"id": each.name, "opacity": each.opacity / 100}
        | _kind(snapshot, each.name, resolution, is_heat=each.name == over)
        for each in present(scope, snapshot, view)
        if each.name not in {UNLABELLED, overlays.BASE}
    ]


def base(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, Any] | None:
    """What the map is told of the base map; None while it is off."""
    found = [each for each in present(scope, snapshot, view) if each.name == overlays.BASE]
    return basemap.drawn(found[0].opacity / 100) if found else None


def _kind(snapshot: Snapshot, name: str, resolution: int, *, is_heat: bool) -> dict[str, Any]:
    if is_heat:
        palette = list(cell_colours(snapshot.manifest.city["cell_bands"]))
        return {"type": "fill", "key": f"cells:{resolution}", "palette": palette}
    if name.startswith(overlays.LINES):
        return {"type": "lines", "level": name.removeprefix(overlays.LINES)}
    return {"type": "marks"}


def is_labelled(scope: Scope, snapshot: Snapshot, view: View) -> bool:
    """Whether the names of areas are drawn."""
    return all(each.name != UNLABELLED for each in present(scope, snapshot, view))


def heat(scope: Scope, snapshot: Snapshot, view: View) -> str:
    """Layer that is drawn as the density of cells: its own, or points that are too many; or ""."""
    names = {each.name for each in present(scope, snapshot, view)}
    if overlays.CELLS in names:
        return overlays.CELLS
    if view.state.layer == "cells" or points.NAME not in names:
        return ""
    shows = points.is_crowded(scope, snapshot, view) and cells.has_cells(scope, snapshot)
    return points.NAME if shows else ""


def is_symbols(scope: Scope, snapshot: Snapshot, name: str) -> bool:
    """Whether a layer is drawn as icons."""
    return any(name in source.overlays_on_offer(scope, snapshot) for source in SOURCES)


def source_of(scope: Scope, snapshot: Snapshot, name: str) -> Source:
    """
    Module that a layer of icons is from.

    Raises
    ------
    LookupError
        It is not on offer.
    """
    for source in SOURCES:
        if name in source.overlays_on_offer(scope, snapshot):
            return source
    raise LookupError(f"overlay {name!r} is not on offer")


def symbol_resolution(scope: Scope, snapshot: Snapshot, view: View, resolution: int) -> int | None:
    """Resolution of the hot spots while cells are drawn; None while areas alone are."""
    shows_cells = view.state.layer == "cells" or heat(scope, snapshot, view)
    return resolution if shows_cells else None


def symbols(
    scope: Scope, snapshot: Snapshot, view: View, resolution: int, words: Words
) -> dict[str, Marks]:
    """Icons of the layers that have any, by name, bottom to top."""
    over = symbol_resolution(scope, snapshot, view, resolution)
    return {
        each.name: source_of(scope, snapshot, each.name).found(
            scope, snapshot, view, each.name, words, resolution=over
        )
        for each in present(scope, snapshot, view)
        if is_symbols(scope, snapshot, each.name)
    }


def legend(
    scope: Scope, snapshot: Snapshot, view: View, name: str, words: Words, *, resolution: int
) -> list[Any]:
    """Legend of one layer of icons."""
    over = symbol_resolution(scope, snapshot, view, resolution)
    source = source_of(scope, snapshot, name)
    return source.mark_legend(scope, snapshot, view, name, words, resolution=over)
