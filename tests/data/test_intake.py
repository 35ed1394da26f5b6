"""The intake log: what is in it stays, what never came into it goes."""

import datetime as dt
import os
from types import SimpleNamespace

import pyarrow as pa
import pytest

from data.intake import Intake, IntakeError, RawChunk

NOW = dt.datetime(2026, 3, 1, 4, 0, tzinfo=dt.UTC)
SOURCE = SimpleNamespace(name="calls", category_book="", category_codes={}, columns={})


def land(intake, content, now=NOW, **options):
    rows = pa.table({"incident_id": ["1", "2"], "row": pa.array([1, 2], pa.int64())})
    return intake.land(
        SOURCE, [RawChunk(rows)], kind="push", name="p", content=content, now=now, **options
    )


def test_the_same_content_or_key_is_one_batch(tmp_path):
    intake = Intake(tmp_path)
    first, is_new = land(intake, "a", idempotency_key="k")
    assert (first.number, first.read, is_new) == (1, 2, True)
    assert land(intake, "a") == (first, False)
    assert land(intake, "b", idempotency_key="k") == (first, False)
    assert [batch.number for batch in intake.batches()] == [1]


def test_a_clock_that_is_set_back_keeps_the_order(tmp_path):
    intake = Intake(tmp_path)
    land(intake, "a")
    later, _ = land(intake, "b", now=NOW - dt.timedelta(days=40))
    assert later.ingested_at == NOW
    assert intake.as_of(NOW) == 2
    assert intake.as_of(NOW - dt.timedelta(seconds=1)) == 0


def test_only_old_folders_that_no_batch_names_are_swept(tmp_path):
    intake = Intake(tmp_path)
    batch, _ = land(intake, "a")
    folders = {name: tmp_path / "landed" / "calls" / name for name in ("old", "young")}
    for folder in folders.values():
        folder.mkdir()
    named = (tmp_path / batch.chunks[0]["path"]).parent
    long_ago = (NOW - dt.timedelta(days=3)).timestamp()
    for folder in (folders["old"], named):
        os.utime(folder, (long_ago, long_ago))
    os.utime(folders["young"], (NOW.timestamp(), NOW.timestamp()))
    assert intake.sweep(NOW) == 1
    assert [folders["old"].exists(), folders["young"].exists(), named.exists()] == [
        False,
        True,
        True,
    ]


def test_a_home_belongs_to_one_city(tmp_path):
    intake = Intake(tmp_path)
    intake.bind("620100")
    intake.bind("620100")
    with pytest.raises(IntakeError, match="holds the city 620100, not 620200"):
        intake.bind("620200")
