"""What a click on a chart sets: the window's end, or the category."""

import json

from dash._utils import to_json

from dashboard import answers, ids
from dashboard.view import settle
from tests.dashboard.squares import CITY


def charts(snapshot, search):
    """Figure of every graph in the panels, in their order."""
    pending = [json.loads(to_json(answers.draw_charts(CITY, snapshot, search=search)["charts"]))]
    found = []
    while pending:
        item = pending.pop(0)
        if isinstance(item, dict):
            found += [item["figure"]] if "figure" in item else []
            pending = list(item.values()) + pending
        elif isinstance(item, list):
            pending = item + pending
    return found


def test_a_point_of_the_trend_ends_the_window_there(snapshot):
    trend, _ = charts(snapshot, "")
    sets = trend["layout"]["meta"]["sets"]
    assert (sets["control"], sets["at"]) == (ids.END, "x")
    days = {day for trace in trend["data"] for day in trace["x"]}
    assert set(sets["values"]) == days
    for day, label in sets["values"].items():
        end = settle(CITY, snapshot, f"?end={label}").selection.window.end
        assert end.isoformat() == day


def test_a_bar_filters_by_its_category_and_lets_go_of_it(snapshot):
    _, bars = charts(snapshot, "")
    sets = bars["layout"]["meta"]["sets"]
    assert (sets["control"], sets["at"]) == (ids.CATEGORY, "y")
    rows = bars["data"][0]["y"]
    counts = dict(zip(rows, bars["data"][0]["x"], strict=True))
    assert set(sets["values"]) == set(rows)
    for row, code in sets["values"].items():
        _, split = charts(snapshot, f"?category={code}")
        assert sum(split["data"][0]["x"]) == counts[row]
    child = next(code for code in snapshot.categories["code"] if len(code) > 2)
    _, own = charts(snapshot, f"?category={child}")
    assert list(own["layout"]["meta"]["sets"]["values"].values()) == [""]
