"""
First pass: one landed chunk → incidents, cleaned, placed and put in order of months.

The outcome is a staged file that the second pass reads month by month. A chunk needs nothing but
itself, the city and its boundaries, so chunks can be worked on anywhere and in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.seals import check_files
from data.source import TIME_COLUMNS
from etl.agreement import Agreement, agree
from etl.clean import Ground, clean
from etl.place import POINT, Placed, place
from geo import cells as h3_cells

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from numpy.typing import NDArray

    from data.intake import Batch
    from data.source import Source
    from etl.epoch import Epoch

FINEST: Final = h3_cells.RESOLUTIONS[-1]
NO_CELL: Final = 0
_ROW_BITS: Final = 32


@dataclass(frozen=True)
class Chunk:
    """One landed file of a batch, and where its staged file goes."""

    batch: int
    source: str
    name: str
    ingested_at: dt.datetime
    path: str
    sha256: str
    staged: str


@dataclass(frozen=True)
class Ingested:
    """
    Outcome for one chunk.

    Attributes
    ----------
    months
        Month (months since 1970-01) to first row and number of rows in the staged file.
    quarantine
        `row`, `reason`, `field`, `value`.
    cells
        Distinct cells of the finest resolution.
    first_day, last_day
        Of the good rows; None without any.
    """

    chunk: Chunk
    months: dict[int, tuple[int, int]]
    quarantine: pd.DataFrame
    cells: NDArray[np.int64]
    first_day: dt.date | None
    last_day: dt.date | None
    points_dropped: dict[str, int]
    unmapped: dict[str, dict[str, int]]
    agreement: list[Agreement] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Good rows."""
        return sum(rows for _, rows in self.months.values())


def chunks_of(batch: Batch, staging: Path) -> list[Chunk]:
    """Chunks of a batch, in order, with a staged file each."""
    return [
        Chunk(
            batch.number,
            batch.source,
            batch.name,
            batch.ingested_at,
            str(entry["path"]),
            str(entry["sha256"]),
            str(staging / f"{batch.number:07d}-{position:05d}.arrow"),
        )
        for position, entry in enumerate(batch.chunks)
    ]


def ingest(epoch: Epoch, chunk: Chunk) -> Ingested:
    """
    Clean, place and stage one chunk.

    Raises
    ------
    DamageError
        The landed file is missing or damaged.
    """
    source, built = epoch.source(chunk.source), epoch.boundaries
    check_files(epoch.home, {chunk.path: chunk.sha256}, remedy="restore a backup")
    rows = pq.read_table(epoch.home / chunk.path)
    cleaned = clean(
        rows,
        source,
        epoch.city,
        ground=Ground(built.limits, built.codes, built.first_day),
        file=chunk.name,
        last_moment=epoch.last_moment(chunk.ingested_at),
    )
    incidents = cleaned.incidents
    placed = place(incidents, built)
    staged, months = staged_rows(incidents, placed, source, chunk)
    with pa.OSFile(chunk.staged, "wb") as sink, pa.ipc.new_file(sink, staged.schema) as writer:
        writer.write_table(staged)
    days = incidents["occurred_on"]
    cells = staged.column("cell_10").to_numpy()
    return Ingested(
        chunk=chunk,
        months=months,
        quarantine=cleaned.quarantine,
        cells=pd.unique(cells[cells != NO_CELL]),
        first_day=days.min().date() if len(days) else None,
        last_day=days.max().date() if len(days) else None,
        points_dropped=cleaned.points_dropped,
        unmapped=cleaned.unmapped,
        agreement=agree(incidents, placed, built, source),
    )


def months_of(days: NDArray[Any]) -> NDArray[np.int32]:
    """Months since 1970-01."""
    return np.asarray(days).astype("datetime64[M]").astype(np.int32)


def month_text(month: int) -> str:
    """`YYYY-MM`."""
    return str(np.datetime64(month, "M"))


def staged_rows(
    incidents: pd.DataFrame, placed: Placed, source: Source, chunk: Chunk
) -> tuple[pa.Table, dict[int, tuple[int, int]]]:
    """Good rows of a chunk as they are staged, by month, and where each month is."""
    month = months_of(incidents["period_start"].to_numpy())
    order = np.argsort(month, kind="stable")
    lng, lat = incidents["lng"].to_numpy(), incidents["lat"].to_numpy()
    columns: dict[str, Any] = {
        "incident_id": pa.array(incidents["incident_id"], from_pandas=True).cast(pa.string()),
        "repeat_of": pa.array(incidents["repeat_of"], from_pandas=True).cast(pa.string()),
        **{
            name: pa.array(incidents[name], type=pa.timestamp("us", tz="UTC"), from_pandas=True)
            for name in TIME_COLUMNS
        },
        **{
            name: incidents[name].to_numpy().astype("datetime64[D]")
            for name in ("occurred_on", "period_start")
        },
        **{
            name: incidents[name].to_numpy()
            for name in ("category_index", "severity", "scale", "status", "outcome")
        },
        "precision": np.where(np.isnan(lng), -1, incidents["precision"]).astype(np.int8),
        "lng": pa.array(lng, mask=np.isnan(lng)),
        "lat": pa.array(lat, mask=np.isnan(lat)),
        "located_by": placed.located_by,
        "area_level": placed.level,
        "area_index": placed.index,
        "cell_10": h3_cells.cell_numbers(lng, lat, resolution=FINEST),
        "row": incidents["row"].to_numpy().astype(np.int32),
        "version": incidents["version"].to_numpy(),
        "identity": pd.util.hash_array(
            incidents["incident_id"].to_numpy(dtype=object), categorize=False
        ).view(np.int64),
        "content": _content(incidents),
        "rank": _rank(incidents, source, chunk.batch),
        "month": month,
    }
    table = pa.table(columns).take(order)
    ordered = month[order]
    found, first, rows = np.unique(ordered, return_index=True, return_counts=True)
    spans = zip(found.tolist(), first.tolist(), rows.tolist(), strict=True)
    return table, {number: (start, count) for number, start, count in spans}


def _rank(incidents: pd.DataFrame, source: Source, batch: int) -> NDArray[np.int64]:
    """Order among versions: the source's number, else its time of change, else of arrival."""
    if "version" in source.columns:
        return np.asarray(incidents["version"].to_numpy().astype(np.int64))
    if "updated_at" in source.columns:
        moments = incidents["updated_at"].dt.tz_localize(None).to_numpy()
        return np.asarray(moments.astype("datetime64[us]").astype(np.int64))
    return np.asarray((np.int64(batch) << _ROW_BITS) + incidents["row"].to_numpy(dtype=np.int64))


def ranks_by_arrival(source: Source) -> bool:
    """Whether later arrival alone makes a row the newer version."""
    return "version" not in source.columns and "updated_at" not in source.columns


def _content(incidents: pd.DataFrame) -> NDArray[np.int64]:
    """Hash of everything that the source says, besides identity and version."""
    said = {
        name: incidents[name].dt.tz_localize(None).to_numpy().astype(np.int64)
        for name in TIME_COLUMNS
        if name != "updated_at"
    }
    for name in ("category_index", "severity", "scale", "status", "outcome", "precision"):
        said[name] = incidents[name].to_numpy().astype(np.int64)
    for name in ("lng", "lat"):
        said[name] = (incidents[name].to_numpy() + 0.0).view(np.int64)
    for name in ("area_code", "repeat_of"):
        position, distinct = pd.factorize(incidents[name])
        hashes = pd.util.hash_array(np.asarray(distinct, dtype=object), categorize=False)
        said[name] = np.append(hashes.view(np.int64), 0)[position]
    hashed = pd.util.hash_pandas_object(pd.DataFrame(said), index=False)
    return np.asarray(hashed.to_numpy().view(np.int64))


__all__ = ["POINT", "Chunk", "Ingested", "chunks_of", "ingest"]
