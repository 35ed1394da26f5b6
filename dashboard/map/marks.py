"""
Marks over the map: three layers of hot spots, never merged into one, and the early signals.

What rests on a comparison with neighbours is told by yes or no alone to a scope short of the whole
city: a p with the neighbours in it would tell of foreign areas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from dashboard import assessment, cells, controls, numerals
from dashboard.areas import hierarchy
from dashboard.elements import html
from dashboard.map import mark_rows
from dashboard.map.mark_rows import HOT, SIGNALS, Hot, Signals

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from dashboard.areas import LevelAreas
    from dashboard.cells import Cells
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

OVERLAYS: Final = (*HOT, SIGNALS)


@dataclass(frozen=True)
class Marks:
    """
    Marks of one overlay inside the focus, the strongest first, arrays of shape (n,).

    Attributes
    ----------
    index
        Of the area in its level, or of the cell in the scope's numbers.
    level
        None for cells.
    total
        Marks there are, those beyond `mark_rows.MOST` included.
    """

    index: NDArray[np.int64]
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    icons: tuple[str, ...]
    labels: tuple[str, ...]
    level: str | None
    total: int
    day: dt.date | None
    """Last day that they stand for; None where nothing is kept for the window."""
    is_withheld: bool = False
    """They would tell of the few foreign areas of the level."""
    sizes: tuple[float, ...] = ()
    """Of each icon, times the usual one; empty where all have that."""
    resolution: int | None = None
    """Of the cells."""

    def to_json(self) -> dict[str, Any]:
        """As they travel to the browser."""
        return {
            "n": len(self.index),
            "lng": self.lng.round(5).tolist(),
            "lat": self.lat.round(5).tolist(),
            "icon": list(self.icons),
            "index": self.index.tolist(),
            "level": self.level,
            "label": list(self.labels),
        } | ({"size": list(self.sizes)} if self.sizes else {})


class Key(NamedTuple):
    """Legend of a layer in an image: title, icon and text of each row, notes."""

    title: str
    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def overlays_on_offer(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """Overlays whose tables exist; none for a scope that covers no area exactly."""
    if not scope.sees_areas or assessment.settings(scope, snapshot) is None:
        return ()
    held = set(snapshot.tables())
    hot = HOT if "area_hotspots" in held else ()
    return (*hot, *((SIGNALS,) if "signals" in held else ()))


def marks(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,
) -> dict[str, Any]:
    """
    Points of an overlay inside the focus and the scope, as the browser takes them.

    Parameters
    ----------
    resolution
        Of the cells, where the hot spots of cells are asked for: the nearest that is kept. Areas
        otherwise, and for a scope that may not see every cell whole.

    Raises
    ------
    NotVisibleError
        The scope covers no area exactly.
    LookupError
        The overlay is not on offer.
    """
    return found(scope, snapshot, view, overlay, words, resolution=resolution).to_json()


def found(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,
) -> Marks:
    """Find the marks of an overlay; see `marks`."""
    mark_rows.check(scope, snapshot)
    if overlay not in overlays_on_offer(scope, snapshot):
        raise LookupError(f"overlay {overlay!r} is not on offer")
    if overlay == SIGNALS:
        return _signals(scope, snapshot, view, words)
    end = view.selection.window.end
    where: Cells | LevelAreas
    if resolution is not None and cells.covers_city(scope):
        resolution = mark_rows.kept_resolution(scope, snapshot, end, resolution)
        hot = mark_rows.hot_cells(scope, snapshot, overlay, view.focus, end, resolution)
        where = cells.register(scope, snapshot, resolution)
    else:
        hot = mark_rows.hot_areas(scope, snapshot, overlay, view.focus, end)
        hot = replace(hot, level=hot.level or view.level)
        where = hierarchy(scope, snapshot).at(hot.level or view.level)
    drawn = _hot(scope, hot, view, words, overlay=overlay, where=where)
    return replace(drawn, resolution=resolution if drawn.level is None else None)


def mark_legend(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,
) -> list[Component]:
    """Icon, name, how many of how many, what they mean and as of when."""
    shown = found(scope, snapshot, view, overlay, words, resolution=resolution)
    number = _number(shown, words)
    icons = ("signal-4", "signal-3", "signal-2") if overlay == SIGNALS else (overlay,)
    swatches = [html.Span(className=f"mark-swatch mark-{icon}") for icon in icons]
    rows: list[Component] = [
        html.Div(
            [*swatches, html.Span(words(f"mark_{overlay}")), html.Small(number)],
            className="legend-row",
        ),
    ]
    notes = [words(f"mark_about_{overlay}")]
    if overlay == SIGNALS:
        notes.insert(0, words("assess_signal_label"))
    if shown.total > len(shown.index):
        left = f"{shown.total - len(shown.index):,d}"
        notes.append(words("mark_left_out", shown=f"{len(shown.index):,d}", left=left))
    if shown.day is not None:
        notes.append(_as_of(snapshot, shown, words))
    if view.selection.categories is not None or view.selection.min_severity > 0:
        notes.append(words("assess_unfiltered"))
    return [*rows, *(html.Div(note, className="legend-note") for note in notes)]


def key(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,
) -> Key:
    """One row for each icon, with how many there are and what they mean."""
    shown = found(scope, snapshot, view, overlay, words, resolution=resolution)
    number, about = _number(shown, words), words(f"mark_about_{overlay}")
    title = words(f"mark_{overlay}")
    if overlay != SIGNALS:
        where = () if shown.level else (_as_of(snapshot, shown, words),)
        return Key(title, ((overlay, number),), (about, *where))
    settings = assessment.settings(scope, snapshot)
    named = {} if settings is None else settings.signals
    rows = tuple(
        (f"signal-{colour}", words.pick(*named.get(colour, (str(colour),) * 2)))
        for colour in (4, 3, 2)
    )
    # Together, as the first note is never left out.
    label = words("image_join").join((number, words("assess_signal_label")))
    return Key(title, rows, (label, about))


def _number(shown: Marks, words: Words) -> str:
    """How many of how many, or why there are none."""
    if shown.is_withheld:
        return words("mark_withheld")
    if shown.day is None:
        return words("mark_none_kept")
    if not shown.total:
        return words("mark_none")
    return words("mark_total", shown=f"{len(shown.index):,d}", total=f"{shown.total:,d}")


def _as_of(snapshot: Snapshot, shown: Marks, words: Words) -> str:
    where = (
        words("mark_cell", resolution=shown.resolution)
        if shown.level is None
        else controls.level_name(snapshot, shown.level, words)
    )
    return f"{words('assess_as_of', day=shown.day)} · {where}"


def _hot(scope: Scope, hot: Hot, view: View, words: Words, *, overlay: str, where: Any) -> Marks:
    """
    Marks of one layer.

    Parameters
    ----------
    where
        Has `lng` and `lat` by index.
    """
    index = hot.index
    return Marks(
        index=index,
        lng=where.lng[index],
        lat=where.lat[index],
        icons=(overlay,) * len(index),
        labels=tuple(
            _hot_label(
                hot,
                at,
                words,
                overlay=overlay,
                grain=view.selection.window.grain,
                with_p=scope.sees_all,
            )
            for at in range(len(index))
        ),
        level=hot.level,
        total=hot.total,
        day=view.selection.window.last_day if hot.is_kept else None,
        is_withheld=hot.is_withheld,
    )


def _hot_label(hot: Hot, at: int, words: Words, *, overlay: str, grain: str, with_p: bool) -> str:
    """Class, count and what was expected or how unusual it is; no name."""
    group = str(hot.group[at])
    name = words(f"mark_{overlay}")
    head = f"{name} · {words(f'mark_group_{group}')}" if group not in ("", "none") else name
    count = words(
        f"mark_count_{grain}", count=f"{int(hot.count[at]):,d}", recent=f"{int(hot.recent[at]):,d}"
    )
    told = [head, count]
    if overlay == "more" and np.isfinite(hot.expected[at]):
        told.append(words("mark_expected", expected=numerals.rate(float(hot.expected[at]), words)))
    if overlay == "clusters" and with_p:
        told.append(words("mark_p", p=numerals.probability(float(hot.p[at]), words)))
    if hot.stable is not None:
        told.append(words("mark_stable" if hot.stable[at] else "mark_unstable"))
    return words("assess_join").join(told)


def _signals(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Marks:
    window = view.selection.window
    signals = mark_rows.area_signals(scope, snapshot, view.focus, view.level, window.last_day)
    areas = hierarchy(scope, snapshot).at(signals.level)
    return Marks(
        index=signals.index,
        lng=areas.lng[signals.index],
        lat=areas.lat[signals.index],
        icons=tuple(f"signal-{colour}" for colour in signals.colour),
        labels=_signal_labels(scope, snapshot, signals, words),
        level=signals.level,
        total=signals.total,
        day=signals.day,
    )


def _signal_labels(
    scope: Scope, snapshot: Snapshot, signals: Signals, words: Words
) -> tuple[str, ...]:
    settings = assessment.settings(scope, snapshot)
    colours = {} if settings is None else settings.signals
    groups = {} if settings is None else settings.groups
    labels = []
    for row in signals.rows:
        colour = words.pick(*colours.get(row.colour, (str(row.colour),) * 2))
        everything = (words("assess_all"),) * 2
        group = everything if row.group == "all" else groups.get(row.group, (row.group,) * 2)
        told = words(
            "mark_signal",
            colour=colour,
            group=words.pick(*group),
            days=row.window_days,
            observed=f"{row.observed:,.0f}",
            expected=numerals.rate(row.expected, words),
            lower=f"{row.lower:,.0f}",
            upper=f"{row.upper:,.0f}",
        )
        others = row.others
        labels.append(words("mark_signal_more", told=told, n=others) if others else told)
    return tuple(labels)
