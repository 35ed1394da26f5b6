"""Controls of what is given out, each failing once."""

import datetime as dt

import pyarrow as pa
import pytest

from data.permissions import Matrix, Right, matrix
from etl.compliance import given
from etl.compliance.given import Released
from tests.etl.compliance.values import NOW

WEEK = dt.date(2026, 11, 9)
BEFORE = dt.date(2026, 11, 2)


def table(rows, *names):
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def released(releases, counts, categories=("P2", "P204", "D1")):
    """The tables of a snapshot that the controls ask."""
    return Released(
        table(releases, "edition", "period_start", "k"),
        table(counts, "edition", "period_start", "level", "category_index", "count"),
        table(list(enumerate(categories)), "category_index", "code"),
    )


RELEASES = [("internal", BEFORE, 5), ("internal", WEEK, 5), ("public", WEEK, 10)]
COUNTS = [
    ("internal", BEFORE, "county", -1, 12),
    ("internal", WEEK, "grid", -1, 5),
    ("internal", WEEK, "county", 1, 7),
    ("public", WEEK, "county", 0, 10),
]
AGAIN = "build again with --force and run `pingan verify`"


def judged(control):
    return control.state, control.detail


def test_a_sound_release_passes():
    found = released(RELEASES, COUNTS)
    assert judged(given.small_counts(found)) == (
        "pass",
        (
            "internal from 5 on (2 periods), public from 10 on (1 periods); `pingan verify` proves "
            "them against subtraction"
        ),
    )
    assert judged(given.sensitive_classes(found)) == (
        "pass",
        "1 are released for counties and above only",
    )


@pytest.mark.parametrize(
    ("release", "fault"),
    [
        (("internal", BEFORE, 4), "edition internal gives counts from 4 on; set 5 or more"),
        (("public", BEFORE, 9), "edition public gives counts from 9 on; set 10 or more"),
        (("press", BEFORE, 50), "edition press is unknown"),
    ],
)
def test_an_edition_gives_no_smaller_counts_than_it_may(release, fault):
    control = given.small_counts(released([*RELEASES[1:], release], COUNTS[1:]))
    assert judged(control) == ("fail", f"{fault}; {AGAIN}")


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_small_count_that_was_released_fails(count):
    control = given.small_counts(
        released(RELEASES, [*COUNTS, ("internal", WEEK, "grid", 2, count)])
    )
    assert judged(control) == (
        "fail",
        f"1 released counts are smaller than they may be; {AGAIN}",
    )


def test_a_count_of_no_release_fails():
    control = given.small_counts(released(RELEASES, [*COUNTS, ("public", BEFORE, "city", -1, 99)]))
    assert judged(control) == ("fail", f"1 released counts belong to no release; {AGAIN}")


@pytest.mark.parametrize("level", ["township", "community", "grid"])
def test_a_sensitive_class_below_the_county_fails(level):
    control = given.sensitive_classes(
        released(RELEASES, [*COUNTS, ("internal", WEEK, level, 1, 20)])
    )
    assert judged(control) == (
        "fail",
        "1 counts of P204 are released below the county; build again with --force",
    )


def test_categories_that_are_not_ours_are_seen_by_hand():
    control = given.sensitive_classes(released(RELEASES, COUNTS, categories=("A", "B")))
    assert judged(control) == (
        "by hand",
        "no category of the city is one of ours that is marked; see that none is sensitive",
    )


def test_without_a_snapshot_nothing_is_given(installed):
    found = installed.controls()
    assert judged(found["small counts"]) == ("not applicable", "nothing is published yet")


def test_a_damaged_snapshot_fails(installed):
    (installed.home / "CURRENT").write_text("20261122T000000Z-00000000\n")
    found = installed.controls()
    assert judged(found["small counts"]) == (
        "fail",
        "manifest 20261122T000000Z-00000000 is missing; run `pingan verify`",
    )
    assert found["sensitive classes"].state == "fail"


def test_the_published_snapshot_is_judged(installed, toy):
    from etl.pipeline import build

    toy.write(
        [f"{number},2026-01-0{number % 5 + 5} 10:00,A1,1,,103.05,36.05," for number in range(40)]
    )
    build(toy.folder, home=installed.home, now=NOW)
    found = installed.controls()
    assert found["small counts"].state in ("pass", "not applicable")
    assert found["sensitive classes"].state in ("by hand", "not applicable")


@pytest.mark.parametrize("action", ["export", "share"])
def test_an_export_without_a_reason_fails(installed, monkeypatch, action):
    whole = matrix()
    rights = {**whole.rights, (action, "leader"): Right("own", needs_reason=False)}
    monkeypatch.setattr(given, "matrix", lambda: Matrix(whole.actions, whole.roles, rights))
    assert judged(installed.controls()["exports with a reason"]) == (
        "fail",
        f"no reason is asked for: leader may {action}; install the product anew",
    )


def test_a_watermark_that_is_not_there_fails(installed, monkeypatch):
    monkeypatch.setattr(given, "_MARKING", "dashboard/no_such_module.py")
    assert judged(installed.controls()["watermark"]) == (
        "fail",
        "dashboard/no_such_module.py is missing; install the product anew",
    )
