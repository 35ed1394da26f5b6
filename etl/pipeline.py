"""The pipeline: from the files of a city folder to a published snapshot, step by step."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from data.city import City, read_city
from data.intake import Intake
from data.manifest import NoSnapshotError, SnapshotError
from data.store import Store, check_files
from etl.analyse.marked import inputs_version
from etl.analyse.plan import EVERY
from etl.connectors.files import Written, log_file, pending_files, write_file
from etl.connectors.view import take_views
from etl.engine import Engine, open_engine
from etl.epoch import Epoch, open_epoch
from etl.history import activate, epoch_as_of
from etl.ledger import Ledger
from etl.publish import Edition, publish, writer_lock
from etl.registers.step import ENTRY
from etl.registers.step import inputs_version as registers_version
from etl.run import process, sweep_staging
from etl.version import code_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etl.analyse.plan import Mode

Progress = Callable[[str, float], None]


class BuildError(ValueError):
    """The input was read, but nothing can be published from it."""


@dataclass(frozen=True)
class Built:
    """
    Outcome of `build`.

    Attributes
    ----------
    manifest
        As stored.
    is_new
        False where nothing had changed and the published snapshot was kept.
    failed
        File to the reason why it was not taken in.
    """

    manifest: dict[str, Any]
    is_new: bool
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """
    How to build.

    Attributes
    ----------
    force
        Process everything anew from the landed rows, even where nothing has changed.
    cluster, workers
        As in `etl.engine.open_engine`.
    as_of
        Publish what was known at this moment (with a time zone), beside the current snapshot.
    analyse
        When to analyse: `always`, `due` (see `etl.analyse.plan`) or `never`.
    """

    force: bool = False
    cluster: str | None = None
    workers: int | None = None
    as_of: dt.datetime | None = None
    analyse: Mode = "always"


def build(
    city_folder: Path,
    *,
    home: Path,
    progress: Progress | None = None,
    now: dt.datetime | None = None,
    options: Options | None = None,
) -> Built:
    """
    Take in what is new, process it, and publish the snapshot of a city.

    Parameters
    ----------
    city_folder
        Read by `data.city.read_city`.
    home
        Where snapshots live; made if missing.
    progress
        Called with the name of the step and the share done, 0 to 1.
    now
        The clock, with a time zone; by default the real one.

    Raises
    ------
    CityError, SourceError, BoundaryError, DivisionError, BuildError
        The input is at fault; nothing is published.
    DamageError, IntakeError, HistoryError
        A stored file is damaged; the message names it and says what to do.
    WriterBusyError
        Another build is writing under this home.
    """
    tell = progress or (lambda _step, _share: None)
    options = options or Options()
    home = home.resolve()
    with (
        writer_lock(home),
        open_engine(cluster=options.cluster, workers=options.workers) as engine,
    ):
        sweep_staging(home)
        tell("check", 0.0)
        city = read_city(city_folder, home=home)
        moment = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
        Intake(home).bind(city.code)
        work = _Work(city, home, Intake(home), options, engine, moment, tell)
        built = _build(work) if options.as_of is None else _rebuild(work, options.as_of)
    tell("done", 1.0)
    return built


@dataclass(frozen=True)
class _Work:
    """What the steps of one build share."""

    city: City
    home: Path
    intake: Intake
    options: Options
    engine: Engine
    now: dt.datetime
    tell: Progress


def _build(work: _Work) -> Built:
    failed = _land_views(work)
    waiting = pending_files(work.city, work.intake, work.now)
    # Files are written while the boundaries are read.
    written = work.engine.map(partial(write_file, work.home, work.now), waiting)
    work.tell("boundaries", 0.02)
    epoch = open_epoch(work.city, work.home)
    activate(epoch, work.now)
    ledger = _checked_ledger(work, epoch, renew=work.options.force)
    failed |= _log(work, written, len(waiting))
    batches = work.intake.batches(after=ledger.last()[1])
    current = published(work.home)
    waits = work.options.analyse != "never" and analysis_waits(current, work.now)
    if not batches and not waits and _is_same(current, epoch, ledger, work.now):
        assert current is not None
        return Built(current, is_new=False, failed=failed)
    ledger.check_files()
    if batches:
        process(epoch, ledger, batches, work.engine, _part(work.tell, 0.15, 0.65))
    parent = current if current and _is_sound(current, work.home) else None
    manifest = _publish(work, epoch, ledger, parent, failed)
    failed |= manifest[ENTRY].get("failed", {})
    return Built(manifest, is_new=True, failed=failed)


def _rebuild(work: _Work, as_of: dt.datetime) -> Built:
    """Publish what was known at a moment, under the epoch that was in force then."""
    work.tell("boundaries", 0.02)
    epoch = epoch_as_of(work.home, as_of)
    ledger = _checked_ledger(work, epoch)
    upto = work.intake.as_of(as_of)
    batches = work.intake.batches(after=ledger.last()[1], upto=upto)
    ledger.check_files()
    if batches:
        process(epoch, ledger, batches, work.engine, _part(work.tell, 0.15, 0.65))
    return Built(_publish(work, epoch, ledger, None, {}, upto=upto), is_new=True)


def _checked_ledger(work: _Work, epoch: Epoch, *, renew: bool = False) -> Ledger:
    ledger = Ledger(epoch, renew=renew)
    ledger.check()
    work.intake.check(known=ledger.last()[1])
    return ledger


def _publish(
    work: _Work,
    epoch: Epoch,
    ledger: Ledger,
    parent: dict[str, Any] | None,
    failed: dict[str, str],
    *,
    upto: int | None = None,
) -> dict[str, Any]:
    last = ledger.last()[1] if upto is None else upto
    if not ledger.batches(upto=last)["accepted"].sum():
        raise BuildError(_nothing(ledger, last, failed))
    edition = Edition(
        epoch=epoch,
        ledger=ledger,
        upto=last,
        parent=parent,
        inputs={
            "code_version": code_version(),
            "config_hash": epoch.city.config_hash,
            "left_out": _left_out(work, epoch, last),
        },
        now=work.now,
        as_of=upto is not None,
        anew=work.options.force,
        analyse=work.options.analyse,
    )
    return publish(edition, work.engine, _part(work.tell, 0.65, 1.0))


def _left_out(work: _Work, epoch: Epoch, upto: int) -> dict[str, int]:
    """Rows in the log of sources that the city no longer names, by source."""
    rows: dict[str, int] = {}
    for batch in work.intake.batches(upto=upto):
        if not epoch.has_source(batch.source):
            rows[batch.source] = rows.get(batch.source, 0) + batch.read
    return rows


def _part(tell: Progress, start: float, end: float) -> Progress:
    return lambda step, share: tell(step, start + (end - start) * share)


def _land_views(work: _Work) -> dict[str, str]:
    """Take in what is new in the views of other databases; what failed, and why."""
    taken = take_views(work.city, work.intake, work.now, environ=os.environ)
    return {one.name: one.error for one in taken if one.error}


def _log(work: _Work, written: Iterator[Written], count: int) -> dict[str, str]:
    """Log the written files in their order; what could not be read, and why."""
    failed: dict[str, str] = {}
    for done, one in enumerate(written):
        work.tell("take in", 0.03 + 0.12 * done / count)
        taken = log_file(one, work.intake, work.now)
        if taken.error:
            failed[taken.name] = taken.error
    return failed


def _nothing(ledger: Ledger, upto: int, failed: dict[str, str]) -> str:
    told = ledger.batches(upto=upto)
    reasons: dict[str, int] = {}
    for details in told["details"]:
        for reason, count in {**details["reasons"], **details["refused"]}.items():
            reasons[reason] = reasons.get(reason, 0) + count
    said = "".join(f"\n  {text}" for text in failed.values())
    return f"no row of any source was accepted; reasons: {reasons}{said}"


def published(home: Path) -> dict[str, Any] | None:
    """Manifest of the published snapshot; None where there is none that can be read."""
    store = Store(home)
    try:
        return store.manifest(store.current_id()).raw
    except (NoSnapshotError, SnapshotError):
        return None


def analysis_waits(manifest: dict[str, Any] | None, now: dt.datetime) -> bool:
    """Whether a snapshot holds rows that were left for a later analysis, which is due by now."""
    told = (manifest or {}).get("analysis", {})
    if manifest is None or "batch" not in told or told["batch"] >= manifest["batch"]:
        return False
    return now - dt.datetime.fromisoformat(told["made_at"]) >= EVERY


def _is_same(
    current: dict[str, Any] | None, epoch: Epoch, ledger: Ledger, now: dt.datetime
) -> bool:
    if current is None or current.get("epoch") != epoch.id:
        return False
    registers = registers_version(epoch.city, epoch.home, now)
    if current.get(ENTRY, {}).get("inputs", "") != registers:
        return False
    if current.get("analysis", {}).get("inputs") != inputs_version(epoch.home, epoch.city.folder):
        return False
    return current["batch"] == ledger.last()[1] and _is_sound(current, epoch.home)


def _is_sound(manifest: dict[str, Any], home: Path) -> bool:
    """Whether every file is as published; a damaged one is counted again, not kept."""
    try:
        check_files(home, Store(home).manifest(manifest["snapshot"]))
    except SnapshotError:
        return False
    return True
