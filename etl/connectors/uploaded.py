"""Uploaded files: which of them wait, and what became of each."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from data import upload_store
from data.store import file_sha256
from etl.connectors.taken import STORAGE_FAULTS, Taken

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from data.city import City
    from data.intake import Batch, Intake
    from data.source import Source

NO_SOURCE: Final = "the city no longer names its source"

Upload = tuple["Source", "Path", str]
"""Source, file and SHA-256 of its content."""


def waiting_uploads(
    city: City, intake: Intake, landed: Mapping[tuple[str, str], int], now: dt.datetime
) -> tuple[list[Upload], list[Taken]]:
    """
    Uploaded files to take in, by source and arrival, and faults.

    What is in the log already is settled; what waits for no source of the city is refused.

    Parameters
    ----------
    landed
        Source and content of every batch, to its number.
    """
    found: list[Upload] = []
    faults: list[Taken] = []
    for source in city.sources:
        for path in upload_store.waiting(intake.home, source.name):
            try:
                content = file_sha256(path)
            except FileNotFoundError:
                continue  # another process has taken it in meanwhile
            except OSError as error:
                faults.append(Taken(source.name, upload_store.shown(path), error=str(error)))
                continue
            number = landed.get((source.name, content))
            if number is None:
                found.append((source, path, content))
            else:
                settle(intake, path, now, batch=number)
    for path in upload_store.waiting_elsewhere(intake.home, {one.name for one in city.sources}):
        settle(intake, path, now, told=NO_SOURCE)
        name = upload_store.shown(path)
        faults.append(Taken(path.parent.name, name, error=f"{name} is refused: {NO_SOURCE}"))
    return found, faults


def settle(intake: Intake, path: Path, now: dt.datetime, **outcome: Any) -> None:
    """Write down what became of an uploaded file and delete it; the next run tries again."""
    with contextlib.suppress(*STORAGE_FAULTS):
        # One that is gone was settled by another process, which may have taken it in.
        if path.exists():
            upload_store.settle(intake.home, path, now, **outcome)


def number_of(batches: list[Batch]) -> dict[tuple[str, str], int]:
    """Number of each batch by its source and content."""
    return {(batch.source, batch.content): batch.number for batch in batches}
