"""
Charts as pure functions of small tables; no chart knows where its numbers come from.

A chart is a plain object of our own, which `assets/charts.js` draws. Along time it is

- `kind` "time"; `height` in pixels; `title` of what is measured, where the panel does not say it
- `days`, or for even steps `from` and `step`: the first day of each period
- `tick`, `hover`: how a day is written; `format`: how a value is (`count`, `score`, `share`)
- `none` and `keys`: what is said where nothing is known, and of the keys that read the chart
- `series`, the most important first: `name`, `style` (a line: `main`, `thin`, `part`, `dash`,
  `dot`, `dashdot`), one of `values` per day, null where nothing is known; with `open` its last
  values are still to grow, and `open_name` says so. A `band` has `low` and `high`, a `bar` may
  have a `tint`
- `shade`: first and last position of the window; `most`: end of the axis, else of the values
- `sets`: the control that a click sets, and to which of `values`; see `assets/chart_links.js`

and as rows `kind` "rows", `names` of the two columns, and `rows` of name, count and count before.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.text import Words
    from data.periods import Grain

Figure = dict[str, Any]

LINES_PX: Final = 240
"""Height of a chart along time, with its legend."""

WHOLE: Final = 1000
"""Values beyond it are drawn without decimals."""

HEAD_PX: Final = 26
ROW_PX: Final = 40


def trend_chart(
    starts: Sequence[dt.date],
    *,
    counts: Sequence[int | None],
    last_year: Sequence[int | None] = (),
    lower: Sequence[float | None] = (),
    upper: Sequence[float | None] = (),
    window: int,
    grain: Grain,
    words: Words,
    reported: Sequence[int | None] = (),
    incomplete: int = 0,
    after: int = 0,
) -> Figure:
    """
    Incidents per period with last year's line and the range that was to be expected.

    Parameters
    ----------
    starts
        First day of each period, oldest first.
    counts, last_year, lower, upper
        One value per period, None = not known; last year's and the range empty = not shown.
    window
        Periods of the window, which are shaded.
    reported
        The part of the counts that the range speaks of; empty = all of them.
    incomplete
        Periods at the end of which part is still to be reported: dotted, never read as a fall.
    after
        Periods at the end that lie after the window.
    """
    main = line(words("trend_count"), "main", counts)
    if incomplete:
        main |= {"open": incomplete, "open_name": words("trend_incomplete")}
    series = [main]
    if reported:
        series.append(line(words("trend_reported"), "part", reported))
    if last_year:
        series.append(line(words("trend_last_year"), "thin", last_year))
    if lower:
        series.append(
            {
                "name": words("trend_expected"),
                "style": "band",
                "low": [rounded(value) for value in lower],
                "high": [rounded(value) for value in upper],
            }
        )
    drawn = along_time(starts, series, grain=grain, words=words)
    end = len(starts) - after
    shade = {"shade": [max(end - window, 0), end - 1]} if starts else {}
    return drawn | shade | {"keys": words("chart_keys_choose")}


def category_bars(
    names: Sequence[str], *, counts: Sequence[int], previous: Sequence[int | None], words: Words
) -> Figure:
    """
    Incidents per category, the largest on top, with the previous window as a tick.

    Parameters
    ----------
    names, counts, previous
        One entry per bar, largest first; None = the previous window is not covered.
    """
    return {
        "kind": "rows",
        "height": HEAD_PX + ROW_PX * max(len(names), 1),
        "names": [words("categories_count"), words("categories_previous")],
        "none": words("no_value"),
        "rows": [list(row) for row in zip(names, counts, previous, strict=True)],
    }


def setting(
    figure: Figure, control: str, *, values: Sequence[str | None], marks: str = ""
) -> Figure:
    """
    Have a click on a chart set a control; see assets/chart_links.js.

    Parameters
    ----------
    control
        Id of the control.
    values
        Value to set by each point or row; None sets nothing.
    marks
        Id of the store that takes the values of the first and the last point of a drag.
    """
    sets = {"control": control, "values": list(values)} | ({"marks": marks} if marks else {})
    return figure | {"sets": sets}


def along_time(
    days: Sequence[dt.date],
    series: Sequence[dict[str, Any]],
    *,
    grain: Grain,
    words: Words,
    form: str = "count",
) -> Figure:
    """A chart along time, of which the caller gives the series."""
    return {
        "kind": "time",
        "height": LINES_PX,
        **_along(days),
        "tick": words(f"trend_tick_{grain}"),
        "hover": words(f"trend_hover_{grain}"),
        "format": form,
        "none": words("no_value"),
        "keys": words("chart_keys"),
        "series": list(series),
    }


def line(name: str, style: str, values: Sequence[float | None]) -> dict[str, Any]:
    """A line over the periods."""
    return {"name": name, "style": style, "values": [rounded(value) for value in values]}


def rounded(value: float | None) -> float | None:
    """A value as a chart needs it: whole, or of four digits."""
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.4g}") if abs(value) < WHOLE else round(value)


def summary(figure: Figure, title: str, words: Words) -> str:
    """What a chart is, and its latest value, for who cannot see it."""
    if figure["kind"] != "time" or not (days := days_of(figure)):
        return title
    first = figure["series"][0]
    latest = first["values"][-1]
    shown = words("no_value") if latest is None else written(latest, figure["format"])
    name = first["open_name"] if first.get("open") else first["name"]
    told = words("chart_latest", day=days[-1].strftime(figure["hover"]), name=name, value=shown)
    return f"{title}: {told}" if title else told


def written(value: float, form: str) -> str:
    """A value as its chart writes it."""
    return {"count": f"{value:,.0f}", "share": f"{value:.1%}"}.get(form) or f"{value:,.3g}"


def days_of(figure: Figure) -> list[dt.date]:
    """First day of each period of a chart along time."""
    if "days" in figure:
        return [dt.date.fromisoformat(day) for day in figure["days"]]
    first, step = dt.date.fromisoformat(figure["from"]), dt.timedelta(days=figure["step"])
    return [first + at * step for at in range(len(figure["series"][0]["values"]))]


def _along(days: Sequence[dt.date]) -> dict[str, Any]:
    """Days of the points; even steps are told by the first: a third of the bytes."""
    steps = {(later - day).days for day, later in pairwise(days)}
    told = [f"{day:%Y-%m-%d}" for day in days]
    return {"from": told[0], "step": steps.pop()} if len(steps) == 1 else {"days": told}
