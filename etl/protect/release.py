"""
Releasing a period: once, when it is over and some time has passed, and never again.

Its rows are kept word for word from then on, whatever arrives late and whatever is set otherwise:
two releases of one period would differ by a few incidents, and tell them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from data.periods import Window, shift, span
from data.privacy import EDITIONS
from data.releases import RELEASES
from etl.protect.counted import Classes, classes_of, files_of, period_counts, usual_counts
from etl.protect.edition import Rows, depth_of, editions, rows_of
from etl.protect.late import LateTask, release_sensitive
from etl.protect.standing import KINDS, Entry, Standing, standing
from etl.protect.stored import write_rows
from etl.protect.tree import build_tree, read_ground

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from data.writer import SnapshotWriter
    from etl.covered import Periods
    from etl.engine import Engine
    from etl.epoch import Epoch

SOLVED: Final = 1
"""Newest periods of a run whose tables are also checked by linear program."""

_GROUPS: Final = 4
"""Tasks into which the periods of a first build are cut."""


@dataclass(frozen=True)
class Run:
    """
    What one build publishes.

    Attributes
    ----------
    parent
        Manifest of the published snapshot, if there is a sound one.
    counts
        Manifest entries of the count tables.
    batch
        Last batch that they count.
    as_of
        Whether an earlier day is rebuilt: it names what had been released then, and nothing else.
    """

    epoch: Epoch
    parent: Entry | None
    counts: Sequence[Entry]
    periods: Periods
    now: dt.datetime
    batch: int
    as_of: bool = False

    @property
    def wanted(self) -> list[dt.date]:
        """First days of the periods that a snapshot holds releases of, oldest first."""
        privacy, grain = self.epoch.city.privacy, self.epoch.city.grain
        newest = shift(self.periods.last, -privacy.delay_periods, grain=grain)
        oldest = shift(newest, 1 - privacy.keep_periods, grain=grain)
        return span(max(oldest, self.periods.first), newest, grain=grain)


@dataclass(frozen=True)
class ReleaseTask:
    """
    Periods to release.

    Attributes
    ----------
    starts
        First day of each, and the number of incidents that each class usually has by then.
    files
        Level to the count files that may hold them.
    solved
        Periods whose tables are also checked by linear program.
    released_at, batch
        When, and up to which batch of the intake log the counts are.
    folder
        Snapshot folder, relative to the home.
    """

    starts: tuple[tuple[dt.date, tuple[float, ...]], ...]
    files: Mapping[str, Sequence[str]]
    solved: frozenset[dt.date]
    released_at: str
    batch: int
    folder: str


def release(run: Run, writer: SnapshotWriter, engine: Engine) -> dict[str, list[str]]:
    """
    Name the releases that stand, and release what is due.

    Returns
    -------
    released
        For the key `RECORD` of the manifest.
    """
    folder = writer.folder.relative_to(run.epoch.home).as_posix()
    known = standing(run.epoch, run.parent, run.wanted, folder)
    if run.as_of:
        known = known.up_to(run.batch)
    for entry in _released(run, known, engine, folder):
        known.entries[KINDS[0], dt.date.fromisoformat(entry["period_start"])] = entry
    for entry in _released_late(run, known, engine, folder):
        known.entries[KINDS[1], dt.date.fromisoformat(entry["period_start"])] = entry
    kept = [known.entries[key] for key in sorted(known.entries) if key[1] in set(run.wanted)]
    for entry in kept:
        writer.keep(entry)
    _name_releases(run, writer, kept)
    return known.record()


def _released(run: Run, known: Standing, engine: Engine, folder: str) -> list[Entry]:
    """Release the periods that are due; the manifest entries of their rows."""
    kind = KINDS[0]
    due = [
        start
        for start in run.wanted
        if (kind, start) not in known.entries and known.may_release(kind, start)
    ]
    if not due or run.as_of:
        return []
    usual = _usual(run, due)
    tasks = [
        ReleaseTask(
            tuple((start, usual[start]) for start in group),
            _files(run, group),
            frozenset(due[-SOLVED:]),
            run.now.isoformat(timespec="seconds"),
            run.batch,
            folder,
        )
        for group in _groups(due)
    ]
    known.note(kind, due)
    return [
        one for found in engine.map(partial(release_periods, run.epoch), tasks) for one in found
    ]


def release_periods(epoch: Epoch, task: ReleaseTask) -> list[Entry]:
    """Choose and write what each edition tells of some periods; their manifest entries."""
    ground, classes = read_ground(epoch.boundaries.areas), classes_of(epoch.city)
    privacy, levels, entries = epoch.city.privacy, epoch.boundaries.levels, []
    counts = period_counts(epoch.home, task.files, [start for start, _ in task.starts])
    for start, usual in task.starts:
        tree = build_tree(
            ground,
            counts[start],
            Window(start, 1, epoch.city.grain),
            classes=classes.of_category,
            n_classes=len(classes.index),
        )
        listed, order = _listed(np.array(usual), classes, privacy.rare_below)
        shown = editions(tree, privacy, listed=listed, order=order, solve=start in task.solved)
        rows: dict[str, Rows] = {}
        for edition in EDITIONS:
            depth = depth_of(levels, privacy.finest(edition)[0])
            rows[edition] = rows_of(tree, shown[edition], depth=depth, index=classes.index)
        releases = [_row(epoch, task, start, edition, levels=levels) for edition in EDITIONS]
        entries.append(
            write_rows(
                epoch.home / task.folder,
                start,
                KINDS[0],
                ground,
                rows,
                home=epoch.home,
                batch=task.batch,
                releases=releases,
            )
        )
    return entries


def _listed(
    usual: NDArray[np.float64], classes: Classes, rare_below: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Classes told by name, and all of them from the rarest on; never a sensitive one alone."""
    listed = ~classes.is_sensitive & (usual >= rare_below)
    order = np.argsort(usual, kind="stable")
    if not listed.all() and classes.is_sensitive[~listed].all():
        # What is sensitive as a whole would be the rest, and follow from the total.
        listed[order[listed[order]][:1]] = False
    return listed, order


def _row(
    epoch: Epoch, task: ReleaseTask, start: dt.date, edition: str, *, levels: Sequence[str]
) -> Entry:
    """Row of the table `releases`, as the manifest keeps it."""
    privacy = epoch.city.privacy
    totals, categories = (
        levels[depth_of(levels, finest) - 1] for finest in privacy.finest(edition)
    )
    return {
        "edition": edition,
        "period_start": start.isoformat(),
        "grain": epoch.city.grain,
        "k": privacy.k(edition),
        "released_at": task.released_at,
        "boundary_version": epoch.boundary_version,
        "rules": privacy.rules,
        "finest_totals": totals,
        "finest_categories": categories,
    }


def _released_late(run: Run, known: Standing, engine: Engine, folder: str) -> list[Entry]:
    """Release the sensitive categories that are due; the manifest entries of their rows."""
    counts, kind = KINDS
    city = run.epoch.city
    newest = shift(run.periods.last, -city.privacy.sensitive_delay_periods, grain=city.grain)
    due = [
        start
        for start in run.wanted
        if start <= newest and (counts, start) in known.entries and known.may_release(kind, start)
    ]
    if not due or run.as_of or not classes_of(city).categories.any():
        return []
    tasks = [
        LateTask(
            tuple((start, known.entries[counts, start]["path"]) for start in group),
            _files(run, group),
            run.batch,
            folder,
        )
        for group in _groups(due)
    ]
    known.note(kind, due)
    found = engine.map(partial(release_sensitive, run.epoch), tasks)
    return [entry for entries in found for entry in entries]


def _groups(starts: list[dt.date]) -> list[list[dt.date]]:
    size = -(-len(starts) // _GROUPS)
    return [starts[at : at + size] for at in range(0, len(starts), size)]


def _files(run: Run, starts: Sequence[dt.date]) -> dict[str, list[str]]:
    return {level: files_of(run.counts, level, starts) for level in run.epoch.boundaries.levels}


def _usual(run: Run, due: list[dt.date]) -> dict[dt.date, tuple[float, ...]]:
    """Usual number of incidents of each class by the time of each period."""
    grain, first = run.epoch.city.grain, run.periods.first
    files = files_of(run.counts, run.epoch.boundaries.levels[0], span(first, due[-1], grain=grain))
    found = usual_counts(
        run.epoch.home, files, classes_of(run.epoch.city), first=first, starts=due, grain=grain
    )
    return {start: tuple(row) for start, row in zip(due, found.tolist(), strict=True)}


def _name_releases(run: Run, writer: SnapshotWriter, kept: Sequence[Entry]) -> None:
    """The table `releases`: a row per edition and period that is kept."""
    rows = [row for entry in kept for row in entry.get("releases", ())]
    if not rows:
        return
    standing = (
        [entry for entry in run.parent["files"] if entry["table"] == RELEASES] if run.parent else []
    )
    told = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    if standing and standing[0]["told"] == told:
        writer.keep(standing[0])
        return
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["period_start"] = [dt.date.fromisoformat(day) for day in columns["period_start"]]
    columns["released_at"] = [dt.datetime.fromisoformat(time) for time in columns["released_at"]]
    writer.add_table(RELEASES, pa.table(columns), told=told)
