"""
Rehearsal: what a build would make of a source's files, without doing it.

The files go through the same reader, intake, cleaning, placing and comparison of versions as in a
build, in a temporary folder that is gone afterwards; nothing is written under the home. What was
taken in before does not count: the figures are those of a first build from these files.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data import personal, refusals
from data.intake import CHUNK_ROWS, Intake
from data.store import file_sha256
from etl import sources
from etl.boundaries import plain_numbers
from etl.clean import REASONS, as_texts
from etl.engine import InProcess
from etl.epoch import open_epoch
from etl.frames import TRIED_ROWS, frames_beside, try_frames
from etl.identity import Settled, settle
from etl.ingest import chunks_of, ingest
from etl.place import LOCATED_BY
from etl.samples import WORKBOOKS
from etl.sources.heading_match import match_columns
from etl.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.city import City
    from data.intake import Batch, RawChunk
    from data.source import Source
    from etl.epoch import Epoch
    from etl.ingest import Ingested

FIRST_ROWS: Final = 5
LISTED: Final = 20
_WORDED: Final = {"unknown_category": "category", "unknown_severity": "severity"}


@dataclass
class Rehearsed:
    """
    What would become of one source.

    Attributes
    ----------
    files
        Names of the files that were read.
    failed
        File to the reason why it could not be read.
    is_partial
        A file has more rows than were read.
    read, accepted, quarantined, duplicate, refused
        Rows; the first is the sum of the others.
    with_point
        Rows, refused ones left out, with two coordinates, right or wrong.
    located
        Accepted rows by `point`, by `code`, not at all (`none`).
    frames
        How the points lie under each coordinate frame (`etl.frames.Trial`).
    unmapped
        Column to value to rows: codes that no table knows.
    reasons
        Quarantine reason to `rows` and the `first` row numbers, of each file.
    messages
        What is said of rows that are refused at the door.
    personal
        Column to the share of its filled values from which a personal number was removed.
    free_text
        The same of texts of more than 64 characters.
    person_columns, unread_columns, missing_columns
        Headings that look personal, that are not read, and that the source names in vain.
    first_time, last_time
        Of the accepted rows, city time; None without any.
    """

    name: str
    files: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    is_partial: bool = False
    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    refused: int = 0
    with_point: int = 0
    located: dict[str, int] = field(default_factory=dict)
    frame: str = ""
    frames: list[dict[str, Any]] = field(default_factory=list)
    unmapped: dict[str, dict[str, int]] = field(default_factory=dict)
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    personal: dict[str, float] = field(default_factory=dict)
    free_text: dict[str, float] = field(default_factory=dict)
    person_columns: list[str] = field(default_factory=list)
    unread_columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    first_time: str | None = None
    last_time: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether every file could be read and, where there is one, some row was accepted."""
        return not self.failed and (self.accepted > 0 or not self.files)


def rehearse(
    city: City, names: list[str], *, every_row: bool = False, now: dt.datetime | None = None
) -> Iterator[Rehearsed]:
    """
    Go through the files of some sources.

    Parameters
    ----------
    names
        Sources of the city.
    every_row
        Read files to their end instead of their first 262,144 rows.
    now
        Moment of the arrival; now unless given.

    Yields
    ------
    rehearsed
        One per source, in the order of the city.

    Raises
    ------
    etl.boundaries.BoundaryError
        The areas cannot be used.
    """
    moment = now or dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="pingan-") as folder:
        epoch = open_epoch(city, Path(folder).resolve())
        for source in city.sources:
            if source.name in names:
                yield _rehearse(source, epoch, moment, every_row=every_row)


def _rehearse(source: Source, epoch: Epoch, now: dt.datetime, *, every_row: bool) -> Rehearsed:
    told = Rehearsed(source.name, frame=source.frame)
    batches = []
    for path in _files(source):
        told.files.append(path.name)
        try:
            batch = _land(source, path, epoch, now, told, every_row=every_row)
        except (sources.SourceError, OSError) as error:
            told.failed[path.name] = str(error)
            continue
        if batch is not None:
            batches.append(batch)
    staging = epoch.home / "staging" / source.name
    staging.mkdir(parents=True)
    staged = [ingest(epoch, chunk) for batch in batches for chunk in chunks_of(batch, staging)]
    # Without any chunk there is nothing to compare.
    nothing = Settled({}, {}, pd.DataFrame())
    settled = settle(epoch, staged, [], InProcess()) if staged else nothing
    _tell_rows(told, batches, staged, settled)
    _tell_places(told, staged, settled, epoch)
    _tell_landed(told, source, epoch, staged)
    _tell_refused(told, source, batches)
    return told


def _files(source: Source) -> list[Path]:
    watched = sorted(source.watch.iterdir()) if source.watch and source.watch.is_dir() else []
    dropped = [path for path in watched if path.is_file() and not path.name.startswith((".", "~$"))]
    return list(dict.fromkeys([*source.files, *dropped]))


def _land(
    source: Source, path: Path, epoch: Epoch, now: dt.datetime, told: Rehearsed, *, every_row: bool
) -> Batch | None:
    """Land a file in the temporary home; None where an equal file was landed before."""
    headings = sources.headings(source, path)
    _tell_headings(told, source, headings)
    chunks = sources.read_chunks(source, path, rows=CHUNK_ROWS)
    batch, is_new = Intake(epoch.home).land(
        source,
        chunks if every_row else _first(chunks, told),
        kind="file",
        name=path.name,
        content=file_sha256(path),
        now=now,
        headings=headings,
    )
    return batch if is_new else None


def _first(chunks: Iterator[RawChunk], told: Rehearsed) -> Iterator[RawChunk]:
    yield from islice(chunks, 1)
    told.is_partial |= next(chunks, None) is not None


def _tell_headings(told: Rehearsed, source: Source, headings: list[str]) -> None:
    wanted = source.allowed
    taken = set(wanted.values()) & set(headings)
    missing = [theirs for theirs in wanted.values() if theirs not in taken]
    if source.format in WORKBOOKS:
        match = match_columns([(name,) for name in headings], source)
        taken, missing = {headings[at] for at in match.columns.values()}, match.missing
    persons = personal.personal_columns(headings)
    unread = [name for name in headings if name not in taken and name not in persons]
    for column, names in (
        (told.person_columns, persons),
        (told.unread_columns, unread),
        (told.missing_columns, missing),
    ):
        column += [name for name in dict.fromkeys(names) if name not in column]


def _tell_rows(
    told: Rehearsed, batches: list[Batch], staged: list[Ingested], settled: Settled
) -> None:
    names = {batch.number: batch.name for batch in batches}
    found = [(one.chunk.name, one.quarantine) for one in staged]
    for batch in batches:
        rows = pd.DataFrame({"row": np.array(batch.malformed, dtype=np.int64)})
        found.append((names[batch.number], rows.assign(reason="malformed_row", value=None)))
    told.read = sum(batch.read for batch in batches)
    told.refused = sum(sum(batch.refused.values()) for batch in batches)
    told.duplicate = sum(len(dropped) for dropped in settled.dropped.values())
    told.accepted = sum(one.rows for one in staged) - told.duplicate
    told.quarantined = sum(len(rows) for _, rows in found)
    first: dict[str, dict[str, list[int]]] = defaultdict(dict)
    counts: Counter[str] = Counter()
    for name, rows in found:
        for reason, own in rows.groupby("reason"):
            counts[str(reason)] += len(own)
            before = first[str(reason)].get(name, [])
            first[str(reason)][name] = sorted([*before, *own["row"].tolist()])[:FIRST_ROWS]
    told.reasons = {
        reason: {"rows": counts[reason], "first": first[reason]}
        for reason in REASONS
        if counts[reason]
    }
    _tell_unmapped(told, staged)


def _tell_unmapped(told: Rehearsed, staged: list[Ingested]) -> None:
    unmapped: dict[str, Counter[str]] = defaultdict(Counter)
    for one in staged:
        rows = one.quarantine
        for reason, column in _WORDED.items():
            unmapped[column].update(rows.loc[rows["reason"] == reason, "value"].dropna())
        for column, values in one.unmapped.items():
            unmapped[column].update(values)
    told.unmapped = {
        column: dict(counts.most_common(LISTED)) for column, counts in unmapped.items() if counts
    }


def _tell_places(told: Rehearsed, staged: list[Ingested], settled: Settled, epoch: Epoch) -> None:
    located = np.zeros(len(LOCATED_BY), dtype=np.int64)
    times = []
    for position, one in enumerate(staged):
        with pa.memory_map(one.chunk.staged) as file:
            rows = pa.ipc.open_file(file).read_all().select(["located_by", "occurred_at"])
            kept = np.ones(len(rows), dtype=bool)
            kept[settled.dropped.get(position, np.empty(0, dtype=np.int64))] = False
            located += np.bincount(
                rows.column("located_by").to_numpy()[kept], minlength=len(LOCATED_BY)
            )
            times += [*pc.min_max(rows.column("occurred_at")).as_py().values()]
    told.located = {name: int(located[at]) for at, name in enumerate(LOCATED_BY)}
    known = pd.Series([time for time in times if time is not None], dtype="datetime64[us, UTC]")
    if len(known):
        city_time = known.dt.tz_convert(epoch.city.time_zone)
        told.first_time, told.last_time = (
            moment.isoformat(" ", "seconds") for moment in (city_time.min(), city_time.max())
        )


def _tell_landed(told: Rehearsed, source: Source, epoch: Epoch, staged: list[Ingested]) -> None:
    """What the landed files tell: points given, personal values, the frames put to the test."""
    marked = {personal.REMOVED: Counter[str](), personal.TOO_LONG: Counter[str]()}
    filled: Counter[str] = Counter()
    tried = []
    for one in staged:
        rows = pq.read_table(epoch.home / one.chunk.path)
        for name in rows.column_names:
            column = rows.column(name)
            filled[name] += len(column) - column.null_count
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                for mark, counts in marked.items():
                    counts[name] += pc.sum(pc.equal(column, mark)).as_py() or 0
        if {"lng", "lat"} <= set(rows.column_names):
            given = pc.and_(pc.is_valid(rows.column("lng")), pc.is_valid(rows.column("lat")))
            told.with_point += pc.sum(given).as_py() or 0
            tried.append(_points(rows.filter(given), source, epoch))
    told.personal, told.free_text = (
        {name: counts[name] / filled[name] for name in counts if counts[name]}
        for counts in marked.values()
    )
    if tried:
        frames = frames_beside(source.frame)
        points = pd.concat(tried, ignore_index=True)
        trials = try_frames(points, epoch.boundaries, frames=frames, against=source.frame)
        told.frames = [asdict(trial) for trial in trials]


def _points(rows: pa.Table, source: Source, epoch: Epoch) -> pd.DataFrame:
    """Points, codes and days of landed rows, evenly spread over them."""
    if len(rows) > TRIED_ROWS:
        rows = rows.take(pa.array(np.linspace(0, len(rows) - 1, TRIED_ROWS).astype(np.int64)))
    raw = rows.to_pandas()
    times = parse_times(raw["occurred_at"], source).dt.tz_convert(epoch.city.time_zone)
    codes = pd.Series(None, raw.index, dtype=object)
    if "area_code" in raw:
        codes = as_texts(raw["area_code"])
        codes = plain_numbers(codes) if source.numeric_codes else codes
    degrees = {axis: pd.to_numeric(raw[axis], errors="coerce") for axis in ("lng", "lat")}
    days = times.dt.tz_localize(None).dt.floor("D").astype("datetime64[s]")
    return pd.DataFrame(degrees | {"area_code": codes, "occurred_on": days}).astype(
        {"lng": "float64", "lat": "float64"}
    )


def _tell_refused(told: Rehearsed, source: Source, batches: list[Batch]) -> None:
    refused: Counter[str] = Counter()
    for batch in batches:
        refused.update(batch.refused)
    told.messages = [
        refusals.message(reason, count, source.name).en for reason, count in refused.items()
    ]
