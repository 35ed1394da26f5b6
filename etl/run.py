"""One run: batches of the intake log through both passes, and into the ledger."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data.parquet import write_rows
from data.store import file_sha256
from data.writer import sync
from etl.identity import settle
from etl.ingest import chunks_of, ingest
from etl.ledger import Run
from etl.months import INCIDENTS, MonthPart, Slice, write_part
from etl.register import write_new_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from data.intake import Batch
    from etl.engine import Engine
    from etl.epoch import Epoch
    from etl.identity import Settled
    from etl.ingest import Ingested
    from etl.ledger import Ledger, Part

STAGING = "staging"
_QUARANTINE = "quarantine"


class RunError(RuntimeError):
    """The rows of a batch do not add up; nothing of the run is kept."""


def process(
    epoch: Epoch,
    ledger: Ledger,
    batches: Sequence[Batch],
    engine: Engine,
    tell: Callable[[str, float], None],
) -> Run:
    """
    Take batches through both passes.

    Parameters
    ----------
    batches
        The next batches of the log, in order, without a gap. Those of a source that the city no
        longer names stay in the log and are not counted.
    tell
        Called with the name of the step and its share done, 0 to 1.
    """
    last_run, after = ledger.last()
    number = last_run + 1
    staging = epoch.home / STAGING / f"{epoch.id}-{number:06d}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        counted = [batch for batch in batches if epoch.has_source(batch.source)]
        chunks = [chunk for batch in counted for chunk in chunks_of(batch, staging)]
        staged = []
        for done, one in enumerate(engine.map(partial(ingest, epoch), chunks), start=1):
            staged.append(one)
            tell("clean and place", 0.7 * done / len(chunks))
        tell("compare versions", 0.7)
        settled = settle(epoch, staged, ledger.parts(), engine)
        tell("write incidents", 0.8)
        months = _month_parts(number, ledger.generation, staged, settled)
        parts = [part for part in engine.map(partial(write_part, epoch), months) if part]
        superseded = _write_superseded(epoch, ledger, number, settled)
        register = write_new_cells(
            ledger, epoch.home, number, [(one.chunk.batch, one.cells) for one in staged]
        )
        accounts = _accounts(epoch, ledger, counted, staged, settled)
        others = [superseded, register, *(row["details"]["quarantine"] for row in accounts)]
        run = Run(
            number=number,
            after=after,
            upto=batches[-1].number,
            superseded=superseded,
            register=register,
            sums={path: file_sha256(epoch.home / path) for path in others if path},
            parts=parts,
            touched=_touched(staged, settled),
            batches=accounts,
        )
        _flush_folders(epoch, ledger, parts)
        ledger.record(run)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    tell("write incidents", 1.0)
    return run


def _month_parts(
    number: int, generation: int, staged: Sequence[Ingested], settled: Settled
) -> list[MonthPart]:
    by_month: dict[int, list[Slice]] = defaultdict(list)
    none = np.empty(0, dtype=np.int64)
    for position, one in enumerate(staged):
        dropped = settled.dropped.get(position, none)
        at, version = settled.versions.get(position, (none, none))
        for month, (first, rows) in one.months.items():
            inside = (at >= first) & (at < first + rows)
            by_month[month].append(
                Slice(
                    one.chunk.staged,
                    one.chunk.batch,
                    one.chunk.source,
                    one.chunk.ingested_at,
                    first,
                    rows,
                    dropped[(dropped >= first) & (dropped < first + rows)],
                    at[inside],
                    version[inside],
                )
            )
    return [MonthPart(number, generation, month, by_month[month]) for month in sorted(by_month)]


def _write_superseded(epoch: Epoch, ledger: Ledger, number: int, settled: Settled) -> str | None:
    rows = settled.superseded
    if not len(rows):
        return None
    path = ledger.folder / "superseded" / f"{number:06d}.parquet"
    path.parent.mkdir(exist_ok=True)
    months = rows["month"].to_numpy().astype("datetime64[M]").astype(str)
    table = pa.table(
        {
            "month": pa.array(months, pa.string()),
            **{
                name: pa.array(rows[name].to_numpy().astype(np.int32))
                for name in ("batch", "row", "superseded_by")
            },
        }
    )
    write_rows(table, path)
    return path.relative_to(epoch.home).as_posix()


def _touched(staged: Sequence[Ingested], settled: Settled) -> list[tuple[int, int]]:
    pairs = {(month, one.chunk.batch) for one in staged for month in one.months}
    replaced = settled.superseded[["month", "superseded_by"]].drop_duplicates()
    pairs |= {(int(month), int(batch)) for month, batch in replaced.to_numpy()}
    return sorted(pairs)


def _accounts(
    epoch: Epoch,
    ledger: Ledger,
    batches: Sequence[Batch],
    staged: Sequence[Ingested],
    settled: Settled,
) -> list[dict[str, Any]]:
    """Row account of each batch; its quarantined rows go to a file."""
    of_batch: dict[int, list[tuple[Ingested, NDArray[np.int64]]]] = defaultdict(list)
    for position, one in enumerate(staged):
        dropped = settled.dropped.get(position, np.empty(0, dtype=np.int64))
        of_batch[one.chunk.batch].append((one, dropped))
    return [_account(epoch, ledger, batch, of_batch[batch.number]) for batch in batches]


def _account(
    epoch: Epoch,
    ledger: Ledger,
    batch: Batch,
    chunks: Sequence[tuple[Ingested, NDArray[np.int64]]],
) -> dict[str, Any]:
    duplicate = sum(len(dropped) for _, dropped in chunks)
    good = sum(one.rows for one, _ in chunks)
    quarantine = _quarantine(batch, [one for one, _ in chunks])
    refused = sum(batch.refused.values())
    if batch.read != good + len(quarantine) + refused:
        raise RunError(
            f"batch {batch.number} ({batch.source}, {batch.name}): {batch.read:,} rows arrived, "
            f"but {good:,} good, {len(quarantine):,} quarantined and {refused:,} refused were "
            "found; restore a backup of the landed files"
        )
    points_dropped: Counter[str] = Counter()
    agreement: Counter[tuple[str, str]] = Counter()
    unmapped: dict[str, Counter[str]] = defaultdict(Counter)
    for one, _ in chunks:
        points_dropped.update(one.points_dropped)
        for entry in one.agreement:
            for name in ("rows", "same", "near"):
                agreement[entry.level, name] += getattr(entry, name)
        for column, values in one.unmapped.items():
            unmapped[column].update(values)
    days = [day for one, _ in chunks for day in (one.first_day, one.last_day) if day is not None]
    return {
        "batch": batch.number,
        "source": batch.source,
        "file": batch.name,
        "read": batch.read,
        "accepted": good - duplicate,
        "quarantined": len(quarantine),
        "duplicate": duplicate,
        "refused": refused,
        "first_day": min(days).isoformat() if days else None,
        "last_day": max(days).isoformat() if days else None,
        "details": {
            "reasons": quarantine["reason"].value_counts().to_dict(),
            "refused": batch.refused,
            "points_dropped": dict(points_dropped),
            "unmapped": {name: dict(counts) for name, counts in unmapped.items()},
            "agreement": [[level, name, n] for (level, name), n in agreement.items()],
            "quarantine": _write_quarantine(epoch, ledger, batch, quarantine),
        },
    }


def _quarantine(batch: Batch, chunks: Sequence[Ingested]) -> pd.DataFrame:
    malformed = pd.DataFrame({"row": np.array(batch.malformed, dtype=np.int64)}).assign(
        reason="malformed_row", field="row", value=None
    )
    tables = [table for table in (malformed, *(one.quarantine for one in chunks)) if len(table)]
    joined = pd.concat(tables or [malformed], ignore_index=True)
    return joined.sort_values("row", ignore_index=True)


def _write_quarantine(epoch: Epoch, ledger: Ledger, batch: Batch, rows: pd.DataFrame) -> str | None:
    if not len(rows):
        return None
    path = ledger.folder / _QUARANTINE / f"{batch.number:07d}.parquet"
    path.parent.mkdir(exist_ok=True)
    count = len(rows)
    table = pa.table(
        {
            "batch": pa.repeat(pa.scalar(batch.number, pa.int32()), count),
            "source": pa.repeat(pa.scalar(batch.source, pa.string()), count),
            "file": pa.repeat(pa.scalar(batch.name, pa.string()), count),
            "row": pa.array(rows["row"].to_numpy().astype(np.int32)),
            **{
                name: pa.array(rows[name], type=pa.string(), from_pandas=True)
                for name in ("reason", "field", "value")
            },
        }
    )
    write_rows(table, path)
    return path.relative_to(epoch.home).as_posix()


def _flush_folders(epoch: Epoch, ledger: Ledger, parts: Sequence[Part]) -> None:
    """Put the names of new files on disk; their content is there already."""
    folders: set[Path] = {(epoch.home / part.path).parent for part in parts}
    folders |= {ledger.folder, ledger.folder.parent, epoch.home}
    folders |= {path for path in ledger.folder.iterdir() if path.is_dir()}
    if (epoch.home / INCIDENTS).is_dir():
        folders.add(epoch.home / INCIDENTS)
    for folder in folders:
        sync(folder)


def sweep_staging(home: Path) -> None:
    """Delete what a killed run left; call it with the writer's lock held."""
    for folder in (home / STAGING).glob("*"):
        shutil.rmtree(folder, ignore_errors=True)
