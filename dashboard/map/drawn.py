"""The map of one view: where it looks, what it draws, the values, and the panel of its layers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import cells, controls, layer_panel, protected, surroundings
from dashboard.areas import hierarchy
from dashboard.elements import html
from dashboard.map import compared, known, layers, measures
from dashboard.map import values as map_values
from dashboard.map import view as map_views
from dashboard.text import Words
from dashboard.view import settle
from data.access import decide

if TYPE_CHECKING:
    from dashboard.map.measures import Measured
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Answer = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One map: a view and what its colours show; None = cells, or the protected tier."""

    snapshot: Snapshot
    view: View
    resolution: int
    found: Measured | None


def draw_map(
    scope: Scope,
    snapshot: Snapshot,
    *,
    search: str,
    fragment: str,
    resolution: int | None,
    archive: known.Archive | None = None,
) -> Answer:
    """
    The map's view, its values and its legend.

    Parameters
    ----------
    archive
        Earlier snapshots, for a view beside what was known then.

    Returns
    -------
    answer
        `view`, `values` and `legend`.
    """
    view = settle(scope, snapshot, search + fragment)
    words = Words(view.state.lang)
    held = {entry["resolution"] for entry in snapshot.manifest.cells}
    if resolution is None or resolution not in held:
        zoom = map_views.opening_zoom(scope, snapshot, view)
        resolution = map_views.pick_resolution(snapshot, zoom)
    main = _side(scope, snapshot, view, resolution, words)
    drawn = map_views.map_view(scope, snapshot, view, words, resolution)
    drawn = _with_words(drawn, main) | {
        "opacity": view.state.opacity / 100,
        "overlays": layers.drawn(scope, snapshot, view, resolution),
        "base": layers.base(scope, snapshot, view),
        "labelled": layers.is_labelled(scope, snapshot, view),
        "search": view.state.to_search(),
        "above": _above(scope, snapshot, view),
    }
    notes: list[Any] = []
    second = None
    kind = view.state.compare
    if earlier := known.then(scope, archive, snapshot, view):
        second = _side(scope, earlier.snapshot, earlier.view, resolution, words)
        titles = [known.title(each, words) for each in (snapshot, earlier.snapshot)]
        notes = known.changes(scope, snapshot, view, earlier, words)
    elif beside := compared.other(scope, snapshot, view):
        second = _side(scope, snapshot, beside, resolution, words)
        titles = [compared.title(snapshot, each, kind, words) for each in (view, beside)]
    values = _values(scope, main, words, is_beside=second is not None)
    if second:
        drawn["title"] = titles[0]
        drawn["split"] = view.state.split
        drawn["other"] = _other(scope, second, words) | {"title": titles[1]}
        values["other"] = _values(scope, second, words, is_beside=True)
        values["version"] += values["other"]["version"]
    return {
        "view": drawn | {"values": values["version"]},
        "values": values,
        "legend": _panel(scope, main, second, words, notes=notes, archive=archive),
    }


def _above(scope: Scope, snapshot: Snapshot, view: View) -> str | None:
    """Code of the area that the focus is left for, empty at the top; None where there is none."""
    tree = hierarchy(scope, snapshot)
    above = tree.parent(view.focus)
    if above is None:
        return None
    return "" if above == tree.top() else tree.code(above)


def _other(scope: Scope, side: Side, words: Words) -> Answer:
    """The view of a second map: geometry too, which an earlier snapshot has of its own."""
    whole = map_views.map_view(scope, side.snapshot, side.view, words, side.resolution)
    kept = ("boundary", "levels", "cells", "focus", "names", "palette", "labels", "selected")
    return _with_words({name: whole[name] for name in kept}, side) | {"overlays": []}


def _side(scope: Scope, snapshot: Snapshot, view: View, resolution: int, words: Words) -> Side:
    if scope.is_protected or view.state.layer == "cells":
        return Side(snapshot, view, resolution, None)
    found = measures.measured(scope, snapshot, view, view.state.measure, words)
    return Side(snapshot, view, resolution, found)


def _with_words(drawn: Answer, side: Side) -> Answer:
    """The colours of a measure, and the words for its bands."""
    if side.found is None:
        return drawn
    bands = drawn["labels"]["bands"] | {"areas": list(side.found.texts)}
    return drawn | {
        "palette": drawn["palette"] | {"areas": list(side.found.colours)},
        "labels": drawn["labels"] | {"bands": bands, "no_data": side.found.no_data},
    }


def _values(scope: Scope, side: Side, words: Words, *, is_beside: bool) -> Answer:
    """
    Values of the main layer and, under `overlays`, of those over it that have any.

    Beside another map every area has its count, as the reader compares the two under the pointer.
    """
    snapshot, view = side.snapshot, side.view
    if scope.is_protected:
        values = protected.area_values(scope, snapshot, view)
    elif side.found is None:
        values = map_values.cell_values(scope, snapshot, view, side.resolution)
    else:
        few = len(side.found.bands) <= map_values.MOST_COUNTED
        values = map_values.area_values(
            scope, snapshot, view, side.found, is_counted=few or is_beside
        )
    drawn = layers.symbols(scope, snapshot, view, side.resolution, words)
    over = {name: found.to_json() for name, found in drawn.items()}
    if heat := layers.heat(scope, snapshot, view):
        over[heat] = map_values.cell_values(scope, snapshot, view, side.resolution)
    if over:
        versions = repr((values["version"], over)).encode()
        version = hashlib.sha256(versions).hexdigest()[:16]
        values |= {"overlays": over, "version": version}
    return values


def _panel(
    scope: Scope,
    main: Side,
    second: Side | None,
    words: Words,
    *,
    notes: list[Any],
    archive: known.Archive | None,
) -> list[Any]:
    """Every legend, and the switches of the layers."""
    snapshot, view = main.snapshot, main.view
    legends: dict[str, list[Any]] = {}
    heat = layers.heat(scope, snapshot, view)
    for name in (each.name for each in layers.present(scope, snapshot, view)):
        if layers.is_symbols(scope, snapshot, name):
            legends[name] = layers.legend(
                scope, snapshot, view, name, words, resolution=main.resolution
            )
        if name == heat:
            density = _cell_legend(scope, main, words)
            # Under a legend of its own it is one part, which is not folded.
            legends[name] = [*legends[name], html.Div(density)] if name in legends else density
    shown = [*_legend(scope, main, words)]
    if second and second.found and main.found and second.found.name != main.found.name:
        shown += _legend(scope, second, words)
    return layer_panel.draw(
        view.state,
        measures=measures.on_offer(scope, snapshot),
        known=layers.known(scope, snapshot, view.state.layer),
        level_names={
            level: controls.level_name(snapshot, level, words)
            for level in hierarchy(scope, snapshot).order
        },
        comparisons=[
            *compared.on_offer(scope, snapshot, view, words),
            *known.on_offer(scope, archive, snapshot, words),
        ],
        main=[*shown, *notes],
        legends=legends,
        words=words,
        has_image=decide(scope, "export").is_allowed,
    )


def _legend(scope: Scope, side: Side, words: Words) -> list[Any]:
    if scope.is_protected:
        return surroundings.area_legend(words, protected=True)
    if side.found is None:
        return _cell_legend(scope, side, words)
    return surroundings.measure_legend(side.found, words)


def _cell_legend(scope: Scope, side: Side, words: Words) -> list[Any]:
    """Legend of the density of cells, with the sum that closes it."""
    snapshot = side.snapshot
    found = cells.cell_counts(scope, snapshot, side.resolution, side.view.selection)
    return surroundings.cell_legend(
        snapshot.manifest,
        side.resolution,
        drawn=int(np.sum(found.counts)),
        no_point=found.no_point,
        whole=cells.covers_city(scope),
        words=words,
    )
