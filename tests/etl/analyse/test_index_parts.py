"""The parts of the index against brute force, and the worked case of the method."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from data.index_trace import colour_of, points
from data.source import STATUSES
from etl.analyse.bed import NEVER
from etl.analyse.index import steps
from etl.analyse.index.colours import lowered, repeated
from etl.analyse.index.gate import caps
from etl.analyse.index.peers import Peers, peers_of
from etl.analyse.index.places import busiest, last_match, medians
from etl.analyse.index.robustness import ranks, weight_draws
from etl.analyse.index.selection import has_code
from etl.analyse.index.series import Roll
from etl.analyse.negative_binomial import upper_tail
from tests.etl.analyse.index_worlds import CATEGORIES, CLOCKS, CODES, SETTINGS
from tests.etl.analyse.worlds import areas_of, tiny_bed

DAY_S = 86_400


@pytest.mark.parametrize(
    ("n", "ratio", "score", "p", "raw", "gated"),
    [
        (11, 1.31, 20.3, 0.185, 3, 2),
        (13, 1.51, 30.3, 0.067, 4, 2),
        (14, 1.61, 35.0, 0.037, 4, 3),
        (16, 1.81, 44.4, 0.0098, 4, 4),
    ],
)
def test_worked_case_of_the_method(*, n, ratio, score, p, raw, gated):
    """Town, 15-week total 120, peer mean 7 a week, variance 9."""
    peers = Peers(rate=np.array([7.0]), weight=np.array([7 / 9]))
    shape, units = peers.shape_and_units(np.array([120.0]), np.array([15.0]))
    expected = shape / units
    assert expected[0] == pytest.approx(7.95, abs=0.005)
    found = (n + 2) / (expected + 2)
    assert found[0] == pytest.approx(ratio, abs=0.005)
    assert points(found, SETTINGS.curve)[0] == pytest.approx(score, abs=0.05)
    tail = upper_tail(np.array([n]), expected, shape)
    assert tail[0] == pytest.approx(p, abs=0.0005)
    colour = colour_of(points(found, SETTINGS.curve), SETTINGS)
    assert colour[0] == raw
    assert min(colour[0], caps(tail, np.array([n]), SETTINGS)[0]) == gated


def test_fewer_than_three_are_at_most_yellow():
    found = caps(np.full(4, 1e-6), np.array([0, 2, 3, 30]), SETTINGS)
    assert found.tolist() == [2, 2, 4, 4]


def test_a_gate_that_is_unknown_lets_nothing_pass():
    assert caps(np.array([np.nan]), np.array([50]), SETTINGS).tolist() == [1]


def test_peers_leave_the_area_out():
    rng = np.random.default_rng(4)
    units = rng.uniform(5, 20, 30)
    count = rng.poisson(rng.gamma(3, 0.4, 30) * units).astype(float)
    parent = np.zeros(30, dtype=np.int64)
    found = peers_of(count, units, parent, least=20)
    for own in range(30):
        others = np.arange(30) != own
        e, y = units[others], count[others]
        mean = y.sum() / e.sum()
        spread = np.sum(e * (y / e - mean) ** 2) / e.sum() - mean / e.mean()
        strength = np.clip(mean**2 / spread, 0.05, 50) if spread > 0 else 50
        assert found.rate[own] == pytest.approx(mean)
        assert found.weight[own] == pytest.approx(strength / mean)
    more = count.copy()
    more[7] += 100
    assert peers_of(more, units, parent, least=20).rate[7] == pytest.approx(found.rate[7])


def test_siblings_are_peers_only_where_there_are_enough():
    parent = np.array([0] * 21 + [1] * 4)
    count = np.where(parent == 0, 2.0, 10.0)
    found = peers_of(count, np.ones(25), parent, least=20)
    assert found.rate[0] == pytest.approx(2)
    assert found.rate[24] == pytest.approx((21 * 2 + 3 * 10) / 24)


def test_an_area_of_unknown_exposure_is_no_peer_and_has_none():
    units = np.array([np.nan, 1.0, 1.0, 1.0, 1.0])
    found = peers_of(np.array([90.0, 2, 2, 2, 2]), units, np.zeros(5, dtype=np.int64), least=20)
    assert np.isnan(found.rate[0])
    assert found.rate[1:] == pytest.approx([2, 2, 2, 2])


@given(st.data())
def test_last_match_is_that_of_a_search(data):
    n = data.draw(st.integers(1, 12))
    whole = st.lists(st.integers(0, 40), min_size=n, max_size=n)
    key = np.array(data.draw(whole)) % 3
    moment, known = np.array(data.draw(whole)), np.array(data.draw(whole))
    days = known.astype("datetime64[D]")
    found = last_match(key, moment, days, low=-7, high=-1)
    for own in range(n):
        gap = moment - moment[own]
        match = (key == key[own]) & (gap >= -7) & (gap <= -1)
        assert np.isnat(found[own]) == (not match.any())
        if match.any():
            assert found[own] == days[match].min()


def test_busiest_places_and_medians_are_those_of_a_loop():
    rng = np.random.default_rng(8)
    area, place = rng.integers(0, 5, 400), rng.integers(0, 30, 400) ** 2 // 30
    part, whole = busiest(area, place, size=6, share=0.2)
    middle = medians(area, place, size=6)
    assert (part[5], whole[5], middle[5]) == (0, 0, 0)
    for own in range(5):
        number = np.sort(np.unique(place[area == own], return_counts=True)[1])[::-1]
        assert part[own] == number[: int(np.ceil(0.2 * len(number)))].sum()
        assert whole[own] == np.sum(area == own)
        assert middle[own] == np.median(place[area == own])


def test_ranks_share_the_best_place():
    risk = np.round(np.random.default_rng(2).random(200), 1)
    assert ranks(risk).tolist() == rankdata(-risk, method="min").astype(int).tolist()


def test_draws_of_weights_lie_around_ours():
    found = weight_draws(SETTINGS)
    assert found.shape == (500, 6)
    assert found.sum(axis=1) == pytest.approx(np.ones(500))
    assert found.mean(axis=0) == pytest.approx(
        [one.weight for one in SETTINGS.dimensions], abs=0.02
    )


def test_rolling_up_adds_own_rows_and_all_below():
    areas = (areas_of("city", [-1], [1]), areas_of("county", [0, 0], [1, 1]),
             areas_of("grid", [0, 0, 1, -1], [1] * 4))  # fmt: skip
    roll = Roll(areas)
    rows = np.arange(1.0, 8.0)[:, None]
    city, county, grid = roll.up(rows)
    assert grid.ravel().tolist() == [4, 5, 6, 7]
    assert county.ravel().tolist() == [2 + 4 + 5, 3 + 6]
    assert city.ravel().tolist() == [1 + 11 + 9]
    assert roll.index[0].tolist() == [0, 0, 0, 0, 0, 0, -1, -1]


def test_a_code_of_the_upper_level_stands_for_all_below():
    found = has_code(CATEGORIES, ["P1", "H305"])
    named = {code for code, one in zip(CODES, found, strict=True) if one}
    assert "P108" in named
    assert "H305" in named
    assert "P201" not in named
    assert "H3" not in named


def test_red_windows_in_a_row_do_not_overlap():
    red = np.array([True])
    earlier = [np.array([one]) for one in (True, False, False, False, True, False, False, False)]
    assert repeated(red, earlier, step=4, most=4).tolist() == [2 + 1]
    assert repeated(red, earlier, step=1, most=4).tolist() == [1]
    assert repeated(red, [np.array([True])] * 30, step=1, most=4).tolist() == [4]
    assert repeated(~red, [np.array([True])] * 30, step=1, most=4).tolist() == [0]


def test_what_is_not_firm_gives_way_to_the_next_lower():
    firm = np.array([True, False, False, False])
    assert lowered(np.array([4, 4, 1, 0]), firm).tolist() == [4, 3, 1, 0]


@pytest.fixture(scope="module")
def timed():
    """Four incidents of one moment whose steps are written by hand: days from the receipt to each step."""
    bed = tiny_bed(3, grids=4, weeks=60, late=False).bed
    chosen = np.flatnonzero((bed.period > 10) & (bed.period < 20))[:4]
    events = bed.events.take(chosen)
    alike = {
        name: np.repeat(getattr(events, name)[:1], 4)
        for name in ("day", "known", "occurred", "reported")
    }
    events = replace(events, **alike)
    waits = np.array([
        [0.5, 1.0, 2.0, 3.0],  # all in time
        [1.5, 2.0, 3.0, 4.0],  # dispatched late
        [0.5, 3.5, 9.0, 40.0],  # signed, resolved and archived late
        [np.nan] * 4,  # nothing yet: every step late
    ])  # fmt: skip
    times = {
        name: np.where(np.isnan(wait), NEVER, events.reported + np.nan_to_num(wait) * DAY_S).astype(
            np.int64
        )
        for name, wait in zip(
            ("dispatched", "signed", "resolved", "archived"), waits.T, strict=True
        )
    }
    status = np.full(4, STATUSES.index("open"), dtype=np.int8)
    return replace(
        bed, events=replace(events, severity=np.zeros(4, np.int8), status=status, **times)
    )


def test_steps_are_late_once_the_clocks_up_to_them_have_run_out(timed):
    found = steps.late_steps(steps.handling(timed), np.arange(4), CLOCKS, size=1000)
    whole = found.whole.total(0, 60, known_on=0, size=1000).sum()
    late = found.part.total(0, 60, known_on=0, size=1000).sum()
    # Four incidents with four clocks each; severity unknown has no clock of risk.
    assert whole == 16
    assert late == 0 + 1 + 3 + 4


def test_what_is_open_enters_when_known_and_leaves_when_closed(timed):
    handling = steps.handling(timed)
    events = timed.events
    entry = handling.known
    found = steps.stock(handling, np.arange(4), size=1000, entry=entry, since=0, reason="")
    last = timed.ends.astype(np.int64)
    closed = handling.days_after(
        np.where(handling.closed == NEVER, 0, handling.closed), np.arange(4)
    )
    for at in range(len(last)):
        still = (entry <= last[at]) & ((handling.closed == NEVER) | (closed > last[at]))
        assert found.number[:, at].sum() == still.sum()
    assert found.number[events.area[handling.closed == NEVER], -1].sum() >= 1
