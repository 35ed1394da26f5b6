"""Did it work: planted and absent effects, peers, and what cannot be told."""

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.actions import Action, ActionsError
from data.effect_settings import read_effect_settings
from data.schema import check_table
from etl.analyse.effect import (
    CANNOT_TELL,
    FELL,
    ROSE,
    dispersion,
    measure,
    nearest,
    windows,
)
from etl.analyse.effect_tables import (
    PlacedAction,
    effect_tables,
    place_actions,
    possible_peers,
    touched,
)
from tests.etl.analyse.worlds import tiny_bed

SETTINGS = read_effect_settings(Path("none"), grain="week")
WEEKS, ACTION = 104, 85
SPANS = windows(ACTION, ACTION + 1, WEEKS, SETTINGS)


def noise(seed, *, areas=300, mean=12.0, ratio=1.0):
    rng = np.random.default_rng(seed)
    rates = mean * rng.lognormal(0, 0.3, (areas, 1)) * np.ones(WEEKS)
    rates[0] = mean
    rates[0, ACTION + 1 :] *= ratio
    return rng.poisson(rates).astype(float)


def others(areas=300):
    found = np.ones(areas, dtype=bool)
    found[0] = False
    return found


class TestWindows:
    def test_they_follow_each_other_and_leave_out_the_weeks_before(self):
        assert SPANS.after == slice(86, 98)
        assert SPANS.before == slice(51, 77)
        assert SPANS.matching == slice(25, 51)
        assert SPANS.lengths == (26, 12)

    def test_what_has_not_happened_yet_is_too_early(self):
        assert windows(85, 86, 89, SETTINGS) == "too_early"
        assert windows(85, 86, 90, SETTINGS).after == slice(86, 90)

    def test_short_history(self):
        assert windows(59, 60, 104, SETTINGS) == "too_little_history"

    def test_months(self):
        months = read_effect_settings(Path("none"), grain="month")
        assert (months.before, months.excluded, months.after) == (6, 2, 3)


class TestMeasure:
    @pytest.mark.parametrize(("ratio", "verdict"), [(0.55, FELL), (1.8, ROSE)])
    def test_planted_changes_are_found(self, ratio, verdict):
        found = measure(noise(3, ratio=ratio), 0, others(), SPANS, SETTINGS)
        assert found.verdict == verdict
        assert found.lower < ratio < found.upper
        assert found.reason is None

    def test_nothing_is_mostly_nothing(self):
        verdicts = [
            measure(noise(seed), 0, others(), SPANS, SETTINGS).verdict for seed in range(100, 160)
        ]
        assert 40 <= verdicts.count(CANNOT_TELL) < 60

    def test_the_peak_that_made_somebody_act_is_not_compared_with(self):
        counts = noise(8)
        peak = counts.copy()
        peak[0, ACTION - 7 : ACTION + 1] *= 5
        one, two = (measure(each, 0, others(), SPANS, SETTINGS) for each in (counts, peak))
        assert one == two

    def test_what_happens_everywhere_is_no_effect(self):
        counts = noise(9)
        counts[:, ACTION + 1 :] = np.floor(counts[:, ACTION + 1 :] * 0.5)
        found = measure(counts, 0, others(), SPANS, SETTINGS)
        assert found.ratio == pytest.approx(1, abs=0.2)

    def test_too_little_to_tell(self):
        assert (
            measure(noise(1, mean=0.1), 0, others(), SPANS, SETTINGS).reason == "too_few_incidents"
        )
        few = others()
        few[19:] = False
        assert measure(noise(1), 0, few, SPANS, SETTINGS).reason == "too_few_areas"
        found = measure(noise(1), 0, np.zeros(300, dtype=bool), SPANS, SETTINGS)
        assert (found.verdict, found.placebos) == (CANNOT_TELL, 0)

    def test_peers_are_alike(self):
        counts = np.repeat([[5.0], [50.0], [6.0], [5.0]], 26, axis=1)
        counts[3, 13:] = 30
        candidates = np.array([False, True, True, True])
        assert nearest(counts, 0, candidates, most=2)[0] == 2

    def test_dispersion(self):
        rng = np.random.default_rng(4)
        assert dispersion(rng.poisson(20 * rng.gamma(5, 1 / 5, (400, 40)))) == pytest.approx(
            5, rel=0.1
        )
        assert dispersion(np.full((3, 10), 4.0)) == np.inf


def action(index, *, level="grid", day="2026-07-08", name="a1", group="all"):
    return PlacedAction(
        Action(name, level, "1", dt.date.fromisoformat(day), "patrol", group), index
    )


class TestTable:
    @pytest.fixture(scope="class")
    @classmethod
    def made(cls):  # noqa: ANN206
        return tiny_bed(3, grids=120, weeks=104, mean=4.0)

    def test_it_keeps_its_description(self, made):
        actions = [action(3), action(5, day="2025-03-03", name="a2")]
        actions += [action(7, name="a3"), action(7, name="a4", day="2026-03-03")]
        table = effect_tables(made.bed, actions, SETTINGS, 103, made.bed.as_of)["effects"]
        check_table("effects", table)
        # The action of March was over and measured before that of July.
        assert table["reason"].tolist()[1:3] == ["too_little_history", "other_action"]
        assert table["peers"].iloc[3] == SETTINGS.peers
        assert table["peers"].iloc[0] == SETTINGS.peers

    def test_no_action_gives_no_row(self, made):
        table = effect_tables(made.bed, [], SETTINGS, 103, made.bed.as_of)["effects"]
        assert len(table) == 0
        later = [action(3, day="2027-01-01")]
        assert len(effect_tables(made.bed, later, SETTINGS, 103, made.bed.as_of)["effects"]) == 0

    def test_nothing_later_is_seen(self, made):
        day = made.bed.ends[95]
        known = made.bed.events.take(made.bed.events.known <= day)
        deleted = dataclasses.replace(made.bed, events=known)
        seen = [
            effect_tables(bed, [action(3)], SETTINGS, 95, day)["effects"]
            for bed in (made.bed, deleted)
        ]
        assert seen[0].equals(seen[1])

    def peers(self, made, one, *others):
        reached = [(other, touched(made.bed, one.action.level, other)) for other in (one, *others)]
        return possible_peers(made.bed, one, reached, SPANS, made.adjacency)

    def test_neighbours_and_treated_areas_are_no_peers(self, made):
        peers = self.peers(made, action(3), action(7, name="a2"))
        near = made.adjacency[[3]].indices
        assert not peers[[3, 7, *near]].any()
        assert peers.sum() == len(peers) - len({3, 7, *near})

    def test_peers_of_a_larger_action_are_those_it_met_as_well(self, made):
        assert (
            self.peers(made, action(3)) == self.peers(made, action(3), action(0, level="city"))
        ).all()
        county = int(made.bed.index("county")[made.bed.events.area == made.bed.events.area[0]][0])
        peers = self.peers(made, action(3), action(county, level="county"))
        assert 0 < peers.sum() < len(peers)

    def test_an_action_touches_what_lies_in_and_around_it(self, made):
        bed = made.bed
        community = int(bed.areas[-1].parent[3])
        inside = touched(bed, "grid", action(community, level="community"))
        assert inside.tolist() == np.flatnonzero(bed.areas[-1].parent == community).tolist()
        assert touched(bed, "community", action(3)).tolist() == [community]


def test_places_of_actions():
    areas = pd.DataFrame(
        {
            "level": ["grid", "grid", "city"], "code": ["g1", "g1", "c"], "area_index": [0, 1, 0],
            "valid_from": [None, dt.date(2026, 1, 1), None],
            "valid_to": [dt.date(2026, 1, 1), None, None],
        }
    )  # fmt: skip
    early = Action("a", "grid", "g1", dt.date(2025, 5, 1), "patrol", "all")
    late = dataclasses.replace(early, id="b", day=dt.date(2026, 1, 1))
    assert [one.index for one in place_actions([early, late], areas)] == [0, 1]
    with pytest.raises(ActionsError, match="a: no grid has code g9 on its day"):
        place_actions([dataclasses.replace(early, code="g9")], areas)
