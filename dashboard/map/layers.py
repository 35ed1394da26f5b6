"""The layers that are switched on: what the map draws of each, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboard import basemap, cells
from dashboard.areas import hierarchy
from dashboard.map import marks, overlays
from dashboard.map.view import cell_colours

if TYPE_CHECKING:
    from dashboard.map.overlays import Overlay
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

UNLABELLED: Final = "unlabelled"
"""Takes the names off the map."""


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
        *marks.overlays_on_offer(scope, snapshot),
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
    return [
        {"id": each.name, "opacity": each.opacity / 100} | _kind(snapshot, each.name, resolution)
        for each in present(scope, snapshot, view)
        if each.name not in {UNLABELLED, overlays.BASE}
    ]


def base(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, Any] | None:
    """What the map is told of the base map; None while it is off."""
    found = [each for each in present(scope, snapshot, view) if each.name == overlays.BASE]
    return basemap.drawn(found[0].opacity / 100) if found else None


def _kind(snapshot: Snapshot, name: str, resolution: int) -> dict[str, Any]:
    if name == overlays.CELLS:
        palette = list(cell_colours(snapshot.manifest.city["cell_bands"]))
        return {"type": "fill", "key": f"cells:{resolution}", "palette": palette}
    if name.startswith(overlays.LINES):
        return {"type": "lines", "level": name.removeprefix(overlays.LINES)}
    return {"type": "marks"}


def is_labelled(scope: Scope, snapshot: Snapshot, view: View) -> bool:
    """Whether the names of areas are drawn."""
    return all(each.name != UNLABELLED for each in present(scope, snapshot, view))


def mark_values(
    scope: Scope, snapshot: Snapshot, view: View, words: Words
) -> dict[str, dict[str, Any]]:
    """Icons of the overlays that have any, by name."""
    on_offer = marks.overlays_on_offer(scope, snapshot)
    return {
        each.name: marks.marks(scope, snapshot, view, each.name, words)
        for each in present(scope, snapshot, view)
        if each.name in on_offer
    }
