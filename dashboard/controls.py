"""The filters above the map: choices and present value of each, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dash import dcc, html

from dashboard import cells, ids, queries
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.markup import attributes
from dashboard.state import PERIOD_CHOICES, SEVERITIES, SPANS
from dashboard.text import LANGUAGES, Words
from dashboard.windows import ends, starts
from data.periods import label

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Choice = dict[str, Any]

SEARCHED: Final = (ids.START, ids.END, ids.CATEGORY)
"""Lists long enough to type in; the words of their search box follow the language."""


def segmented(name: str) -> dcc.RadioItems:
    """A row of exclusive choices; filled in by `choices`."""
    return dcc.RadioItems(id=name, className="segmented", inline=True)


def dropdown(name: str) -> dcc.Dropdown:
    """A list to pick from; filled in by `choices`."""
    return dcc.Dropdown(
        id=name,
        clearable=False,
        searchable=name in SEARCHED,
        className="dropdown",
        maxHeight=360,
    )


def layout() -> list[Any]:
    """Every control, empty: words and choices come with the first answer."""
    return [
        _field(ids.LEVEL, dropdown(ids.LEVEL)),
        _field(ids.PERIODS, segmented(ids.PERIODS)),
        _field(ids.START, dropdown(ids.START)),
        _field(
            ids.END,
            html.Div(
                [
                    html.Button("‹", id=ids.EARLIER, className="button step"),
                    dropdown(ids.END),
                    html.Button("›", id=ids.LATER, className="button step"),
                ],
                className="stepper",
            ),
        ),
        _field(ids.CATEGORY, dropdown(ids.CATEGORY)),
        _field(ids.SEVERITY, dropdown(ids.SEVERITY)),
    ]


@scoped_cache
def choices(
    scope: Scope, snapshot: Snapshot, focus_level: str, shown_level: str, lang: str
) -> dict[str, list[Choice]]:
    """Choices of every control, for a focus of one level and a displayed level below it."""
    words = Words(lang)
    grain = snapshot.manifest.grain
    return {
        ids.LAYER: _layers(scope, snapshot, words),
        ids.LEVEL: _levels(scope, snapshot, focus_level, shown_level, words),
        ids.PERIODS: [
            *(_choice(n, words(f"periods_{grain}_choice", n=n)) for n in PERIOD_CHOICES[grain]),
            *(
                _choice(name, words(f"span_{name}"), title=words(f"span_{name}_about_{grain}"))
                for name in SPANS[grain]
            ),
        ],
        ids.START: [
            _choice(name, name, search=f"{name} {day}")
            for day, name in _labelled(starts(scope, snapshot), snapshot)
        ],
        ids.END: _ends(scope, snapshot, words),
        ids.CATEGORY: _categories(scope, snapshot.categories, words),
        ids.SEVERITY: _severities(scope, snapshot, words),
        ids.LANGUAGE: [_choice(name, words(f"language_{name}")) for name in LANGUAGES],
        ids.THEME: [_choice(name, words(f"theme_{name}")) for name in ("auto", "light", "dark")],
    }


def present(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, Any]:
    """Value that each control shows for the view."""
    state, window = view.state, view.selection.window
    default = int(snapshot.manifest.city["window"])
    first = max(window.start, starts(scope, snapshot)[-1])
    return {
        ids.LAYER: state.layer,
        ids.LEVEL: state.level,
        # No length is chosen where the first period is: each is a way to leave it.
        ids.PERIODS: None if state.start else state.span or state.periods or default,
        ids.START: label(first, grain=window.grain),
        ids.END: state.end,
        ids.CATEGORY: state.category,
        ids.SEVERITY: state.severity,
        ids.LANGUAGE: state.lang,
        ids.THEME: state.theme,
    }


def level_name(snapshot: Snapshot, level: str, words: Words) -> str:
    """The city's own name of a level."""
    entry = next(item for item in snapshot.manifest.levels if item["level"] == level)
    return words.pick(entry["name_zh"], entry["name_en"])


def _field(name: str, control: Any) -> html.Div:
    return html.Div(
        [html.Span(id=label_of(name), className="filter-label"), control],
        className=f"filter filter-{name}",
        role="group",
        **attributes(aria_labelledby=label_of(name)),
    )


def label_of(name: str) -> str:
    """Id of the label of a control."""
    return f"{name}-label"


def search_words(words: Words) -> dict[str, str]:
    """What the search box inside a list says."""
    names = ("search", "clear_search", "no_options_found")
    return {name: words(f"list_{name}") for name in names}


LABELLED: Final = (ids.LEVEL, ids.PERIODS, ids.START, ids.END, ids.CATEGORY, ids.SEVERITY)


def captions(snapshot: Snapshot, words: Words) -> dict[str, str]:
    """Text of every label."""
    grain = snapshot.manifest.grain
    keys = {name: name for name in LABELLED} | {ids.PERIODS: f"periods_{grain}"}
    return {name: words(key) for name, key in keys.items()}


def _choice(value: Any, text: str, **more: Any) -> Choice:
    return {"value": value, "label": text, **more}


def _layers(scope: Scope, snapshot: Snapshot, words: Words) -> list[Choice]:
    denied = not cells.has_cells(scope, snapshot)
    title = words("layer_cells_denied") if denied else ""
    return [
        _choice("areas", words("layer_areas")),
        _choice("cells", words("layer_cells"), disabled=denied, title=title),
    ]


def _levels(
    scope: Scope, snapshot: Snapshot, focus_level: str, shown_level: str, words: Words
) -> list[Choice]:
    below = hierarchy(scope, snapshot).below(focus_level)
    if not below:
        return [_choice("", level_name(snapshot, shown_level, words))]
    auto = words("level_auto", name=level_name(snapshot, below[0], words))
    named = [_choice(level, level_name(snapshot, level, words)) for level in below]
    return [_choice("", auto), *named[1:]]


def _ends(scope: Scope, snapshot: Snapshot, words: Words) -> list[Choice]:
    (_, newest), *older = _labelled(ends(scope, snapshot), snapshot)
    return [
        _choice("", words("end_latest", label=newest)),
        *(_choice(name, name, search=f"{name} {day}") for day, name in older),
    ]


def _labelled(days: list[dt.date], snapshot: Snapshot) -> list[tuple[dt.date, str]]:
    """Periods with their labels; they are found by either."""
    return [(day, label(day, grain=snapshot.manifest.grain)) for day in days]


def _categories(scope: Scope, table: pd.DataFrame, words: Words) -> list[Choice]:
    """
    Both levels of categories, each child under its parent, indented by a wide space.

    The protected tier has the upper level only.
    """
    found = [_choice("", words("category_all"))]
    top = table[table["parent_code"].isna() | (table["parent_code"] == "")]
    for parent in top.itertuples():
        found.append(_choice(parent.code, words.pick(parent.name_zh, parent.name_en)))
        children = table[:0] if scope.is_protected else table[table["parent_code"] == parent.code]
        for child in children.itertuples():
            name = words.pick(child.name_zh, child.name_en)
            found.append(_choice(child.code, f"\u3000{name}", search=name))
    return found


def _severities(scope: Scope, snapshot: Snapshot, words: Words) -> list[Choice]:
    known = queries.has_severities(scope, snapshot)
    reason = "" if known else words("severity_none")
    return [
        _choice(value, words(f"severity_{value}"), disabled=not known and value != "", title=reason)
        for value in SEVERITIES
    ]
