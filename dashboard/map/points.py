"""
Points of incidents: where and what, never who, when or which address.

At most `MOST` symbols are drawn; where a focus has more, the map shows their density instead
(`dashboard.map.layers`). The legend says what is drawn, what is not, and that both make the whole.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.elements import html
from dashboard.map import point_rows
from dashboard.map.marks import Key, Marks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.map.point_rows import Places
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

NAME: Final = "points"
MOST: Final = 3_000
"""Symbols that are drawn at once."""

MANY: Final = "point-many"
"""Symbol of a place with incidents of several kinds."""

SIZES: Final = ((1, 0.7), (2, 0.9), (5, 1.15), (10, 1.45))
"""Least incidents of a place, and the size of its symbol times the usual one."""

DENSE: Final = (800, 0.75)
"""From so many places on every symbol is smaller, by this factor."""


def overlays_on_offer(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """The layer, where the scope may see any point and the snapshot has them."""
    return (NAME,) if point_rows.is_on_offer(scope, snapshot) else ()


def is_crowded(scope: Scope, snapshot: Snapshot, view: View) -> bool:
    """Whether the focus has more places than are drawn."""
    return len(_places(scope, snapshot, view).lng) > MOST


def found(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> Marks:
    """
    Symbols of the places in the focus, the largest first; none where they are too many.

    Raises
    ------
    NotVisibleError
        The focus is outside the scope.
    LookupError
        The layer is not on offer.
    """
    if overlay not in overlays_on_offer(scope, snapshot):
        raise LookupError(f"overlay {overlay!r} is not on offer")
    shown = _places(scope, snapshot, view)
    total = len(shown.lng)
    drawn = slice(0 if total > MOST else total)
    names = _names(scope, snapshot, words)
    counts = shown.counts[drawn]
    return Marks(
        index=np.arange(len(counts)),
        lng=shown.lng[drawn],
        lat=shown.lat[drawn],
        icons=tuple(_icon(row) for row in counts),
        labels=tuple(_label(row, names, words) for row in counts),
        level=None,
        total=total,
        day=view.selection.window.last_day,
        sizes=_sizes(counts.sum(axis=1)),
    )


def mark_legend(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,  # noqa: ARG001 - as every source of symbols
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> list[Component]:
    """Symbol, name and incidents of each kind, the sizes, and the sum that closes it."""
    shown = _places(scope, snapshot, view)
    head = html.Div(
        [html.Span(words("mark_points")), html.Small(_amount(shown, words))],
        className="legend-row",
    )
    if len(shown.lng) > MOST:
        crowded = words("points_crowded", most=f"{MOST:,d}")
        return [html.Div([head, html.Div(crowded, className="legend-note")])]
    rows = [
        _legend_row([html.Span(className=f"mark-swatch mark-{icon}")], name, f"{n:,d}")
        for icon, name, n in _kinds(scope, snapshot, shown, words)
    ]
    sizes = [
        html.Span(
            [
                html.Span(
                    className="mark-swatch mark-size", style={"transform": f"scale({size:g})"}
                ),
                text,
            ],
            className="legend-size",
        )
        for (_, size), text in zip(SIZES, _ranges(), strict=True)
    ]
    closing = html.Div(_sum(shown, words), className="legend-note")
    keyed = [*rows, html.Div(sizes, className="legend-row legend-sizes"), closing]
    about = [words("points_masked"), words("points_sensitive")]
    return [head, html.Div(keyed), *(html.Div(note, className="legend-note") for note in about)]


def key(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,  # noqa: ARG001 - as every source of symbols
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> Key:
    """What an image prints beside the symbols."""
    shown = _places(scope, snapshot, view)
    if len(shown.lng) > MOST:
        note = words("points_crowded", most=f"{MOST:,d}")
        return Key(words("mark_points"), (), (_amount(shown, words), note))
    kinds = _kinds(scope, snapshot, shown, words)
    rows = tuple((icon, f"{name}  {n:,d}") for icon, name, n in kinds)
    sizes = words("points_sizes", sizes=" · ".join(_ranges()))
    return Key(words("mark_points"), rows, (_sum(shown, words), sizes, words("points_masked")))


def _places(scope: Scope, snapshot: Snapshot, view: View) -> Places:
    return point_rows.places(scope, snapshot, view.focus, view.selection)


def _legend_row(swatches: list[Component], name: str, number: str) -> Component:
    return html.Div([*swatches, html.Span(name), html.Small(number)], className="legend-row")


def _names(scope: Scope, snapshot: Snapshot, words: Words) -> list[str]:
    kinds = point_rows.kinds(scope, snapshot)
    names = [words.pick(*pair) for pair in kinds.names]
    return [*names[:-1], words("points_rest")] if kinds.has_rest else names


def _kinds(
    scope: Scope, snapshot: Snapshot, shown: Places, words: Words
) -> list[tuple[str, str, int]]:
    """Symbol, name and incidents under it; every incident that is drawn under one of them."""
    is_mixed = (shown.counts > 0).sum(axis=1) > 1
    alone = shown.counts[~is_mixed].sum(axis=0)
    names = _names(scope, snapshot, words)
    rows = [
        (f"point-{at + 1}", name, int(n))
        for at, (name, n) in enumerate(zip(names, alone, strict=True))
    ]
    several = [(MANY, words("points_several"), int(shown.counts[is_mixed].sum()))]
    return [row for row in (*rows, *several) if row[2]]


def _icon(counts: NDArray[np.int64]) -> str:
    present = np.flatnonzero(counts)
    return f"point-{present[0] + 1}" if len(present) == 1 else MANY


def _label(counts: NDArray[np.int64], names: list[str], words: Words) -> str:
    order = np.argsort(-counts, kind="stable")
    return words("assess_join").join(
        words("points_count", name=names[at], count=f"{counts[at]:,d}")
        for at in order
        if counts[at]
    )


def _sizes(counts: NDArray[np.int64]) -> tuple[float, ...]:
    steps, sizes = zip(*SIZES, strict=True)
    place = np.searchsorted(steps, counts, side="right") - 1
    least, factor = DENSE
    times = factor if len(counts) >= least else 1.0
    return tuple(round(times * sizes[at], 3) for at in place.tolist())


def _ranges() -> list[str]:
    """Printed ranges of the sizes."""
    steps = [step for step, _ in SIZES]
    closed = [f"{low}" if low == high - 1 else f"{low}–{high - 1}" for low, high in pairwise(steps)]
    return [*closed, f"≥ {steps[-1]}"]


def _amount(shown: Places, words: Words) -> str:
    return words("points_amount", count=f"{shown.drawn:,d}", places=f"{len(shown.lng):,d}")


def _sum(shown: Places, words: Words) -> str:
    """What is drawn, every reason for which some is not, and the whole."""
    parts = [words("points_drawn", n=f"{shown.drawn:,d}")] + [
        words(f"points_{reason}", n=f"{n:,d}")
        for reason, n in (
            ("sensitive_n", shown.sensitive),
            ("no_point", shown.no_point),
            ("apart", shown.apart),
            ("beyond", shown.beyond),
        )
        if n
    ]
    return words("points_sum", parts=" + ".join(parts), total=f"{shown.total:,d}")
