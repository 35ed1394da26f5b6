"""Retention: what is deleted, and what never is."""

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data.intake import Intake
from data.locks import KEEPING, BusyError, locked
from data.manifest import SnapshotError
from data.store import Store
from etl.history import HistoryError
from etl.keeping import contents
from etl.keeping.backup import backup
from etl.keeping.freeze import freeze
from etl.keeping.prune import prune
from etl.keeping.restore import restore
from etl.keeping.retention import GRACE, Retention
from etl.pipeline import Options, build
from etl.publish import WriterBusyError, writer_lock

from .conftest import FIRST, MONDAY, is_sound, tables

pytestmark = pytest.mark.early

DAY = dt.timedelta(days=1)
LATER = MONDAY + 30 * DAY


def age(home):
    """Give each manifest file the time at which its snapshot was made."""
    for path in (home / "manifests").glob("*.json"):
        made = Store(home).manifest(path.stem).raw["created_at"]
        made_at = dt.datetime.fromisoformat(made).timestamp()
        os.utime(path, (made_at, made_at))


def files(home):
    folders = ("manifests", "snapshots", "epochs", "incidents", "tiles", "boundaries", "landed")
    return {path for folder in folders for path in contents.files_below(home, folder)}


def as_of(kept, moment):
    return build(kept.toy.folder, home=kept.home, now=LATER, options=Options(as_of=moment)).manifest


def test_the_newest_snapshots_are_kept(kept):
    third = kept.third()
    age(kept.home)
    first, second, last = sorted(path.stem for path in (kept.home / "manifests").iterdir())
    assert last == third["snapshot"]
    done = prune(kept.home, Retention(snapshots=2), now=LATER)
    assert done.kept == [second, last]
    assert done.files["manifests"] == 1
    assert done.files["snapshots"] > 0
    assert not (kept.home / "manifests" / f"{first}.json").exists()
    named = set(contents.named_by_manifest(third)) | set(
        contents.named_by_manifest(Store(kept.home).manifest(second).raw)
    )
    assert set(contents.files_below(kept.home, "snapshots")) <= named
    assert is_sound(kept.home) == last
    is_sound(kept.home, second)


def test_a_snapshot_that_was_just_replaced_is_kept(kept):
    third = kept.third()
    age(kept.home)
    published = kept.home / "manifests" / f"{third['snapshot']}.json"
    now = LATER.timestamp()
    for ago, left in ((GRACE - dt.timedelta(minutes=1), 2), (GRACE, 1)):
        os.utime(published, (now - ago.total_seconds(), now - ago.total_seconds()))
        assert len(prune(kept.home, Retention(snapshots=1), now=LATER).kept) == left


def test_a_dry_run_tells_and_deletes_nothing(kept):
    kept.third()
    age(kept.home)
    before = files(kept.home)
    told = prune(kept.home, Retention(snapshots=1), now=LATER, dry_run=True)
    assert files(kept.home) == before
    assert prune(kept.home, Retention(snapshots=1), now=LATER) == told
    assert len(before) - len(files(kept.home)) == sum(told.files.values()) > 0
    assert not any(prune(kept.home, Retention(snapshots=1), now=LATER).files.values())


def test_landed_batches_stay(kept):
    age(kept.home)
    before = set(contents.files_below(kept.home, "landed"))
    prune(kept.home, Retention(snapshots=1, days=0), now=LATER + 4000 * DAY)
    assert set(contents.files_below(kept.home, "landed")) == before
    assert len(Intake(kept.home).batches()) == 2


def test_an_epoch_of_long_ago_is_deleted_and_told(kept):
    kept.toy.change("city.toml", "window = 2", "window = 3")
    kept.third()
    age(kept.home)
    done = prune(kept.home, Retention(snapshots=1, days=10), now=LATER)
    assert done.files["ledgers"] > 0
    assert done.files["incidents"] > 0
    with pytest.raises(HistoryError, match="was pruned; restore a backup"):
        as_of(kept, MONDAY + DAY)
    is_sound(kept.home)


def test_boundaries_of_kept_days_stay_and_others_go(kept):
    kept.toy.write_grids(kept.toy.grids[:-1])
    kept.third()
    age(kept.home)
    assert not any(
        prune(kept.home, Retention(days=40), now=LATER).files[kind]
        for kind in ("boundaries", "tiles")
    )
    done = prune(kept.home, Retention(snapshots=1, days=10), now=LATER)
    assert done.files["boundaries"] > 0
    assert done.files["tiles"] > 0
    is_sound(kept.home)
    kept.toy.publish(FIRST[:1], now=LATER)
    is_sound(kept.home)


def test_a_renewed_ledger_leaves_only_its_own_files(kept):
    forced = kept.toy.publish(now=MONDAY + 2 * DAY, force=True).manifest
    age(kept.home)
    assert tables(forced) == tables(kept.manifest)
    prune(kept.home, Retention(snapshots=1), now=LATER)
    assert [path.parent.name for path in contents.ledgers(kept.home)] == ["2"]
    assert set(contents.files_below(kept.home, "incidents/month=2026-01")) <= set(
        forced["incidents"]["files"]
    )
    is_sound(kept.home)


def test_an_epoch_that_comes_back_does_not_change_a_frozen_snapshot(kept):
    freeze(kept.home, None, "2026-W08")
    kept.toy.change("city.toml", "window = 2", "window = 3")
    kept.third()
    age(kept.home)
    prune(kept.home, Retention(snapshots=1, days=10), now=LATER)
    is_sound(kept.home, kept.manifest["snapshot"])
    backup(kept.home, str(kept.target))
    restore(str(kept.target), kept.other)
    kept.toy.change("city.toml", "window = 3", "window = 2")
    for home in (kept.home, kept.other):
        again = build(kept.toy.folder, home=home, now=LATER).manifest
        assert again["epoch"] == kept.manifest["epoch"]
        assert not set(again["incidents"]["files"]) & set(kept.manifest["incidents"]["files"])
        is_sound(home)
        is_sound(home, kept.manifest["snapshot"])


def test_the_delta_table_stays_readable(kept):
    kept.toy.change("city.toml", "window = 2", "window = 3")
    kept.third()
    # It now shows the epoch of that day.
    as_of(kept, MONDAY + DAY)
    age(kept.home)
    prune(kept.home, Retention(snapshots=1, days=10), now=LATER)
    named = contents.named_by_delta(kept.home)
    assert named
    assert all((kept.home / path).is_file() for path in named)


def test_a_damaged_published_manifest_stops_everything(kept):
    path = kept.home / "manifests" / f"{kept.manifest['snapshot']}.json"
    path.write_text(path.read_text()[:-9])
    before = files(kept.home)
    with pytest.raises(SnapshotError, match="restore a backup"):
        prune(kept.home, Retention(snapshots=1), now=LATER)
    assert files(kept.home) == before


def test_nothing_is_deleted_under_a_build_a_backup_or_a_copy(kept):
    with writer_lock(kept.home), pytest.raises(WriterBusyError):
        prune(kept.home)
    with locked(kept.home, KEEPING, shared=True), pytest.raises(BusyError):
        prune(kept.home)


@pytest.mark.parametrize("numbers", [{"snapshots": 0}, {"days": -1}])
def test_at_least_one_snapshot_is_kept(numbers):
    with pytest.raises(ValueError, match="at least one"):
        Retention(**numbers)


def test_a_killed_run_leaves_the_published_snapshot_whole(kept, monkeypatch, tmp_path):
    kept.toy.change("city.toml", "window = 2", "window = 3")
    kept.third()
    kept.toy.publish(now=MONDAY + 3 * DAY, force=True)
    age(kept.home)
    retention = Retention(snapshots=1, days=10)
    total = sum(prune(kept.home, retention, now=LATER, dry_run=True).files.values())
    assert total > 40
    unlink, left = Path.unlink, [0]

    def dying(path, *, missing_ok=False):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        unlink(path, missing_ok=missing_ok)

    for deleted in [*range(4), *range(4, total, total // 6)]:
        home = tmp_path / f"home-{deleted}"
        shutil.copytree(kept.home, home)
        left[0] = deleted
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", dying)
            with pytest.raises(KeyboardInterrupt):
                prune(home, retention, now=LATER)
        is_sound(home)
        # The next run ends it.
        prune(home, retention, now=LATER)
        assert not any(prune(home, retention, now=LATER).files.values())
        if deleted in (1, 3):
            kept.toy.change("city.toml", "window = 3", "window = 2")
            build(kept.toy.folder, home=home, now=LATER)
            is_sound(home)
            kept.toy.change("city.toml", "window = 2", "window = 3")


ACTIONS = st.sampled_from(["rows", "rows", "window", "force", "freeze", "as of"])


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(ACTIONS, st.integers(1, 200)), min_size=3, max_size=6),
    st.integers(1, 3),
    st.sampled_from([0, 30, 400]),
)
@example([("rows", 5), ("window", 5), ("freeze", 1), ("rows", 40), ("as of", 9)], 1, 30)
def test_after_any_history_what_must_stay_stays(toy, history, keep, days):
    shutil.rmtree(toy.home, ignore_errors=True)
    now, window, frozen = MONDAY, 2, []
    published = [(now, toy.publish(FIRST, now=now).manifest)]
    for number, (action, gap) in enumerate(history):
        now += dt.timedelta(days=gap)
        if action == "freeze":
            frozen.append(freeze(toy.home, None, f"map-{number}").snapshot)
        elif action == "as of":
            moment = published[0][0] + dt.timedelta(hours=1)
            build(toy.folder, home=toy.home, now=now, options=Options(as_of=moment))
        else:
            if action == "window":
                toy.change("city.toml", f"window = {window}", f"window = {5 - window}")
                window = 5 - window
            rows = [f"late{number},2026-01-{number + 5:02d} 09:00,A1,1,,103.05,36.15,"]
            built = toy.publish(rows, now=now, force=action == "force")
            published.append((now, built.manifest))
    age(toy.home)
    now += DAY
    done = prune(toy.home, Retention(snapshots=keep, days=days), now=now)
    newest = [manifest["snapshot"] for _, manifest in published[-keep:]]
    assert {*newest, *frozen} <= set(done.kept)
    for snapshot in done.kept:
        is_sound(toy.home, snapshot)
    assert is_sound(toy.home) == published[-1][1]["snapshot"]
    for at, manifest in published:
        if at >= now - dt.timedelta(days=days):
            options = Options(as_of=at + dt.timedelta(hours=1))
            again = build(toy.folder, home=toy.home, now=now, options=options).manifest
            assert tables(again) == tables(manifest)
    last = ["last,2026-02-10 09:00,B,1,,103.05,36.05,"]
    following = toy.publish(last, now=now + DAY).manifest
    assert following["rows"]["read"] == published[-1][1]["rows"]["read"] + 1
    is_sound(toy.home)
    toy.change("city.toml", f"window = {window}", "window = 2")
