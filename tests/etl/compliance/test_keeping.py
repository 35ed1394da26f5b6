"""Controls of what is kept, each failing once."""

import datetime as dt
import os

import pytest

from etl.keeping.last import LastBackup, last_backup, note
from tests.etl.compliance.values import NOW

HOUR = dt.timedelta(hours=1)


def backed_up(installed, *, hours):
    note(installed.home, LastBackup(NOW - hours * HOUR, "20261122", "s3://keep/map?key=hidden"))


def judged(control):
    return control.state, control.detail


def test_a_home_without_a_record_of_backups_is_seen_by_hand(installed):
    assert judged(installed.controls()["backup"]) == (
        "by hand",
        "no record; run `pingan backup TARGET` every night, or show how else it is done",
    )


def test_a_backup_of_last_night_passes(installed):
    backed_up(installed, hours=30)
    assert judged(installed.controls()["backup"]) == (
        "pass",
        "2026-11-20 22:00 UTC to s3://keep/map; try a restore every quarter",
    )


def test_an_old_backup_fails(installed):
    backed_up(installed, hours=73)
    assert judged(installed.controls()["backup"]) == (
        "fail",
        (
            "the last one is 3 days old (2026-11-19 03:00 UTC to s3://keep/map); run `pingan backup` "
            "every night"
        ),
    )


def test_a_server_is_dumped_by_hand(installed):
    backed_up(installed, hours=1)
    found = installed.controls(state="postgresql://u:tW4-keN9@127.0.0.1:1/s")
    assert judged(found["backup"]) == (
        "by hand",
        (
            "2026-11-22 03:00 UTC to s3://keep/map; the state database is a server: dump it every "
            "night as well"
        ),
    )


@pytest.mark.parametrize("text", ["", "{}", '{"at": 3}', "[]", '{"at": "never", "backup": "1"}'])
def test_a_damaged_record_fails(installed, text):
    (installed.home / "last-backup.json").write_text(text)
    with pytest.raises(ValueError, match="is damaged"):
        last_backup(installed.home)
    assert installed.controls()["backup"].state == "fail"


def test_the_demo_needs_no_backup(installed):
    assert installed.controls(auth="demo", public_url="")["backup"].state == "not applicable"


def old(path, *, hours):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    moment = (NOW - hours * HOUR).timestamp()
    os.utime(path, (moment, moment))


def test_uploads_do_not_wait_for_days(installed):
    uploads = installed.home / "uploads"
    old(uploads / "calls" / "0123456789abcdef.xlsx", hours=47)
    old(uploads / ".records" / "calls.json", hours=900)
    assert installed.controls()["no leftovers"].state == "pass"
    old(uploads / "calls" / "fedcba9876543210.xlsx", hours=49)
    assert judged(installed.controls()["no leftovers"]) == (
        "fail",
        "1 uploaded files wait for more than 2 days and may name persons; run `pingan build`",
    )


@pytest.mark.parametrize("name", [".backup-x1", ".restore", "staging/20261101"])
def test_what_killed_processes_left_is_told(installed, name):
    old(installed.home / name, hours=49)
    assert judged(installed.controls()["no leftovers"]) == (
        "fail",
        f"1 folders of killed processes: {name.rpartition('/')[2]}; delete them when nothing runs",
    )
