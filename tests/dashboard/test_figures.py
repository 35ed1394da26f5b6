import datetime as dt
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from dashboard import figures, numerals, panels
from dashboard.desk import charts
from dashboard.leaf import to_html
from dashboard.text import Words

GOLDEN = Path(__file__).parent / "golden"
DAYS = [dt.date(2026, 1, 5) + dt.timedelta(weeks=n) for n in range(4)]
MONTHS = [dt.date(2026, month, 1) for month in (1, 2, 3)]
LOOKS = {"main", "thin", "part", "dash", "dot", "dashdot"}
STYLES = Path(figures.__file__).parent / "assets" / "charts.css"


def trend(lang="zh"):
    return figures.trend_chart(
        DAYS, counts=[3, 0, 7, None], last_year=[None, 2, 2, 1], lower=[None, 0.0, 1.0, 1.03456],
        upper=[None, 5.0, 6.0, 6.0], window=2, grain="week", words=Words(lang),
    )  # fmt: skip


def bars():
    return figures.category_bars(
        ["邻里", "盗窃"], counts=[1200, 3], previous=[900, None], words=Words("en")
    )


def colours():
    return charts.colour_bars(
        MONTHS,
        np.arange(15).reshape(3, 5),
        names=["grey", "blue", "yellow", "orange", "red"],
        tints=["#999999", "#0000ff", "#ffff00", "#ff8000", "#ff0000"],
        grain="month",
        words=Words("en"),
    )


def scores():
    return charts.score_lines(
        DAYS,
        {"ours": [1.0, None, 2.12345, 3.0], "history": [4.0, 4.0, None, 4.0]},
        names={"ours": "Ours", "history": "All history"},
        title="Deviance",
        grain="week",
        words=Words("en"),
    )


def shares():
    return charts.share_line(DAYS, [1.0, 0.98765, 0.5, 0.25], Words("zh"))


ALL = {"trend": trend, "bars": bars, "colours": colours, "scores": scores, "shares": shares}


@pytest.mark.parametrize("name", ALL)
def test_figures_are_as_agreed(name):
    """Rewrite with REWRITE_GOLDEN=1 in the environment, and read the difference."""
    made = json.loads(json.dumps(ALL[name]()))
    path = GOLDEN / f"figure_{name}.json"
    if os.environ.get("REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
    assert made == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in ALL if name != "bars"])
def test_every_series_has_a_value_for_every_day_and_a_look(name):
    figure = ALL[name]()
    days = figures.days_of(figure)
    styles = STYLES.read_text(encoding="utf-8")
    for one in figure["series"]:
        assert one["name"]
        values = [one["low"], one["high"]] if one["style"] == "band" else [one["values"]]
        assert {len(each) for each in values} == {len(days)}
        assert one["style"] in {*LOOKS, "band", "bar"}
        assert re.search(rf"\.{one['style']}\b", styles)
    assert days == (MONTHS if name == "colours" else DAYS)
    lines = [one["style"] for one in figure["series"]]
    assert name == "colours" or len(set(lines)) == len(lines)


def test_what_is_not_known_stays_a_gap():
    count, before, expected = trend()["series"]
    assert count["values"] == [3, 0, 7, None]
    assert before["values"] == [None, 2, 2, 1]
    assert (expected["low"], expected["high"]) == ([None, 0, 1, 1.035], [None, 5, 6, 6])
    assert [one["values"] for one in scores()["series"]] == [[1, None, 2.123, 3], [4, 4, None, 4]]


def test_what_still_grows_is_told_apart_from_what_is_told():
    chart = figures.trend_chart(
        DAYS, counts=[3, 4, 7, 2], window=2, grain="week", words=Words("zh"),
        reported=[3, 3, 6, 2], incomplete=2,
    )  # fmt: skip
    main, reported = chart["series"]
    assert (main["style"], main["values"], main["open"]) == ("main", [3, 4, 7, 2], 2)
    assert main["open_name"] == Words("zh")("trend_incomplete")
    assert (reported["style"], reported["values"]) == ("part", [3, 3, 6, 2])


@pytest.mark.parametrize(
    ("window", "after", "shade"), [(1, 0, [3, 3]), (2, 1, [1, 2]), (9, 0, [0, 3])]
)
def test_the_window_is_shaded_by_its_first_and_last_position(window, after, shade):
    chart = figures.trend_chart(
        DAYS, counts=[1, 2, 3, 4], window=window, after=after, grain="week", words=Words("zh")
    )
    assert chart["shade"] == shade


@pytest.mark.parametrize("value", [0, 7, 123_456, None])
def test_counts_are_never_rounded(value):
    assert figures.rounded(value) == value


@pytest.mark.parametrize(
    ("value", "expected"), [(0.123456, 0.1235), (98.7654, 98.77), (1234.56, 1235), (98765.4, 98765)]
)
def test_other_values_have_the_digits_that_a_chart_can_show(value, expected):
    assert figures.rounded(value) == expected


def half_a_year(lang="zh"):
    weeks = [dt.date(2026, 5, 18) + dt.timedelta(weeks=n) for n in range(26)]
    many = [3000 + 7 * n for n in range(26)]
    floats = [2871.2345 + n for n in range(26)]
    return figures.trend_chart(
        weeks, counts=many, last_year=many, lower=floats, upper=floats, window=4, grain="week",
        words=Words(lang), reported=many, incomplete=1,
    )  # fmt: skip


def test_half_a_year_of_weeks_is_light():
    assert len(json.dumps(half_a_year(), separators=(",", ":"))) < 1_500
    told = {"control": "end", "values": ["2026-W20"] * 26}
    with_links = figures.setting(half_a_year(), "end", values=told["values"], marks="range")
    assert with_links["sets"] == told | {"marks": "range"}


def test_a_chart_is_markup_that_says_what_it_shows():
    words = Words("en")
    drawn = to_html(panels.graph(trend("en"), words, "Trend · <City>"))
    assert drawn.startswith('<div class="chart" style="height:240px"')
    assert "<City>" not in drawn
    assert 'aria-label="Trend · &lt;City&gt;: week from 26 Jan 2026, This year no data"' in drawn
    told = figures.summary(half_a_year("en"), "T", words)
    assert told == "T: week from 09 Nov 2026, Not fully reported 3,175"
    assert figures.summary(bars(), "Categories", words) == "Categories"
    assert figures.summary(shares(), "T", words).endswith("25.0%")


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
