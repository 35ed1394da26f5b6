"""The panel of the hours of the week: a grid of weekdays and hours, and what stands out of it."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import controls, hours, panels, queries
from dashboard.elements import html
from dashboard.markup import attributes
from dashboard.text import catalogue

if TYPE_CHECKING:
    from dashboard.hours import Week
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

EDGES: Final = (0.5, 1.0, 1.5, 2.5)
"""Half-open bands of a cell over what an even week would give it; the same for every view."""


def draw(scope: Scope, snapshot: Snapshot, view: View, name: str, words: Words) -> html.Section:
    """
    Hours of the week of the area in view, or why they are not shown.

    Raises
    ------
    NotVisibleError
        The area is outside the scope.
    """
    title, area = words("hours_title", name=name), view.subject
    found = hours.week(scope, snapshot, area, view.selection)
    if found is None:
        level = controls.level_name(snapshot, area.level, words)
        return _empty(title, words("hours_none", level=level), words)
    untold = _untold(found, words)
    if not found.told + found.untold:
        return _empty(title, words("empty_selection"), words)
    if found.told < hours.FEWEST:
        few = words("hours_few", n=f"{found.told:,d}", least=hours.FEWEST)
        return _empty(title, f"{few} {untold}", words)
    notes = [untold]
    if found.group is not None:
        label = queries.category_labels(scope, snapshot)[found.group]
        notes.insert(0, words("hours_widened", name=words.pick(label.name_zh, label.name_en)))
    return panels.panel(
        title,
        *_peaks(found, words),
        _grid(found, title, words),
        _legend(found, words),
        about="hours",
        words=words,
        note=" ".join(filter(None, notes)),
    )


def _empty(title: str, text: str, words: Words) -> html.Section:
    return panels.panel(title, panels.empty(words, text), about="hours", words=words)


def _untold(found: Week, words: Words) -> str:
    total = found.told + found.untold
    return words("hours_untold", n=f"{found.untold:,d}", m=f"{total:,d}") if found.untold else ""


def _peaks(found: Week, words: Words) -> list[html.P]:
    """What stands out, a sentence each."""
    said = []
    for one in hours.peaks(found):
        kind = "part" if one.weekday is None else "day" if one.hour is None else "block"
        said.append(
            words(
                f"hours_peak_{kind}",
                day="" if one.weekday is None else words(f"weekday_{one.weekday + 1}"),
                first=one.hour,
                last=(one.hour or 0) + hours.BLOCK,
                share=f"{one.share:.1%}",
                even=f"{one.even:.1%}",
            )
        )
    return [html.P(text, className="hours-peak") for text in said or [words("hours_no_peak")]]


def _grid(found: Week, title: str, words: Words) -> html.Div:
    """The table as the data that assets/hours_grid.js builds it from."""
    step = found.hours
    counts, even = found.cells(step), found.even(step)
    bands = 1 + np.digitize(counts / np.where(even > 0, even, np.inf), EDGES)
    grid = {
        "caption": title,
        "corner": words("hours_day"),
        "days": [words(f"weekday_{day}") for day in range(1, hours.DAYS + 1)],
        "hours": step,
        "counts": counts.tolist(),
        "bands": bands.tolist(),
        "told": catalogue()["hours_cell"][words.lang == "en"],
    }
    told = json.dumps(grid, ensure_ascii=False, separators=(",", ":"))
    return html.Div(className="hours-box", **attributes(data_grid=told))


def _legend(found: Week, words: Words) -> html.Div:
    printed = [
        f"< {EDGES[0]:g}",
        *(f"{low:g}–{high:g}" for low, high in pairwise(EDGES)),
        f"≥ {EDGES[-1]:g}",
    ]
    swatches = [
        html.Span([html.I(className=f"hour-{band}"), text])
        for band, text in enumerate(printed, start=1)
    ]
    label = words(f"hours_legend_{found.hours}")
    return html.Div([html.Span(label), *swatches], className="hours-legend")
