"""The assessment panel: what it shows is what is stored, for the own areas and nobody else's."""

import datetime as dt
import json
import re

import numpy as np
import pytest

from dashboard import answers, assessment, assessment_panel, index_panel, trend
from dashboard.areas import Area
from dashboard.queries import Selection
from dashboard.text import Words, catalogue
from data.access import Grant, NotVisibleError, Scope
from data.index_trace import recompute
from data.periods import Window
from data.shown_settings import settings_from
from data.store import Store
from tests.dashboard.analysed import SETTINGS, SILENT_COUNTY
from tests.dashboard.squares import CITY, COUNTY, LAST, LEVELS, SCRIPT, call, dumped, publish

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
CHIEF = Scope("chief", frozenset({Grant("grid_chief", "grid", "9904086")}))
TOWNSHIP = Scope("zb", frozenset({Grant("township", "township", "9902006")}))
AS_OF = LAST + dt.timedelta(days=6)
ADDRESSES = {
    Area("city", 0): "", Area("county", 1): "?area=9901002", Area("township", 5): "?area=9902006",
    Area("community", 21): "?area=9903022", Area("grid", 85): "?area=9904086",
}  # fmt: skip


def drawn(scope, snapshot, search=""):
    """The panel as its JSON, and as its text."""
    panel = answers.draw_charts(scope, snapshot, search=search)["charts"][0]
    tree = panel.to_plotly_json()
    return panel, " ".join(texts(tree))


def texts(node):
    if hasattr(node, "to_plotly_json"):
        node = node.to_plotly_json()
    if isinstance(node, dict):
        yield from texts(node["props"].get("children"))
    elif isinstance(node, list | tuple):
        for one in node:
            yield from texts(one)
    elif node is not None:
        yield str(node)


def stored(snapshot, table, area, **where):
    found = snapshot.read(table)
    found = found[(found["level"] == area.level) & (found["area_index"] == area.index)]
    for name, value in where.items():
        found = found[found[name].astype(str) == str(value)]
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A snapshot that was not analysed."""
    home = tmp_path_factory.mktemp("plain")
    publish(home, analysed=False)
    return Store(home).current()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("area", ADDRESSES, ids=lambda area: area.level)
def test_the_index_on_screen_is_the_stored_one(snapshot, area, lang):
    search = ADDRESSES[area] + ("&" if ADDRESSES[area] else "?") + f"lang={lang}"
    _, text = drawn(CITY, snapshot, search)
    row = stored(snapshot, "area_index", area, period_end=LAST).iloc[0]
    words = Words(lang)
    assert f"{words('assess_index')} {row['safety_index']:.1f} " in text
    assert f"{words('assess_risk')} {row['risk']:.1f} " in text
    assert repr(float(row["risk"])) in text
    assert words("assess_box_same") in text
    if area.level != "city":
        assert f"{row['rank_lower']:,d}–{row['rank_upper']:,d}" in text
    name = SETTINGS.palette.names_zh if lang == "zh" else SETTINGS.palette.names_en
    assert name[row["colour"] - 1] in text
    other = {"zh": r"[A-Za-z]{6,}", "en": r"[\u4e00-\u9fff]"}[lang]
    said = text.replace(SCRIPT, "").replace(f"{area.level}区", "").replace(row["config"], "")
    assert not re.search(other, said), re.findall(other, said)


@pytest.mark.parametrize("area", ADDRESSES, ids=lambda area: area.level)
def test_the_parts_on_screen_are_the_stored_ones(snapshot, area):
    _, text = drawn(CITY, snapshot, ADDRESSES[area])
    clock = stored(snapshot, "clock_states", area, clock="resolve").iloc[0]
    assert f"{clock['overdue']:,d} {clock['running']:,d} 1.50 7.25 41 天" in text
    cohorts = stored(snapshot, "resolution_cohorts", area).dropna(subset="resolved_30d")
    cohort = cohorts.sort_values("period_end").iloc[-1]
    if cohort["received"]:
        assert f"（{cohort['resolved_30d']:,.0f}/{cohort['received']:,d} = " in text
    trust = stored(snapshot, "area_trust", area, period_end=LAST).iloc[0]
    total = trust["reported"] + trust["discovered"]
    assert f"12.5% {trust['discovered']:,d}/{total:,d} 件 本期已知 97.2%" in text
    assert "未落到下级 3.1%" in text
    signals = stored(snapshot, "signals", area, day=AS_OF)
    assert len(signals) == area.index % 2
    assert ("今日没有信号" in text) == signals.empty
    for row in signals.itertuples():
        assert f"{row.observed:,.0f} 件，应为" in text
    forecasts = stored(snapshot, "forecasts", area).set_index("group")
    everything = forecasts.loc["all"]
    assert f"{everything['lower']:,.0f}–{everything['upper']:,.0f}" in text
    assert "矛盾纠纷不显示：误差不小于历史平均" in text


def test_every_part_leads_to_its_method(snapshot):
    panel, text = drawn(CITY, snapshot)
    links = set(re.findall(r'"/methods#(\w+)"', dumped(plotly(panel))))
    assert links == {"index", "signals", "forecast", "clocks", "origin"}
    assert "统计关注等级，非法定预警" in text


def plotly(component):
    return json.loads(json.dumps(component, default=lambda one: one.to_plotly_json()))


def test_the_record_of_signals_stands_beside_each_colour(snapshot):
    _, text = drawn(CITY, snapshot)
    for name in ("红", "橙", "黄", "蓝"):
        assert f"{name} 0.75 24 16 6.00" in text  # three groups today; eight periods


def test_no_word_promises_more_than_is_known():
    for key, pair in catalogue().items():
        assert "准确率" not in pair[0], key
        assert "accura" not in pair[1].lower(), key


@pytest.mark.parametrize("level", LEVELS)
def test_the_glass_box_gives_the_stored_risk_to_the_last_digit(snapshot, level):
    rows = snapshot.read("area_index").query("level == @level and status == 'ok'")
    rows = rows[rows["period_end"].astype(str) == str(LAST)].head(12)
    assert len(rows)
    for one in rows.itertuples():
        area = Area(level, one.area_index)
        trace = assessment.trace(CITY, snapshot, area, LAST)
        row = assessment.index(CITY, snapshot, area, LAST)
        found = recompute(trace, SETTINGS)
        assert found.risk == row.risk == one.risk
        assert index_panel.agrees(row, trace.sort_values("indicator"), found)


@pytest.mark.parametrize(("column", "value"), [("ratio", 1.25), ("points", 50.0), ("weight", 0.5)])
def test_a_figure_that_was_changed_is_told(snapshot, column, value):
    area = Area("county", 1)
    row = assessment.index(CITY, snapshot, area, LAST)
    trace = assessment.trace(CITY, snapshot, area, LAST).sort_values("indicator")
    trace = trace.reset_index(drop=True)
    trace.loc[3, column] = value
    assert not index_panel.agrees(row, trace, recompute(trace, SETTINGS))
    shown = " ".join(texts(index_panel.glass_box(row, trace, SETTINGS, Words("zh"))))
    assert Words("zh")("assess_box_differs") in shown
    assert Words("zh")("assess_box_same") not in shown


def test_a_silent_source_makes_the_area_grey_and_is_told_at_the_top(snapshot):
    search = f"?area=99010{SILENT_COUNTY + 1:02d}"
    _, text = drawn(CITY, snapshot, search)
    assert "灰 来源中断" in text
    notice = dumped(plotly(answers.draw_panels(CITY, snapshot, search=search)["notice"]))
    assert "来源中断：12345 热线" in notice
    elsewhere = answers.draw_panels(CITY, snapshot, search="?area=9901001")["notice"]
    assert "来源中断" not in dumped(plotly(elsewhere))


@pytest.mark.parametrize(
    "ask",
    [
        lambda area: (assessment.index, (area, LAST)),
        lambda area: (assessment.trace, (area, LAST)),
        lambda area: (assessment.signals, (area, AS_OF)),
        lambda area: (assessment.forecasts, (area,)),
        lambda area: (assessment.clocks, (area,)),
        lambda area: (assessment.cohort, (area,)),
        lambda area: (assessment.trust, (area, LAST)),
        lambda area: (assessment.usual, (area,)),
    ],
)
@pytest.mark.parametrize(
    ("scope", "area"),
    [
        (CHIEF, Area("grid", 84)), (CHIEF, Area("community", 21)), (TOWNSHIP, Area("township", 6)),
        (COUNTY, Area("county", 0)), (COUNTY, Area("city", 0)), (COUNTY, Area("grid", 9999)),
        (PUBLIC, Area("township", 5)),
    ],
)  # fmt: skip
def test_nobody_is_told_of_an_area_outside_the_scope(snapshot, scope, area, ask):
    function, rest = ask(area)
    with pytest.raises(NotVisibleError):
        function(scope, snapshot, *rest)


@pytest.mark.parametrize("scope", [CHIEF, TOWNSHIP, COUNTY])
def test_a_foreign_address_shows_the_own_area(snapshot, scope):
    own, _ = drawn(scope, snapshot)
    asked, _ = drawn(scope, snapshot, "?area=9904001")
    assert plotly(asked) == plotly(own)


def test_levels_above_the_scope_tell_nothing(snapshot):
    for function, rest in (
        (assessment.ranked, (LAST,)), (assessment.chances, (AS_OF,)), (assessment.records, ()),
        (assessment.verdicts, ()),
    ):  # fmt: skip
        with pytest.raises(NotVisibleError):
            function(CHIEF, snapshot, "township", *rest)


def test_the_protected_tier_has_no_assessment(snapshot):
    shown = dumped(plotly(answers.draw_charts(PUBLIC, snapshot, search="")["charts"]))
    assert "研判" not in shown
    notice = answers.draw_panels(PUBLIC, snapshot, search="")["notice"]
    assert "来源中断" not in dumped(plotly(notice))
    with pytest.raises(NotVisibleError):
        assessment.settings(PUBLIC, snapshot)


def test_the_few_others_of_a_level_cannot_be_worked_out(snapshot, monkeypatch):
    monkeypatch.setattr(assessment, "stands_alone", lambda *_: True)
    monkeypatch.setattr(assessment_panel, "_drawn", assessment_panel._drawn.__wrapped__)
    _, text = drawn(COUNTY, snapshot)
    assert Words("zh")("assess_alone") in text
    assert Words("zh")("assess_box_same") not in text
    assert "0.75 24 16" not in text


def test_who_stands_alone(snapshot):
    three = Scope("three", frozenset(Grant("leader", "county", f"990100{n}") for n in (1, 2)))
    assert assessment.stands_alone(three, snapshot, "county", LAST)
    assert not assessment.stands_alone(COUNTY, snapshot, "county", LAST)
    assert not assessment.stands_alone(CITY, snapshot, "county", LAST)


def test_a_snapshot_without_an_analysis_says_so(plain):
    _, text = drawn(CITY, plain)
    assert Words("zh")("assess_none") in text
    line = trend.trend(CITY, plain, Area("city", 0), Selection(Window(LAST, 4, "week"), None, 0))
    assert not line.is_stored
    assert line.incomplete == 0
    assert len([low for low in line.lower if low is not None]) > 20
    assert answers.draw_panels(CITY, plain, search="")["notice"] == []


def test_an_area_that_is_no_more_has_no_assessment(snapshot):
    """The first grid was re-cut; its address still finds it."""
    _, text = drawn(CITY, snapshot, "?area=9904001")
    assert Words("zh")("assess_not_there") in text
    assert "早期信号" not in text


def test_a_snapshot_without_some_tables_shows_the_others(snapshot, monkeypatch):
    kept = [name for name in snapshot.tables() if name in {"areas", "area_index", "categories"}]
    monkeypatch.setattr(type(snapshot), "tables", lambda _: kept)
    scope = Scope("nobody else", frozenset({Grant("leader", "county", "9901001")}))
    _, text = drawn(scope, snapshot)
    words = Words("zh")
    for key in ("assess_no_trace", "assess_no_signals", "assess_no_forecast", "assess_no_clocks"):
        assert words(key) in text
    assert words("assess_index") in text


def test_an_earlier_period_has_no_signals_of_today(snapshot):
    _, text = drawn(CITY, snapshot, "?end=2026-W45")
    assert Words("zh")("assess_earlier") in text
    assert "早期信号" not in text
    assert repr(float(stored(snapshot, "area_index", Area("city", 0), period_end="2026-11-02")
                      ["risk"].iloc[0])) in text  # fmt: skip
    _, text = drawn(CITY, snapshot, "?end=2026-W30")
    assert Words("zh")("assess_no_index") in text


def test_the_trend_takes_the_stored_range_where_nothing_is_filtered(snapshot):
    area = Area("county", 1)
    now = Selection(Window(LAST, 4, "week"), None, 0)
    line = trend.trend(CITY, snapshot, area, now)
    rows = stored(snapshot, "expected", area).sort_values("period_end")
    assert line.is_stored
    assert line.lower == rows["lower"].tolist()
    assert line.upper == rows["upper"].tolist()
    assert line.reported == rows["observed"].tolist()
    filtered = trend.trend(CITY, snapshot, area, Selection(now.window, (1, 2), 0))
    assert not filtered.is_stored
    assert filtered.lower != line.lower


def test_periods_that_are_not_fully_reported_are_marked(snapshot):
    said = dt.date.fromisoformat(snapshot.manifest.raw["analysis"]["complete_through"])
    day = assessment.first_incomplete_day(CITY, snapshot, "all")
    assert day == said + dt.timedelta(days=1)
    # Disputes are slower than all incidents together.
    assert assessment.first_incomplete_day(CITY, snapshot, "any") < day
    now = Selection(Window(LAST, 4, "week"), None, 0)
    line = trend.trend(CITY, snapshot, Area("city", 0), now)
    assert line.incomplete == 1
    earlier = trend.trend(CITY, snapshot, Area("city", 0), now.earlier(30))
    assert (earlier.starts[-1], earlier.incomplete) == (now.earlier(30).window.end, 0)
    charts = plotly(answers.draw_charts(CITY, snapshot, search="")["charts"][1])
    text = dumped(charts)
    assert "尚未报全" in text
    count = json.loads(next(iter(find(charts, "data-chart"))))["series"][0]
    assert (count["values"], count["open"]) == (line.counts, 1)


def find(node, key):
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from find(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from find(value, key)


def test_the_page_gets_it_with_the_charts(app, snapshot):
    answer = call(app, "panels-markup.data", {"panels-address.data": ""})
    row = stored(snapshot, "area_index", Area("city", 0), period_end=LAST).iloc[0]
    assert repr(float(row["risk"])) in dumped(answer)


def test_the_manifest_gives_the_settings_of_the_screen(snapshot):
    entry = snapshot.manifest.raw["analysis"]["shown"]
    assert settings_from(entry).index == SETTINGS
    assert assessment.settings(CITY, snapshot).index == SETTINGS
    assert not np.isnan(SETTINGS.pseudo_count)
