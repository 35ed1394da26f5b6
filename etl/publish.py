"""
Publishing: the processed log up to a batch → one snapshot, atomically.

Only what changed since the published snapshot is counted again; all other files are named again as
they are. The tables go first, the manifest that names them after that, and the pointer last: a
reader sees the old state or the new one.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from data.parts import write_table_part
from data.store import MANIFESTS
from data.writer import SnapshotWriter, new_snapshot_id
from etl import manifest as manifests
from etl.aggregate import MonthCounts, count_month
from etl.analyse.step import analyse
from etl.boundaries import cut_level_tiles
from etl.covered import Periods, covered_periods
from etl.delta import commit_parts, incidents_entry
from etl.hours import AREA_HOURS
from etl.ingest import month_text
from etl.masked_points import POINTS, write_points
from etl.match_parts import match_parts, match_tasks, matches_entry, no_matches
from etl.matches import MATCHES
from etl.protect.release import Run, release
from etl.protect.standing import RECORD
from etl.register import cells_table, write_register
from etl.registers.step import ENTRY, write_registers
from etl.risk_parts import RISK, no_risk, plan, risk_parts
from geo import tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from etl.analyse.plan import Mode
    from etl.engine import Engine
    from etl.epoch import Epoch
    from etl.ledger import Ledger
    from etl.register import Register

LOCK: Final = "writer.lock"
CELL_BLOCK: Final = 8_192
"""Cells a file: a late row that brings up a new cell writes one of these anew."""

_STAMP: Final = len("20260301T040000Z")
_COUNTS: Final = ("area_counts_", "cell_counts_", "area_cell_counts_", AREA_HOURS)


class WriterBusyError(RuntimeError):
    """Another process is writing under this home."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """
    Hold the only right to write under a home; the lock ends with the process, however it ends.

    Raises
    ------
    WriterBusyError
        Another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WriterBusyError(
                f"another build is writing under {home}; wait until it ends"
            ) from None
        yield


@dataclass(frozen=True)
class Edition:
    """
    What to publish.

    Attributes
    ----------
    upto
        Last batch that counts.
    parent
        Manifest of the published snapshot, if there is a sound one.
    inputs
        Further keys of the manifest: program, configuration.
    as_of
        Whether this is what was known then: it is not made the current snapshot.
    anew
        Keep no file of the parent.
    analyse
        When to analyse (`etl.analyse.plan`).
    """

    epoch: Epoch
    ledger: Ledger
    upto: int
    parent: dict[str, Any] | None
    inputs: dict[str, Any]
    now: dt.datetime
    as_of: bool = False
    anew: bool = False
    analyse: Mode = "always"

    @property
    def kept(self) -> list[dict[str, Any]]:
        """Files of the parent that may stand: those of the same epoch and an earlier batch."""
        parent = self.parent
        if parent is None or self.as_of or self.anew or parent.get("epoch") != self.epoch.id:
            return []
        return list(parent["files"]) if parent["batch"] <= self.upto else []

    @property
    def after(self) -> int:
        """Last batch that the kept files count."""
        return int(self.parent["batch"]) if self.kept and self.parent else 0


def publish(edition: Edition, engine: Engine, tell: Callable[[str, float], None]) -> dict[str, Any]:
    """
    Count what changed and publish the snapshot.

    Returns
    -------
    manifest
        As stored.
    """
    epoch = edition.epoch
    writer = SnapshotWriter(epoch.home, _next_id(epoch.home, edition.now))
    try:
        return _publish(edition, writer, engine, tell)
    except BaseException:
        # Once its manifest is there, the pointer may lead to it.
        if not (epoch.home / MANIFESTS / f"{writer.id}.json").exists():
            shutil.rmtree(writer.folder, ignore_errors=True)
        raise


def _next_id(home: Path, now: dt.datetime) -> str:
    """Id that sorts after every other, also in the same second or when the clock was set back."""
    newest = max((path.stem for path in (home / MANIFESTS).glob("*.json")), default="")
    try:
        last = dt.datetime.strptime(newest[:_STAMP], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return new_snapshot_id(now)
    return new_snapshot_id(max(now, last + dt.timedelta(seconds=1)))


def _publish(
    edition: Edition,
    writer: SnapshotWriter,
    engine: Engine,
    tell: Callable[[str, float], None],
) -> dict[str, Any]:
    epoch, ledger = edition.epoch, edition.ledger
    batches = ledger.batches(upto=edition.upto)
    periods = covered_periods(epoch.city, batches)
    register = _register(edition, writer)
    tell("count", 0.0)
    counts = _counts(edition, writer, engine)
    tell("compare channels", 0.4)
    matched = _matches(edition, writer, engine)
    tell("rates", 0.5)
    risk = _risk(edition, writer, counts, periods, engine)
    tell("analyse", 0.55)
    analysis = analyse(
        edition,
        periods,
        folder=writer.folder.relative_to(epoch.home).as_posix(),
        tell=lambda share: tell("analyse", 0.55 + 0.1 * share),
    )
    tell("protect", 0.65)
    released = _release(edition, writer, counts, periods, engine)
    tell("tables", 0.7)
    _static_tables(edition, writer, register, batches)
    kept = next((entry for entry in edition.kept if entry["table"] == POINTS), None)
    write_points(epoch, writer, register, counts, kept)
    for entry in [*counts, *matched, *risk, *analysis.entries]:
        writer.keep(entry)
    registers = write_registers(edition, writer)
    levels = _tiles(edition, writer, engine)
    tell("publish", 0.95)
    zooms = tiles.fit_zooms(epoch.boundaries.geometries[epoch.boundaries.levels[0]])
    accounts = manifests.accounts_table(batches)
    return writer.publish(
        {
            "created_at": edition.now.isoformat(timespec="seconds"),
            "parent": manifests.parent_of(edition.parent, epoch.city),
            "epoch": epoch.id,
            "batch": edition.upto,
            **edition.inputs,
            "city": manifests.city_entry(epoch.city),
            "periods": manifests.periods_entry(periods),
            "boundary_version": epoch.boundary_version,
            "cell_version": _cell_version(register),
            "cells": manifests.cell_entries(register, zooms),
            "levels": manifests.level_entries(epoch.city, epoch.boundaries, levels),
            "rows": manifests.rows_entry(epoch, batches, counts),
            "sources": manifests.source_entries(epoch.city, accounts, batches),
            "published_agreement": manifests.agreement_entries(batches),
            "matches": matches_entry(epoch.home, matched),
            RECORD: released,
            "analysis": analysis.facts,
            ENTRY: registers,
            # The table for other programs shows today, whatever day is rebuilt.
            "incidents": incidents_entry(
                ledger, None if edition.as_of else commit_parts(epoch, ledger)
            ),
        },
        current=not edition.as_of,
    )


def _register(edition: Edition, writer: SnapshotWriter) -> Register:
    return write_register(
        edition.ledger,
        edition.epoch.home,
        upto=edition.upto,
        path=writer.folder / "register.parquet",
    )


def _counts(edition: Edition, writer: SnapshotWriter, engine: Engine) -> list[dict[str, Any]]:
    """Entries of all count files: changed months counted anew, the others as they are."""
    ledger, home = edition.ledger, edition.epoch.home
    months = ledger.touched(after=edition.after, upto=edition.upto)
    stored = ledger.paths_by_month()
    folder = writer.folder.relative_to(home).as_posix()
    tasks = [
        MonthCounts(
            month,
            stored[month],
            ledger.files("superseded"),
            edition.upto,
            f"{folder}/register.parquet",
            folder,
        )
        for month in sorted(months & stored.keys())
    ]
    named = {month_text(month) for month in months}
    kept = [
        entry
        for entry in edition.kept
        if entry["table"].startswith(_COUNTS) and entry["month"] not in named
    ]
    fresh = [
        entry
        for entries in engine.map(partial(count_month, edition.epoch), tasks)
        for entry in entries
    ]
    return sorted([*kept, *fresh], key=lambda entry: (entry["table"], entry["month"]))


def _matches(edition: Edition, writer: SnapshotWriter, engine: Engine) -> list[dict[str, Any]]:
    """Entries of the proposed pairs: of changed months and the one after each anew."""
    ledger, home = edition.ledger, edition.epoch.home
    folder = writer.folder.relative_to(home).as_posix()
    if len(edition.epoch.city.sources) < 2:
        return [no_matches(edition.epoch, folder)]
    months = ledger.touched(after=edition.after, upto=edition.upto)
    stored = ledger.paths_by_month()
    tasks = match_tasks(
        months,
        stored,
        ledger.files("superseded"),
        upto=edition.upto,
        folder=folder,
    )
    renewed = {month_text(task.month) for task in tasks}
    kept = [
        entry
        for entry in edition.kept
        if entry["table"] == MATCHES and entry["month"] not in renewed
    ]
    found = engine.map(partial(match_parts, edition.epoch), tasks)
    fresh = [entry for entries in found for entry in entries]
    return sorted([*kept, *fresh], key=lambda entry: str(entry["month"]))


def _risk(
    edition: Edition,
    writer: SnapshotWriter,
    counts: Sequence[dict[str, Any]],
    periods: Periods,
    engine: Engine,
) -> list[dict[str, Any]]:
    home = edition.epoch.home
    months = edition.ledger.touched(after=edition.after, upto=edition.upto)
    kept = [entry for entry in edition.kept if entry["table"] == RISK]
    same_start = edition.parent and edition.parent["periods"]["first"] == periods.first.isoformat()
    reused, tasks = plan(
        edition.epoch,
        counts,
        first=periods.first,
        last=periods.last,
        kept=kept if same_start else [],
        changed={month_text(month) for month in months},
        folder=writer.folder.relative_to(home).as_posix(),
        tasks=4,
    )
    fresh = [
        entry
        for entries in engine.map(partial(risk_parts, edition.epoch), tasks)
        for entry in entries
    ]
    found = sorted([*reused, *fresh], key=lambda entry: str(entry["period_end"]))
    return found or [no_risk(edition.epoch, writer.folder.relative_to(home).as_posix())]


def _release(
    edition: Edition,
    writer: SnapshotWriter,
    counts: Sequence[dict[str, Any]],
    periods: Periods,
    engine: Engine,
) -> dict[str, list[str]]:
    """Name what may be shown beyond a user's own areas, and release what is due."""
    run = Run(
        edition.epoch, edition.parent, counts, periods, edition.now, edition.upto, edition.as_of
    )
    return release(run, writer, engine)


def _static_tables(
    edition: Edition, writer: SnapshotWriter, register: Register, batches: pd.DataFrame
) -> None:
    """Tables that are one file each."""
    epoch, kept = edition.epoch, {entry["table"]: entry for entry in edition.kept}
    if "areas" in kept:
        writer.keep(kept["areas"])
        writer.keep(kept["categories"])
        writer.keep(kept["crosswalk"])
    else:
        writer.add_table("areas", epoch.boundaries.areas)
        writer.add_table("categories", manifests.category_table(epoch.city))
        writer.add_table("crosswalk", manifests.crosswalk_table(epoch.boundaries))
    for resolution in register.resolutions:
        _cells(edition, writer, register, resolution)
    writer.add_table("accounts", manifests.accounts_table(batches))
    writer.keep(_quarantine(edition, writer, batches))


def _cells(edition: Edition, writer: SnapshotWriter, register: Register, resolution: int) -> None:
    """Blocks of the register: it only grows at its end, so full ones stay as they are."""
    name, count = f"cells_{resolution}", len(register.cells(resolution))
    kept = {entry["block"]: entry for entry in edition.kept if entry["table"] == name}
    for block, first in enumerate(range(0, count, CELL_BLOCK)):
        last = min(first + CELL_BLOCK, count)
        if block in kept and kept[block]["rows"] == last - first:
            writer.keep(kept[block])
        else:
            rows = cells_table(register, resolution, first, last)
            writer.add_table(name, rows, part=f"{block:05d}", block=block)


def _quarantine(edition: Edition, writer: SnapshotWriter, batches: pd.DataFrame) -> dict[str, Any]:
    """Every quarantined row up to the edition's batch, in order of arrival."""
    home = edition.epoch.home
    paths = [details["quarantine"] for details in batches["details"] if details["quarantine"]]
    tables = [pq.read_table(home / path) for path in paths]
    empty = pa.schema(
        [("batch", pa.int32()), ("source", pa.string()), ("file", pa.string()), ("row", pa.int32())]
        + [(name, pa.string()) for name in ("reason", "field", "value")]
    ).empty_table()
    folder = writer.folder.relative_to(home).as_posix()
    return write_table_part(home, folder, "quarantine", "all", pa.concat_tables([empty, *tables]))


def _tiles(edition: Edition, writer: SnapshotWriter, engine: Engine) -> list[dict[str, Any]]:
    """Cut what is not cut yet, a level a task."""
    built = edition.epoch.boundaries
    tiles_kept = edition.parent["tiles"] if edition.parent and edition.kept else []
    if tiles_kept:
        for entry in tiles_kept:
            writer.keep(entry)
        return list(edition.parent["levels"]) if edition.parent else []
    cut = engine.map(partial(_cut, edition.epoch), built.levels)
    levels = []
    for level, (path, min_zoom, max_zoom) in zip(built.levels, cut, strict=True):
        writer.add_tiles(level, path, version=built.version)
        levels.append({"level": level, "min_zoom": min_zoom, "max_zoom": max_zoom})
    return levels


def _cut(epoch: Epoch, level: str) -> tuple[Path, int, int]:
    return cut_level_tiles(epoch.boundaries, epoch.home, level=level)


def _cell_version(register: Register) -> str:
    digest = hashlib.sha256(f"{tiles.EXTENT}".encode())
    digest.update(register.finest.tobytes())
    return digest.hexdigest()[:16]
