"""Releases of a small city, build after build."""

import datetime as dt
import json
import shutil

import pyarrow.parquet as pq
import pytest

from data.city import read_city
from data.store import Store
from etl.pipeline import build
from etl.verify import verify
from tests.etl.protect.conftest import weeks

MONDAYS = [f"2026-01-{day:02d}" for day in (5, 12, 19, 26)] + ["2026-02-02", "2026-02-09"]


def verified(town):
    report = verify(town.home)
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]
    return next(check["detail"] for check in report["checks"] if check["name"] == "releases")


def starts(manifest):
    return [
        entry["period_start"] for entry in manifest["files"] if entry["table"] == "released_counts"
    ]


def test_a_period_is_released_when_another_one_has_passed(town):
    manifest = town.publish(weeks(3)).manifest
    assert manifest["periods"]["last"] == MONDAYS[1]
    assert starts(manifest) == MONDAYS[:1]
    assert manifest["released"] == {"counts": [MONDAYS[0], MONDAYS[0]]}
    assert verified(town).startswith("2 releases,")


def test_what_is_told_is_what_was_counted(town):
    town.publish(weeks(3))
    told = town.stored()
    week, grid, county = MONDAYS[0], 12, 48
    assert (
        told["internal", week, "city", "T", -1]
        == told["public", week, "city", "T", -1]
        == 3 * county
    )
    assert told["internal", week, "county", "A", -1] == county
    assert told["internal", week, "county", "A", 0] == county // 2
    assert told["internal", week, "grid", "A0", -1] == grid
    # The public edition ends at the township, which this city does not have, and so at the county.
    assert {key[2] for key in told if key[0] == "public"} == {"city", "county"}
    # Lower categories are never told.
    assert {key[4] for key in told} == {-1, 0, 2}


def test_few_incidents_and_two_brothers_are_withheld(town):
    town.publish([*weeks(3, skip=("A0",)), "x,2026-01-07 10:00,A1,,,103.05,36.05,"])
    told = town.stored()
    shown = {key[3] for key in told if key[:3] == ("internal", MONDAYS[0], "grid") and key[4] == -1}
    assert len([code for code in shown if code.startswith("A")]) == 1
    assert len([code for code in shown if code.startswith("B")]) == 4
    assert told["internal", MONDAYS[0], "county", "A", -1] == 37
    verified(town)


def test_a_released_period_stays_word_for_word(town):
    before = town.publish(weeks(3)).manifest
    told, files = town.stored(before), town.paths(before)
    # Late rows of the same week, and a new week.
    after = town.publish([*weeks(4), *weeks(1, tag="late")]).manifest
    assert after["rows"]["incidents"] > before["rows"]["incidents"]
    assert {key: count for key, count in town.stored(after).items() if key[1] == MONDAYS[0]} == told
    assert town.paths(after).items() >= files.items()
    # What was released only now holds what is known by now.
    assert starts(after) == MONDAYS[:2]
    verified(town)


@pytest.mark.parametrize("how", ["force", "privacy", "epoch"])
def test_it_stays_whatever_is_changed(town, how):
    before = town.publish(weeks(3)).manifest
    if how == "privacy":
        town.privacy("k_internal = 30\nk_public = 40")
    if how == "epoch":
        town.change("city.toml", "window = 2", "window = 1")
    lines = [*weeks(4), *weeks(1, tag="late")]
    after = town.publish(lines, force=how == "force").manifest
    assert town.paths(after).items() >= town.paths(before).items()
    told = town.stored(after)
    newer = {key: count for key, count in told.items() if key[1] == MONDAYS[1]}
    assert newer
    if how == "privacy":
        assert not [key for key in newer if key[2] == "grid"]
        assert [key for key in told if key[1] == MONDAYS[0] and key[2] == "grid"]
    verified(town)


def test_settings_of_privacy_open_no_new_epoch(town):
    before = town.publish(weeks(3))
    town.privacy("k_public = 20")
    again = town.publish()
    assert not again.is_new
    assert again.manifest["snapshot"] == before.manifest["snapshot"]
    assert read_city(town.folder, home=town.home).privacy.k_public == 20


def test_categories_keep_their_meaning_when_they_are_numbered_otherwise(town):
    before = town.stored(town.publish(weeks(3)).manifest)
    town.change(
        "categories.csv", "A,,甲,A\nA1,A,甲一,A one\nB,,乙,B", "B,,乙,B\nA,,甲,A\nA1,A,甲一,A one"
    )
    manifest = town.publish(weeks(4)).manifest
    now = {key: count for key, count in town.stored(manifest).items() if key[1] == MONDAYS[0]}
    numbers = {-1: -1, 0: 1, 2: 0}
    assert now == {(*key[:4], numbers[key[4]]): count for key, count in before.items()}
    verified(town)


def test_only_the_newest_are_kept_and_old_ones_never_come_back(town):
    town.privacy("keep_periods = 2")
    first = town.publish(weeks(5)).manifest
    assert starts(first) == MONDAYS[1:3]
    town.privacy("keep_periods = 5")
    later = town.publish(weeks(6)).manifest
    # The week before them was never released, so it can be now.
    assert starts(later) == MONDAYS[:4]
    town.privacy("keep_periods = 1")
    assert starts(town.publish(weeks(7)).manifest) == MONDAYS[4:5]
    town.privacy("keep_periods = 9")
    # Those before are named by earlier snapshots: they come back as they were, not anew.
    back = town.publish([*weeks(8), *weeks(1, tag="late")]).manifest
    assert town.paths(later).items() <= town.paths(back).items()


def test_a_release_that_is_lost_is_not_made_again(town):
    first = town.publish(weeks(4)).manifest
    (town.home / town.paths(first)[MONDAYS[0], "counts"]).unlink()
    after = town.publish([*weeks(5), *weeks(1, tag="late")]).manifest
    assert starts(after) == MONDAYS[1:3]
    assert after["released"] == {"counts": [MONDAYS[0], MONDAYS[2]]}


def test_a_snapshot_that_was_rolled_back_still_binds(town):
    earlier = town.publish(weeks(3)).manifest
    later = town.publish(weeks(4)).manifest
    (town.home / "CURRENT").write_text(earlier["snapshot"] + "\n", encoding="utf-8")
    again = town.publish([*weeks(4), *weeks(2, tag="late")]).manifest
    assert again["parent"] == earlier["snapshot"]
    assert town.paths(again) == town.paths(later)


def test_an_earlier_day_that_is_rebuilt_names_what_was_released_then(town):
    day = dt.timedelta(days=1)
    before = town.publish(weeks(3)).manifest
    after = town.publish([*weeks(5), *weeks(2, tag="late")], now=town.now + 2 * day).manifest
    assert starts(after) == MONDAYS[:3]
    rebuilt = town.publish(now=town.now + 3 * day, as_of=town.now + day).manifest
    assert town.paths(rebuilt) == town.paths(before)
    # And releases nothing itself, of counts that nobody knew then.
    early = town.publish(now=town.now + 3 * day, as_of=town.now + 2 * day, force=True).manifest
    assert town.paths(early) == town.paths(after)


def test_nothing_is_released_before_the_first_period_is_over(town):
    manifest = town.publish(weeks(1)).manifest
    assert starts(manifest) == []
    assert verified(town) == "no period is released yet"


def test_grids_that_ended_in_a_period_are_not_told_and_not_computed(town):
    from tests.etl.protect.conftest import grids

    cut = [(*grid[:5], "2026-01-08") if grid[0] == "A0" else grid for grid in grids()]
    town.write_grids([*cut, ("A9", "A", 103.0, 36.0, "2026-01-08", None)])
    town.publish(weeks(3, per_week=20))
    told = town.stored()
    shown = {key[3] for key in told if key[:3] == ("internal", MONDAYS[0], "grid")}
    # What A0 had until Wednesday is in no grid of Sunday; it stays hidden among others.
    assert "A0" not in shown
    assert len([code for code in shown if code.startswith("A")]) <= 2
    assert told["internal", MONDAYS[0], "county", "A", -1] == 80
    verified(town)


def test_a_fresh_copy_of_the_city_releases_the_same(town, tmp_path):
    town.publish(weeks(4))
    other = tmp_path / "other"
    shutil.copytree(town.folder, other / "city")
    build(other / "city", home=other / "home", now=town.now)
    store = Store(other / "home")
    manifest = store.manifest(store.current_id()).raw
    ours = {entry["sha256"] for entry in _released(town.home)}
    assert ours == {
        entry["sha256"] for entry in manifest["files"] if entry["table"] == "released_counts"
    }


def _released(home):
    manifest = json.loads(
        (home / "manifests" / f"{Store(home).current_id()}.json").read_text("utf-8")
    )
    return [entry for entry in manifest["files"] if entry["table"] == "released_counts"]


def test_the_table_of_releases_says_how_each_was_made(town):
    manifest = town.publish(weeks(3)).manifest
    entry = next(entry for entry in manifest["files"] if entry["table"] == "releases")
    rows = pq.read_table(town.home / entry["path"]).to_pylist()
    city = read_city(town.folder, home=town.home)
    assert [
        (row["edition"], row["k"], row["finest_totals"], row["finest_categories"]) for row in rows
    ] == [
        ("internal", 5, "grid", "county"),
        ("public", 10, "county", "county"),
    ]
    for row in rows:
        assert row["released_at"] == town.now
        assert (row["grain"], row["rules"]) == ("week", city.privacy.rules)
        assert row["boundary_version"] == manifest["boundary_version"]
