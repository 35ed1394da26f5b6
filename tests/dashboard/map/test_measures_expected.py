"""The usual band, worked out one area at a time and by simulation."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dashboard.areas import Area, hierarchy
from dashboard.map.measures import hover_terms, measured
from dashboard.map.measures_expected import bands
from dashboard.text import Words
from dashboard.usual_band import band_of, predict
from dashboard.view import settle
from data.periods import shift
from tests.dashboard.analysed import SILENT_COUNTY
from tests.dashboard.squares import CITY, LAST

ZH = Words("zh")


def by_week(snapshot, level, first, weeks):
    """Incidents by area and week, summed by pandas, shape (n areas, n weeks)."""
    table = snapshot.read(f"area_counts_{level}")
    table = table[table["area_index"] >= 0]
    starts = pd.to_datetime(table["period_start"]).dt.date
    n = len(hierarchy(CITY, snapshot).at(level))
    found = np.zeros((n, weeks))
    for at in range(weeks):
        rows = table[starts == first + dt.timedelta(weeks=at)]
        found[:, at] = rows.groupby("area_index")["count"].sum().reindex(range(n), fill_value=0)
    return found


def distribution(past, exposure):
    """Predictive distribution of one area, by its mean and its variance."""
    mean, variance = past.mean(), past.var(ddof=1)
    spread = max(1.0, 1.3 * variance / mean) if mean else 1.0
    expected = exposure * (past.sum() + 0.5) / len(past)
    total = expected * spread * (1 + exposure / len(past))
    return stats.nbinom(expected**2 / (total - expected), expected / total)


def band(now, told):
    below, above = told.cdf(now), told.sf(now - 1)
    if now >= 3 and above <= 0.05:
        return 5 if above <= 0.005 else 4
    if below < 0.05:
        return 1 if below < 0.005 else 2
    return 3


@pytest.mark.parametrize("level", ["county", "township", "grid"])
@pytest.mark.parametrize("weeks", [1, 4])
def test_each_area_against_its_own_15_weeks(snapshot, level, weeks):
    end = shift(LAST, -2, grain="week")
    first = shift(end, 1 - weeks - 15, grain="week")
    view = settle(CITY, snapshot, f"?level={level}&periods={weeks}&end=2026-W44")
    found = measured(CITY, snapshot, view, "band15", ZH)
    counts = by_week(snapshot, level, first, 15 + weeks)
    areas = hierarchy(CITY, snapshot).at(level)
    day = np.datetime64(end + dt.timedelta(days=6))
    for at, row in enumerate(counts):
        there = areas.valid_from[at] <= np.datetime64(first) and areas.valid_to[at] > day
        expected = band(row[15:].sum(), distribution(row[:15], weeks)) if there else 0
        assert found.bands[at] == expected, at
    np.testing.assert_array_equal(found.counts, counts[:, 15:].sum(axis=1))
    before = first + dt.timedelta(weeks=15, days=-1)
    assert any(f"{first:%Y年%m月%d日}至{before:%Y年%m月%d日}" in note for note in found.notes)


def test_late_reports_are_allowed_for(snapshot):
    """The newest week is known in part: as much less is expected."""
    view = settle(CITY, snapshot, "?level=county&periods=1")
    counts = by_week(snapshot, "county", shift(LAST, -15, grain="week"), 16)
    known = 1 - (0.05 + 0.2) / 7
    area = next(at for at in range(len(counts)) if at != SILENT_COUNTY)
    told = distribution(counts[area, :15], known)
    said = dict(hover_terms(CITY, snapshot, view, Area("county", area), "band15", ZH))
    lower, upper = told.ppf(0.05), told.ppf(0.95)
    assert said["90% 区间"] == f"{lower:,.0f}–{upper:,.0f}"
    assert said["件数"] == f"{counts[area, 15]:,.0f}"
    p = min(told.cdf(counts[area, 15]), told.sf(counts[area, 15] - 1))
    assert said["单侧 P"] in (f"{p:.3f}", "< 0.001")


def test_counts_of_every_kind_have_their_band():
    total, now = np.array([0.0, 0, 15, 150, 150, 150, 150]), np.array([1.0, 3, 2, 18, 25, 4, 0])
    squares = total * total / 15
    expected = predict(total, squares, length=15, exposure=1.0)
    assert bands(now, expected).tolist() == [3, 5, 3, 4, 5, 2, 1]
    np.testing.assert_allclose(expected.mean, (total + 0.5) / 15)
    one = predict(total[3:4], squares[3:4], length=15, exposure=1.0)
    lower, upper = band_of(one)
    inside = bands(np.array([lower - 1.0, lower, upper, upper + 1]), predict(
        np.full(4, 150.0), np.full(4, 1500.0), length=15, exposure=1.0))  # fmt: skip
    assert inside.tolist() == [2, 3, 3, 4]


def test_periods_that_spread_widen_the_band():
    even = predict(np.array([150.0]), np.array([1500.0]), length=15, exposure=1.0)
    uneven = predict(np.array([150.0]), np.array([2500.0]), length=15, exposure=1.0)
    assert band_of(uneven)[0] < band_of(even)[0] < band_of(even)[1] < band_of(uneven)[1]


@pytest.mark.parametrize("mean", [0.5, 5.0, 40.0])
@pytest.mark.parametrize("periods", [1, 4])
def test_a_false_colour_is_as_rare_as_said(mean, periods):
    rng = np.random.default_rng(20261109)
    past = rng.poisson(mean, (20_000, 15)).astype(float)
    now = rng.poisson(mean * periods, 20_000).astype(float)
    expected = predict(past.sum(axis=1), (past**2).sum(axis=1), length=15, exposure=float(periods))
    found = bands(now, expected)
    assert (found >= 4).mean() <= 0.05
    assert (found <= 2).mean() <= 0.05
    assert (found == 5).mean() <= 0.005


def test_a_window_longer_than_its_baseline_is_not_judged(snapshot):
    view = settle(CITY, snapshot, "?level=county&start=2026-W10")
    found = measured(CITY, snapshot, view, "band15", ZH)
    assert not found.bands.any()
    terms = hover_terms(CITY, snapshot, view, Area("county", 1), "band15", ZH)
    assert terms == [(ZH("measure_band15"), ZH("measure_band15_unknown"))]
