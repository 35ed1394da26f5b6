"""Legends of an image: the same words and half-open bands as on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard import cells
from dashboard.images.picture import Legend, Row
from dashboard.map import layers
from dashboard.map.banded import half_open
from dashboard.map.view import AREA_COLOURS, NO_DATA_COLOUR, cell_colours, cell_ranges
from data import rates

if TYPE_CHECKING:
    from dashboard.images.gather import Shown
    from dashboard.text import Words
    from data.access import Scope

PLAIN: Final = "var(--surface)"


def legends(scope: Scope, one: Shown, words: Words) -> tuple[Legend, ...]:
    """Legend of the main layer, then those of what is drawn over it, the topmost first."""
    over = []
    heat = layers.heat(scope, one.snapshot, one.view)
    for each in reversed(layers.present(scope, one.snapshot, one.view)):
        if layers.is_symbols(scope, one.snapshot, each.name):
            over.append(_symbols(scope, one, each.name, words))
        if each.name == heat:
            over.append(_cells(scope, one, words))
    return (main(scope, one, words), *over)


def main(scope: Scope, one: Shown, words: Words) -> Legend:
    """Legend of the main layer."""
    if scope.is_protected:
        return _protected(words)
    if one.found is None:
        return _cells(scope, one, words)
    found = one.found
    small = [Row("hatched", PLAIN, words("legend_small"))] if found.small else []
    rows = [
        Row("fill", colour, text) for colour, text in zip(found.colours, found.texts, strict=True)
    ]
    return Legend(
        title=found.title,
        rows=(*rows, Row("hatched", NO_DATA_COLOUR, found.no_data), *small),
        notes=found.notes,
    )


def _protected(words: Words) -> Legend:
    texts = half_open(rates.BAND_EDGES, "R")
    rows = [
        Row("fill", colour, f"{words(f'band_{band}')}  {text}")
        for band, (colour, text) in enumerate(zip(AREA_COLOURS, texts, strict=True), start=1)
    ]
    withheld = Row("hatched", NO_DATA_COLOUR, words("withheld"))
    small = Row("hatched", PLAIN, words("legend_small"))
    return Legend(words("legend_areas"), (*rows, withheld, small))


def _cells(scope: Scope, one: Shown, words: Words) -> Legend:
    manifest = one.snapshot.manifest
    edges = manifest.city["cell_bands"]
    found = cells.cell_counts(scope, one.snapshot, one.resolution, one.view.selection)
    period = words(f"period_{manifest.grain}")
    rows = [
        Row("fill", colour, text)
        for colour, text in zip(cell_colours(edges), cell_ranges(edges), strict=True)
    ]
    notes = [
        words("legend_cells_below", edge=edges[0]),
        words("legend_resolution", resolution=one.resolution),
        words(
            "legend_cells_sum",
            drawn=f"{int(np.sum(found.counts)):,d}",
            no_point=f"{found.no_point:,d}",
        ),
    ]
    if not cells.covers_city(scope):
        notes.append(words("legend_cells_own"))
    return Legend(words("legend_cells", period=period), tuple(rows), tuple(notes))


def _symbols(scope: Scope, one: Shown, name: str, words: Words) -> Legend:
    """Legend of icons."""
    snapshot, view = one.snapshot, one.view
    resolution = layers.symbol_resolution(scope, snapshot, view, one.resolution)
    told = layers.source_of(scope, snapshot, name).key(
        scope, snapshot, view, name, words, resolution=resolution
    )
    rows = tuple(Row(icon, "", text) for icon, text in told.rows)
    return Legend(told.title, rows, told.notes)
