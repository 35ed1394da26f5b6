"""What a click on a chart sets: the window's end, or the category."""

import json

from dash._utils import to_json

from dashboard import answers, figures, ids
from dashboard.view import settle
from tests.dashboard.squares import CITY


def charts(snapshot, search):
    """Figure of every chart in the panels, in their order."""
    pending = [json.loads(to_json(answers.draw_charts(CITY, snapshot, search=search)["charts"]))]
    found = []
    while pending:
        item = pending.pop(0)
        if isinstance(item, dict):
            found += [json.loads(item["data-chart"])] if "data-chart" in item else []
            pending = list(item.values()) + pending
        elif isinstance(item, list):
            pending = item + pending
    return found


def test_a_point_of_the_trend_ends_the_window_there(snapshot):
    trend, _ = charts(snapshot, "")
    sets = trend["sets"]
    assert (sets["control"], sets["marks"]) == (ids.END, ids.RANGE)
    days = figures.days_of(trend)
    for day, label in zip(days, sets["values"], strict=True):
        assert settle(CITY, snapshot, f"?end={label}").selection.window.end == day


def test_a_bar_filters_by_its_category_and_lets_go_of_it(snapshot):
    _, bars = charts(snapshot, "")
    assert bars["sets"]["control"] == ids.CATEGORY
    for (_, count, _), code in zip(bars["rows"], bars["sets"]["values"], strict=True):
        _, split = charts(snapshot, f"?category={code}")
        assert sum(row[1] for row in split["rows"]) == count
    child = next(code for code in snapshot.categories["code"] if len(code) > 2)
    _, own = charts(snapshot, f"?category={child}")
    assert own["sets"]["values"] == [""]


def shaded(chart):
    """Weeks whose points lie in the shade."""
    first, last = chart["shade"]
    return chart["sets"]["values"][first : last + 1]


def test_the_chart_stands_still_while_windows_are_chosen_on_it(snapshot):
    newest, *_ = charts(snapshot, "")
    chosen, *_ = charts(snapshot, "?start=2026-W30&end=2026-W33")
    values = [each["sets"]["values"] for each in (newest, chosen)]
    assert values[0] == values[1]
    assert shaded(newest) == ["2026-W43", "2026-W44", "2026-W45", "2026-W46"]
    assert shaded(chosen) == ["2026-W30", "2026-W31", "2026-W32", "2026-W33"]
    earlier, *_ = charts(snapshot, "?end=2026-W10&periods=1")
    assert shaded(earlier) == ["2026-W10"]
    assert earlier["sets"]["values"][-1] == "2026-W10"


def test_a_longer_window_is_shown_whole(snapshot):
    long, *_ = charts(snapshot, "?span=year")
    labels = shaded(long)
    assert (labels[0], labels[-1], len(labels)) == ("2026-W01", "2026-W46", 46)


def test_the_way_back_is_there_where_a_window_was_chosen(snapshot):
    def row(search):
        drawn = answers.draw_charts(CITY, snapshot, search=search)["charts"][1]
        return json.dumps(json.loads(to_json(drawn)))

    assert "window-reset" not in row("?category=10")
    for search in ("?span=month", "?start=2026-W30", "?end=2026-W30", "?periods=13"):
        drawn = row(f"{search}&category=10")
        assert '"href": "/?category=10"' in drawn
