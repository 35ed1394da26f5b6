"""Landing: what is written of a batch, and what is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from data import personal, refusals
from data.parquet import write_rows
from data.store import file_sha256
from data.writer import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from data.intake import RawChunk
    from data.source import Source


def write_chunks(
    source: Source,
    chunks: Iterable[RawChunk],
    folder: Path,
    home: Path,
    *,
    headings: Sequence[str],
) -> dict[str, Any]:
    """
    Write the chunks of a batch: the door through which rows come in.

    Rows of refused classes and whole registers of persons are only counted; personal numbers and
    long texts are replaced by a mark.

    Parameters
    ----------
    folder
        Of this batch alone, under the home.
    headings
        Every heading of the file.

    Returns
    -------
    row
        What the log says of it: `read`, and as JSON `refused`, `malformed`, `chunks`.
    """
    files: list[dict[str, Any]] = []
    malformed: list[int] = []
    refused: dict[str, int] = {}
    read = 0
    whole = refusals.person_register(headings)
    for chunk in chunks:
        read += len(chunk.rows) + len(chunk.malformed)
        if whole is not None:
            refused[whole] = read
            continue
        malformed += chunk.malformed.tolist()
        kept, turned_away = refusals.turn_away(chunk.rows, source)
        for reason, count in turned_away.items():
            refused[reason] = refused.get(reason, 0) + count
        if len(kept):
            path = folder / f"{len(files):05d}.parquet"
            write_rows(personal.without_personal(kept), path)
            files.append(
                {
                    "path": path.relative_to(home).as_posix(),
                    "rows": len(kept),
                    "sha256": file_sha256(path),
                }
            )
    for place in (folder, folder.parent, folder.parent.parent, home):
        sync(place)
    return {
        "read": read,
        "refused": json.dumps(refused, ensure_ascii=False),
        "malformed": json.dumps(malformed),
        "chunks": json.dumps(files),
    }
