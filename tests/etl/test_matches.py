"""Two channels, one event: worked examples, properties, and the figures on planted pairs."""

import csv
import itertools
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import schema
from data.codebooks import taxonomy
from etl.matches import CROWD, crowded, match_groups, match_month

METRE = np.degrees(1 / 6_371_008.8)
LNG, LAT = 103.0, 36.0
BASE = {
    "incident_id": "hotline:1",
    "source": "hotline",
    "category": "P2",
    "subcategory": "P201",
    "occurred_at": "2026-01-10 12:00",
    "lng": LNG,
    "lat": LAT,
    "precision": "address",
    "area_level": "grid",
    "area_index": 7,
}


def frame(*reports):
    rows = pd.DataFrame([{**BASE, **report} for report in reports], columns=list(BASE))
    rows["occurred_at"] = pd.to_datetime(rows["occurred_at"], utc=True, format="ISO8601").astype(
        "datetime64[us, UTC]"
    )
    return rows.astype({"lng": "float64", "lat": "float64"})


def two(**second):
    return frame({}, {"incident_id": "police:1", "source": "police", **second})


def pairs(rows, **options):
    found = match_month(rows, lowest="grid", **options)
    schema.check_table("matches", found)
    return list(zip(found["first_id"], found["second_id"], strict=True))


def north(metres):
    return LAT + metres * METRE


def no_point(**report):
    return {"lng": None, "lat": None, "precision": None, **report}


def test_one_event_told_twice_is_proposed_with_its_facts():
    found = match_month(two(lat=north(20), occurred_at="2026-01-10 15:00"), lowest="grid")
    row = found.iloc[0]
    assert (row["first_id"], row["second_id"]) == ("hotline:1", "police:1")
    assert (row["first_source"], row["second_source"]) == ("hotline", "police")
    assert (row["area_level"], row["area_index"]) == ("grid", 7)
    assert (row["gap_hours"], row["distance_m"], row["same_subcategory"]) == (3.0, 20.0, True)
    # (1 − 20 / 100) × (1 − 3 / 24)
    assert row["score"] == 0.7


def test_the_earlier_one_is_first():
    assert pairs(two(occurred_at="2026-01-10 11:00")) == [("police:1", "hotline:1")]


def test_at_the_same_moment_the_lower_id_is_first():
    assert pairs(two(incident_id="a:1")) == [("a:1", "hotline:1")]


@pytest.mark.parametrize(
    ("precision", "metres", "expected"),
    [
        ("address", 49.99, 1), ("address", 50.01, 0), ("street", 149.99, 1), ("street", 150.01, 0),
        ("place", 149.99, 1), (None, 50.01, 0),
    ],
)  # fmt: skip
def test_border_of_the_radius(precision, metres, expected):
    assert len(pairs(two(lat=north(metres), precision=precision))) == expected
    east = LNG + metres * METRE / np.cos(np.radians(LAT))
    assert len(pairs(two(lng=east, precision=precision))) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-11 00:00:00", 1), ("2026-01-11 00:00:01", 0),
        ("2026-01-10 00:00:00", 1), ("2026-01-09 23:59:59", 0),
    ],
)  # fmt: skip
def test_border_of_the_gap(moment, expected):
    assert len(pairs(two(occurred_at=moment))) == expected


@pytest.mark.parametrize(
    ("category", "subcategory", "score"),
    [
        ("P2", "P201", 1.0),
        ("P2", "P202", 0.6),
        ("P2", None, 0.6),
        ("D6", "D608", 0.8),  # a fight, and the injury that it left
        ("D6", "D601", None),
        ("M1", "M101", None),
    ],
)
def test_class_decides_how_near_two_reports_are(category, subcategory, score):
    found = match_month(two(category=category, subcategory=subcategory), lowest="grid")
    assert found["score"].tolist() == ([] if score is None else [score])


def test_a_declared_group_joins_two_upper_categories_once():
    rows = two(category="X")
    assert pairs(rows, groups={}) == []
    assert pairs(two(subcategory="P202"), groups={"P201": "g", "P202": "g"}) == [
        ("hotline:1", "police:1")
    ]


def test_reports_of_one_source_are_never_paired():
    assert pairs(two(source="hotline")) == []


def test_three_channels_make_three_pairs():
    rows = frame(
        {},
        {"incident_id": "police:1", "source": "police", "lat": north(10)},
        {"incident_id": "grid:1", "source": "grid", "lat": north(20)},
    )
    assert pairs(rows) == [
        ("grid:1", "hotline:1"), ("grid:1", "police:1"), ("hotline:1", "police:1"),
    ]  # fmt: skip


def test_the_best_pair_goes_first_and_the_next_takes_what_is_left():
    rows = frame(
        {"lat": north(0)},
        {"incident_id": "hotline:2", "lat": north(40)},
        {"incident_id": "police:1", "source": "police", "lat": north(10)},
        {"incident_id": "police:2", "source": "police", "lat": north(5)},
    )
    assert pairs(rows) == [("hotline:1", "police:2"), ("hotline:2", "police:1")]


def test_equal_scores_go_by_their_ids():
    rows = frame(
        {"incident_id": "hotline:2"},
        {"incident_id": "hotline:1"},
        {"incident_id": "police:9", "source": "police"},
        {"incident_id": "police:8", "source": "police"},
    )
    assert pairs(rows) == [("hotline:1", "police:8"), ("hotline:2", "police:9")]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (no_point(), 1),
        (no_point(area_index=8), 0),
        (no_point(area_level="county"), 0),
        (no_point(area_level=None, area_index=-1), 0),
        ({"lat": north(5_000), "precision": "area"}, 1),  # the middle of an area is no place
        ({"lat": north(5_000)}, 0),
    ],
)
def test_without_a_point_the_lowest_area_must_be_the_same(second, expected):
    found = match_month(two(**second), lowest="grid")
    assert len(found) == expected
    assert found["distance_m"].isna().all()
    assert (found["score"] == 0.5).all()


def test_two_reports_without_any_point_are_paired_by_area():
    rows = frame(no_point(), no_point(incident_id="police:1", source="police"))
    assert pairs(rows) == [("hotline:1", "police:1")]
    nowhere = dict(area_level=None, area_index=-1)
    rows = frame(no_point(**nowhere), no_point(incident_id="p:1", source="police", **nowhere))
    assert pairs(rows) == []


def test_no_rows_and_one_row_give_no_pair():
    assert pairs(frame()) == []
    assert pairs(frame({})) == []


@pytest.mark.parametrize("place", [{}, no_point()])
def test_a_crowd_tells_nothing(place):
    reports = [
        {**place, "incident_id": f"{source}:{number}", "source": source}
        for source in ("hotline", "police")
        for number in range(CROWD // 2)
    ]
    rows = frame(*reports)
    assert not crowded(rows, lowest="grid").any()
    assert len(pairs(rows)) == CROWD // 2
    rows = frame(*reports, {**place, "incident_id": "police:x", "source": "police"})
    assert crowded(rows, lowest="grid").all()
    assert pairs(rows) == []


REPORTS = st.lists(
    st.builds(
        dict,
        source=st.sampled_from(["hotline", "police", "grid"]),
        category=st.sampled_from(["P2", "D6"]),
        subcategory=st.sampled_from(["P201", "D608", None]),
        hour=st.integers(0, 30),
        metres=st.sampled_from([0, 10, 49, 90, 140, 200, None]),
        precision=st.sampled_from(["address", "street", "area"]),
        area_index=st.integers(0, 1),
    ),
    max_size=14,
)


def drawn(reports):
    moment = pd.Timestamp("2026-01-10", tz="UTC")
    told = [
        {
            "incident_id": f"{one['source']}:{number}",
            "occurred_at": moment + pd.Timedelta(hours=one["hour"]),
            "lat": None if one["metres"] is None else north(one["metres"]),
            "lng": None if one["metres"] is None else LNG,
            **{name: one[name] for name in BASE if name in one},
        }
        for number, one in enumerate(reports)
    ]
    return frame(*told)


@settings(max_examples=60, deadline=None)
@given(REPORTS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(reports, random):
    rows = drawn(reports)
    order = list(range(len(rows)))
    random.shuffle(order)
    found = match_month(rows, lowest="grid")
    pd.testing.assert_frame_equal(found, match_month(rows.iloc[order], lowest="grid"))


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_pairs_are_of_two_sources_and_one_partner_in_each(reports):
    rows = drawn(reports)
    found = match_month(rows, lowest="grid")
    schema.check_table("matches", found)
    assert (found["first_source"] != found["second_source"]).all()
    assert found["score"].between(0, 1).all()
    partners = pd.concat(
        [
            found[["first_id", "second_source"]].set_axis(["id", "other"], axis=1),
            found[["second_id", "first_source"]].set_axis(["id", "other"], axis=1),
        ]
    )
    assert not partners.duplicated().any()


def by_hand(rows):
    """The method's words, pair by pair: every candidate and its score."""
    found = []
    groups = match_groups()
    for one, other in itertools.combinations(rows.to_dict("records"), 2):
        hours = abs((one["occurred_at"] - other["occurred_at"]).total_seconds()) / 3600
        if one["source"] == other["source"] or hours > 12:
            continue
        has_point = all(r["precision"] != "area" and r["lat"] == r["lat"] for r in (one, other))
        radius = 150 if "street" in (one["precision"], other["precision"]) else 50
        metres = abs(one["lat"] - other["lat"]) / METRE
        if (metres > radius) if has_point else (one["area_index"] != other["area_index"]):
            continue
        lower = [
            r["subcategory"] if isinstance(r["subcategory"], str) else None for r in (one, other)
        ]
        group = {
            groups.get(code or r["category"]) for code, r in zip(lower, (one, other), strict=True)
        }
        if lower[0] == lower[1] and lower[0]:
            closeness = 1.0
        elif len(group) == 1 and None not in group:
            closeness = 0.8
        elif one["category"] == other["category"]:
            closeness = 0.6
        else:
            continue
        place = 1 - metres / (2 * radius) if has_point else 0.5
        ids = frozenset((one["incident_id"], other["incident_id"]))
        found.append((round(closeness * place * (1 - hours / 24), 4), ids))
    return found


@settings(max_examples=100, deadline=None)
@given(REPORTS)
def test_the_pairs_are_those_of_the_method_told_pair_by_pair(reports):
    rows = drawn(reports)
    # The same lower code under two upper ones is no taxonomy.
    rows["category"] = rows["subcategory"].str[:2].fillna(rows["category"])
    candidates = {ids: score for score, ids in by_hand(rows)}
    found = match_month(rows, lowest="grid")
    told = {frozenset((row.first_id, row.second_id)): row.score for row in found.itertuples()}
    assert told.keys() <= candidates.keys()
    for ids, score in told.items():
        assert score == pytest.approx(candidates[ids], abs=2e-4)
    source = rows.set_index("incident_id")["source"]
    ends = {(one, source[other]) for ids in told for one, other in itertools.permutations(ids)}
    for ids in candidates.keys() - told.keys():
        one, other = ids
        assert (one, source[other]) in ends or (other, source[one]) in ends


def test_the_groups_are_of_the_taxonomy():
    known = {code.code: code.name_zh for code in taxonomy()}
    file = files("data").joinpath("reference", "match-groups.csv")
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert [
        (row["code"], row["name_zh"]) for row in rows if known.get(row["code"]) != row["name_zh"]
    ] == []
    groups = match_groups()
    assert len(groups) == len(rows)
    sizes = pd.Series(groups).value_counts()
    assert sizes.min() >= 2


SOURCES = ("hotline", "police", "grid", "mediation", "patrol")
SHARES = (0.34, 0.32, 0.17, 0.10, 0.07)


def background(count, random):
    """A month of 12,500 reports with as many likely chance pairs as the small demonstration."""
    codes = [code for code in taxonomy() if code.parent_code]
    weights = 1 / np.arange(1, len(codes) + 1)
    drawn_codes = random.choice(random.permutation(len(codes)), count, p=weights / weights.sum())
    side = 13_000 * (count / 12_500) ** 0.5
    source = random.choice(SOURCES, count, p=SHARES)
    moment = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
        random.integers(0, 30 * 86_400, count), unit="s"
    )
    return pd.DataFrame(
        {
            "incident_id": [f"{name}:{number}" for number, name in enumerate(source)],
            "source": source,
            "category": [codes[at].parent_code for at in drawn_codes],
            "subcategory": [codes[at].code for at in drawn_codes],
            "occurred_at": moment.as_unit("us"),
            "lng": LNG + random.uniform(0, side, count) * METRE / np.cos(np.radians(LAT)),
            "lat": LAT + random.uniform(0, side, count) * METRE,
            "precision": "address",
            "area_level": "grid",
            "area_index": random.integers(0, 4_000, count),
        }
    )


def planted(rows, count, random):
    """Second reports of some rows: another source, up to 30 m and 4 h apart."""
    first = rows.iloc[random.choice(len(rows), count, replace=False)]
    turned = [SOURCES[(SOURCES.index(name) + 1) % len(SOURCES)] for name in first["source"]]
    angle, metres = random.uniform(0, 2 * np.pi, count), random.uniform(0, 30, count)
    second = first.assign(
        incident_id=[f"{name}:again{number}" for number, name in enumerate(turned)],
        source=turned,
        occurred_at=(
            first["occurred_at"] + pd.to_timedelta(random.integers(0, 4 * 3600, count), unit="s")
        ).astype("datetime64[us, UTC]"),
        lng=first["lng"] + metres * np.cos(angle) * METRE / np.cos(np.radians(LAT)),
        lat=first["lat"] + metres * np.sin(angle) * METRE,
    )
    truth = set(map(frozenset, zip(first["incident_id"], second["incident_id"], strict=True)))
    return pd.concat([rows, second], ignore_index=True), truth


def test_planted_pairs_are_found_on_a_background_of_the_demonstration_density():
    random = np.random.default_rng(7)
    rows, truth = planted(background(12_500, random), 40, random)
    found = match_month(rows, lowest="grid")
    ids = map(frozenset, zip(found["first_id"], found["second_id"], strict=True))
    is_true = np.array([pair in truth for pair in ids])
    sure = found["score"].to_numpy() >= 0.5
    figures = {
        "recall": is_true.sum() / len(truth),
        "precision": is_true.mean(),
        "recall at 0.5": (is_true & sure).sum() / len(truth),
        "precision at 0.5": is_true[sure].mean(),
    }
    assert figures["recall"] == 1.0
    assert figures["precision"] >= 0.65
    assert figures["recall at 0.5"] == 1.0
    assert figures["precision at 0.5"] >= 0.85
