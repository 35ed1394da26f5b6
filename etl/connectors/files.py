"""
Files: the declared ones, those that are dropped into a watched folder, and uploaded ones.

A file is known by its content: the same content of a source is landed once, under whatever name.
A file that cannot be read does not hold up the others; it is listed with its reason. An uploaded
file is deleted once it is landed or refused.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa

from data import personal
from data.intake import Intake, IntakeError, Landed
from data.upload_store import is_upload, shown
from etl import sources
from etl.connectors import uploaded
from etl.connectors.apart import at_most, limits_of, write_apart
from etl.connectors.known_files import Failure, KnownFiles
from etl.connectors.taken import STORAGE_FAULTS, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.city import City
    from data.intake import RawChunk
    from data.source import Source

UNFINISHED: Final = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp")
"""Endings of files that another program is still writing."""

_OFFICE_LOCK: Final = "~$"


class Pending(NamedTuple):
    """A file whose content (SHA-256) has not been taken in yet."""

    source: Source
    path: Path
    content: str


@dataclasses.dataclass(frozen=True)
class Written:
    """A file whose rows are on disk, or the reason why they are not."""

    source: str
    path: Path
    landed: Landed | None = None
    error: str | None = None
    is_refused: bool = False
    """The file itself is at fault."""


def take_files(city: City, intake: Intake, now: dt.datetime, *, retry: bool = True) -> list[Taken]:
    """
    Land every declared, dropped (and settled) or uploaded file whose content is new.

    Parameters
    ----------
    retry
        Try files again that failed before with the same content and the same source file; without
        it they are left out until one of the two has changed.

    Returns
    -------
    taken
        One per file that was landed or that failed; nothing for files that are known.
    """
    pending, faults = _scan(city, intake, now, retry=retry)
    return faults + [land_file(*entry, intake, now) for entry in pending]


def pending_files(
    city: City, intake: Intake, now: dt.datetime | None = None, *, retry: bool = True
) -> list[Pending]:
    """
    Files to land, in order: as declared, then those of watched folders by time of change, uploads.

    A file that cannot even be hashed is left out and listed among the failures; `retry` as in
    `take_files`.
    """
    return _scan(city, intake, now or dt.datetime.now(dt.UTC), retry=retry)[0]


def land_file(source: Source, path: Path, content: str, intake: Intake, now: dt.datetime) -> Taken:
    """
    Land one file.

    Returns
    -------
    taken
        With `error` where the file cannot be read, has changed since it was hashed, or does not
        fit on the disk; nothing of it is kept then.
    """
    return log_file(write_file(intake.home, now, Pending(source, path, content)), intake, now)


def write_file(home: Path, now: dt.datetime, pending: Pending) -> Written:
    """Write the rows of a file, not yet in the log; several files may be written at once."""
    source, path, content = pending
    is_uploaded = is_upload(home, path)
    limits = limits_of(source, is_uploaded=is_uploaded)
    try:
        if limits is None:
            landed = _write(home, pending, None)
        else:
            landed = write_apart(_write, home, pending, limits)
    except sources.SourceError as error:
        if not is_uploaded:
            attempt = _attempt(source, path, content)
            failure = Failure(source.name, str(path), attempt, str(error), now.isoformat())
            KnownFiles(home).note_failure(failure)
        return Written(source.name, path, error=str(error), is_refused=True)
    except STORAGE_FAULTS as error:
        # The file is not at fault: it is tried again at the next run.
        return Written(source.name, path, error=str(error))
    return Written(source.name, path, landed)


def _write(home: Path, pending: Pending, most: int | None) -> Landed:
    source, path, content = pending
    chunks = _unchanged(sources.read_chunks(source, path), path, content, KnownFiles(home))
    return Intake(home).write(
        source,
        chunks if most is None else at_most(most, chunks, path),
        kind="file",
        name=_shown(home, path),
        content=content,
        headings=sources.headings(source, path),
    )


def log_file(written: Written, intake: Intake, now: dt.datetime) -> Taken:
    """Put a written file into the log; files are logged in their order, one after the other."""
    path, name = written.path, _shown(intake.home, written.path)
    is_uploaded = is_upload(intake.home, path)
    if written.landed is None:
        if is_uploaded and written.is_refused:
            uploaded.settle(intake, path, now, told=written.error)
        return Taken(written.source, name, error=written.error)
    try:
        batch, is_new = intake.append(written.landed, now)
    except STORAGE_FAULTS as error:
        return Taken(written.source, name, error=str(error))
    if is_uploaded:
        uploaded.settle(intake, path, now, batch=batch.number)
    else:
        KnownFiles(intake.home).forget_failure(written.source, path)
    return Taken(written.source, name, batch, is_new)


def failed_files(intake: Intake) -> list[Failure]:
    """Files that could not be taken in and are still there, by source and path."""
    return KnownFiles(intake.home).failures()


def _scan(
    city: City, intake: Intake, now: dt.datetime, *, retry: bool
) -> tuple[list[Pending], list[Taken]]:
    known = KnownFiles(intake.home)
    landed = uploaded.number_of(intake.batches())
    pending: dict[tuple[str, str], Pending] = {}
    faults: list[Taken] = []
    present: set[tuple[str, str]] = set()
    for source in city.sources:
        for path in [*source.files, *_dropped(source, known, now, faults)]:
            present.add((source.name, str(path)))
            try:
                content = known.content(path, now)
            except OSError as error:
                faults.append(_fault(source, path, error, known, now))
                continue
            key = (source.name, content)
            if key in landed:
                known.forget_failure(source.name, path)
            else:
                pending.setdefault(key, Pending(source, path, content))
    failed = set()
    for failure in known.failures():
        failed.add((failure.source, failure.attempt))
        if (failure.source, failure.path) not in present:
            known.forget_failure(failure.source, Path(failure.path))
    found = list(pending.values())
    if not retry:
        found = [one for one in found if (one.source.name, _attempt(*one)) not in failed]
    uploads, refused = uploaded.waiting_uploads(city, intake, landed, now)
    return found + [Pending(*upload) for upload in uploads], faults + refused


def _dropped(
    source: Source, known: KnownFiles, now: dt.datetime, faults: list[Taken]
) -> list[Path]:
    """Settled files of the watched folder, by time of change."""
    if source.watch is None:
        return []
    found: list[tuple[int, str, Path]] = []
    try:
        for path in source.watch.iterdir():
            # A link could point anywhere on the machine.
            if path.is_symlink() or not path.is_file() or _is_unfinished(path.name):
                continue
            if known.is_settled(path, now):
                found.append((path.stat().st_mtime_ns, path.name, path))
    except FileNotFoundError:
        if not source.watch.is_dir():
            faults.append(
                Taken(
                    source.name,
                    source.watch.name,
                    error=f"watched folder {source.watch} does not exist; make it",
                )
            )
        # Else a file went away between two looks; the rest comes with the next one.
    except OSError as error:
        faults.append(Taken(source.name, source.watch.name, error=str(error)))
    return [path for _, _, path in sorted(found)]


def _is_unfinished(name: str) -> bool:
    return name.startswith((".", _OFFICE_LOCK)) or name.lower().endswith(UNFINISHED)


def _unchanged(
    chunks: Iterator[RawChunk], path: Path, content: str, known: KnownFiles
) -> Iterator[RawChunk]:
    """Pass the chunks on; fail at the end if the file was changed meanwhile."""
    yield from chunks
    if not known.holds(path, content):
        raise IntakeError(f"{path.name} was changed while it was read; it is taken in next time")


def _fault(
    source: Source, path: Path, error: OSError, known: KnownFiles, now: dt.datetime
) -> Taken:
    reason = f"{path.name} cannot be read: {error.strerror or error}"
    known.note_failure(Failure(source.name, str(path), "", reason, now.isoformat()))
    return Taken(source.name, _told_name(path), error=reason)


def _attempt(source: Source, path: Path, content: str) -> str:
    """Name of a try: the same path, content and source file fail again."""
    rules = repr(dataclasses.replace(source, files=()))
    return hashlib.sha256(f"{path}\0{content}\0{rules}".encode()).hexdigest()[:32]


def _shown(home: Path, path: Path) -> str:
    """Name of a file as it is stored."""
    return shown(path) if is_upload(home, path) else _told_name(path)


def _told_name(path: Path) -> str:
    """File name without a personal number."""
    named = personal.names_a_person(pa.array([path.name]))[0]
    return personal.scrub(path.name) if named else path.name
