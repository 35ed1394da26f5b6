"""Frozen maps."""

import stat

import pytest

from data.manifest import NoSnapshotError, SnapshotError
from data.store import Store, check_files
from etl.keeping.backup import backup
from etl.keeping.freeze import FreezeError, freeze, issued_maps
from etl.keeping.prune import prune
from etl.keeping.restore import restore
from etl.keeping.retention import Retention

from .conftest import MONDAY, is_sound


def test_a_frozen_map_opens_by_itself_and_never_changes(kept):
    published = Store(kept.home).current()
    stated = {table: published.read(table) for table in published.tables()}
    issued = freeze(kept.home, None, "2026-W08", now=MONDAY)
    kept.third()
    prune(kept.home, Retention(snapshots=1), now=MONDAY)
    alone = kept.other
    (kept.home / "issued" / "2026-W08").rename(alone)
    frozen = Store(alone).current()
    assert frozen.id == issued.snapshot == published.id
    check_files(alone, frozen.manifest)
    assert all(frozen.read(table).equals(rows) for table, rows in stated.items())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in alone.rglob("*") if path.is_file()}
    assert modes == {0o444}
    # The snapshot itself stays too, with its incidents.
    is_sound(kept.home, issued.snapshot)


def test_a_name_is_given_once(kept):
    first = freeze(kept.home, kept.manifest["snapshot"], "周报-47", now=MONDAY)
    assert freeze(kept.home, None, "周报-47") == first
    kept.third()
    with pytest.raises(FreezeError, match="choose another name"):
        freeze(kept.home, None, "周报-47")
    assert issued_maps(kept.home) == [first]


@pytest.mark.parametrize("name", ["", "a/b", "..", "a.b", "-a", "a" * 65])
def test_a_name_that_is_none_is_refused(kept, name):
    with pytest.raises(FreezeError, match="letters, digits"):
        freeze(kept.home, None, name)


def test_what_a_killed_run_left_is_done_again(kept, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    for place in ("place", "replace_text"):
        with monkeypatch.context() as patch:
            patch.setattr(f"etl.keeping.freeze.{place}", die)
            with pytest.raises(KeyboardInterrupt):
                freeze(kept.home, None, "w")
        assert issued_maps(kept.home) == []
    freeze(kept.home, None, "w")
    assert [issued.name for issued in issued_maps(kept.home)] == ["w"]
    assert Store(kept.home / "issued" / "w").current().id == kept.manifest["snapshot"]


def test_only_a_sound_snapshot_is_frozen(kept):
    with pytest.raises(SnapshotError, match="missing"):
        freeze(kept.home, "20200101T000000Z-00000000", "w")
    (kept.home / kept.manifest["files"][0]["path"]).unlink()
    with pytest.raises(SnapshotError, match="is missing"):
        freeze(kept.home, None, "w")
    with pytest.raises(NoSnapshotError):
        freeze(kept.other, None, "w")


def test_frozen_maps_are_in_the_backup(kept):
    issued = freeze(kept.home, None, "w", now=MONDAY)
    backup(kept.home, str(kept.target))
    restore(str(kept.target), kept.other)
    assert issued_maps(kept.other) == [issued]
    assert Store(kept.other / "issued" / "w").current().id == issued.snapshot
    pointer = kept.other / "issued" / "w" / "CURRENT"
    assert stat.S_IMODE(pointer.stat().st_mode) == 0o444
