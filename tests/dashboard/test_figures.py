import datetime as dt
import json
import os
from pathlib import Path

import plotly.graph_objects as go
import pytest

from dashboard import figures, numerals
from dashboard.text import Words

GOLDEN = Path(__file__).parent / "golden"
DAYS = [dt.date(2026, 1, 5) + dt.timedelta(weeks=n) for n in range(4)]


def trend():
    return figures.trend_chart(
        DAYS, counts=[3, 0, 7, None], last_year=[None, 2, 2, 1], lower=[None, 0.0, 1.0, 1.0],
        upper=[None, 5.0, 6.0, 6.0], window=2, grain="week", words=Words("zh"),
    )  # fmt: skip


def bars():
    return figures.category_bars(
        ["邻里", "盗窃"], counts=[1200, 3], previous=[900, None], words=Words("en")
    )


@pytest.mark.parametrize("name", ["trend", "bars"])
def test_figures_are_as_agreed(name):
    """
    Plotly's own class refuses a name or value that it does not know.

    Rewrite with REWRITE_GOLDEN=1 in the environment, and read the difference.
    """
    made = json.loads(go.Figure({"trend": trend, "bars": bars}[name]()).to_json())
    path = GOLDEN / f"figure_{name}.json"
    if os.environ.get("REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
    assert made == json.loads(path.read_text(encoding="utf-8"))


def test_what_still_grows_is_dotted_and_goes_on_from_what_is_told():
    chart = figures.trend_chart(
        DAYS, counts=[3, 4, 7, 2], last_year=[None] * 4, lower=[0.0] * 4, upper=[9.0] * 4,
        window=2, grain="week", words=Words("zh"), reported=[3, 3, 6, 2], incomplete=2,
    )  # fmt: skip
    go.Figure(chart)
    *_, reported, running, told = chart["data"]
    assert told["y"] == [3, 4]
    assert running["y"] == [4, 7, 2]
    assert (running["line"]["dash"], reported["line"]["dash"]) == ("dot", "dash")
    assert running["marker"]["size"] == [0, 7, 7]
    everything = figures.trend_chart(
        DAYS, counts=[3, 4, 7, 2], last_year=[None] * 4, lower=[0.0] * 4, upper=[9.0] * 4,
        window=2, grain="week", words=Words("zh"), incomplete=4,
    )  # fmt: skip
    assert everything["data"][-1]["y"] == []
    assert everything["data"][-2]["y"] == [3, 4, 7, 2]


@pytest.mark.parametrize("figure", [trend, bars], ids=["trend", "bars"])
def test_figures_are_light(figure):
    assert len(json.dumps(figure())) < 6_000


def test_no_graph_sends_anything_anywhere():
    config = figures.graph_config("zh")
    assert config["showSendToCloud"] is False
    assert config["plotlyServerURL"] == ""
    assert config["displaylogo"] is False
    assert config["locale"] == "zh-CN"


@pytest.mark.parametrize(
    ("now", "base", "expected"),
    [(12, 10, ("up", "up 20.0%")), (8, 10, ("down", "down 20.0%")), (10, 10, ("flat", "unchanged")),
     (5, 0, ("up", "base is 0: n/a")), (0, 0, ("flat", "base is 0: n/a")),
     (6, 1, ("up", "from 1 to 6")), (2, 4, ("down", "from 4 to 2")), (4, 4, ("flat", "unchanged")),
     (5, None, ("flat", "no data for the base: n/a")), (None, 3, ("flat", "no data for the base: n/a"))],
)  # fmt: skip
def test_a_change_is_said_in_words(now, base, expected):
    assert numerals.change(now, base, Words("en"), to="change") == expected


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (float("nan"), "no data"),
        (0.0, "0"),
        (3.0841, "3.08"),
        (0.012345, "0.0123"),
        (1234.5, "1,234"),
        (12.345, "12.3"),
    ],
)
def test_rates_have_three_digits_and_unknown_is_said(value, printed):
    assert numerals.rate(value, Words("en")) == printed


def test_a_probability_is_never_rounded_to_certainty():
    assert numerals.probability(0.99999, Words("en")) == "> 0.999"
    assert numerals.probability(0.00001, Words("en")) == "< 0.001"
    assert numerals.probability(float("nan"), Words("en")) == "no data"
