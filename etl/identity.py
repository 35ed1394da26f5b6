"""
Identity: which staged rows are new versions, which say nothing new, and which version is current.

Rows of one incident are ordered by `rank` (the source's version number, else its time of change,
else the order of arrival); equal ranks by content. The last one is current. A row that repeats the
rank and content of another (by arrival: the content of the row before) is a duplicate. The outcome
for a log does not depend on how the log was cut into runs, and for sources with a version or a time
of change not on the order of arrival either.

Incidents are worked on in buckets of their identity, so memory does not grow with the city.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from etl.ingest import ranks_by_arrival

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from etl.engine import Engine
    from etl.epoch import Epoch
    from etl.ingest import Ingested
    from etl.ledger import Part

BUCKET_ROWS: Final = 1_000_000
_NEVER: Final = np.iinfo(np.int64).max
_KEYS: Final = ("identity", "rank", "content", "row", "month", "version")


@dataclass(frozen=True)
class StagedKeys:
    """Where the keys of one staged chunk are, and how its source orders versions."""

    path: str
    batch: int
    by_arrival: bool


@dataclass(frozen=True)
class Settled:
    """
    Outcome for the staged rows.

    Attributes
    ----------
    dropped
        Staged chunk to positions of its duplicates.
    versions
        Staged chunk to positions and numbers of rows that are not the first version.
    superseded
        The `superseded` table's new rows, with `month` as months since 1970-01.
    """

    dropped: dict[int, NDArray[np.int64]]
    versions: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]
    superseded: pd.DataFrame


def settle(
    epoch: Epoch, staged: Sequence[Ingested], parts: Sequence[Part], engine: Engine
) -> Settled:
    """
    Compare staged rows with each other and with all stored versions.

    Parameters
    ----------
    staged
        Chunks of the first pass, in order of arrival.
    parts
        Stored incidents of the epoch.
    """
    keys = [
        StagedKeys(
            one.chunk.staged,
            one.chunk.batch,
            ranks_by_arrival(epoch.source(one.chunk.source)),
        )
        for one in staged
    ]
    total = sum(one.rows for one in staged)
    n_buckets = max(1, -(-total // BUCKET_ROWS))
    stored = [epoch.home / part.path for part in parts]
    work = partial(_settle_bucket, keys, stored, n_buckets)
    found = list(engine.map(work, range(n_buckets)))
    rows = pd.concat([part for part in found if len(part)] or [_NOTHING], ignore_index=True)
    fresh = rows[rows["chunk"] >= 0]
    dropped, versions = {}, {}
    for chunk, own in fresh.groupby("chunk"):
        twice = own["duplicate"].to_numpy(dtype=bool)
        position = own["position"].to_numpy()
        dropped[int(chunk)] = np.sort(position[twice])
        later = ~twice & (own["version"].to_numpy() > 1)
        versions[int(chunk)] = position[later], own["version"].to_numpy()[later]
    replaced = rows[rows["superseded_by"] < _NEVER]
    return Settled(
        dropped,
        versions,
        replaced[["month", "batch", "row", "superseded_by"]]
        .astype("int64")
        .sort_values(["month", "batch", "row"], ignore_index=True),
    )


_NOTHING: Final = pd.DataFrame(
    {
        name: pd.Series(dtype="int64")
        for name in (
            "chunk", "position", "month", "batch", "row", "version", "superseded_by", "duplicate",
        )
    }
)  # fmt: skip


def _settle_bucket(
    keys: Sequence[StagedKeys], stored: Sequence[Path], n_buckets: int, bucket: int
) -> pd.DataFrame:
    """Rows of incidents that have more than one row, with what becomes of each."""
    fresh = _bucket_rows(keys, n_buckets, bucket)
    if not len(fresh):
        return _NOTHING
    known = _stored_rows(stored, fresh["identity"].to_numpy())
    known_before = fresh["identity"].isin(known["identity"].unique())
    fresh = fresh[fresh["identity"].duplicated(keep=False) | known_before]
    if not len(fresh):
        return _NOTHING
    first_new = int(fresh["batch"].min())
    arrival = fresh.drop_duplicates("identity").set_index("identity")["by_arrival"]
    known["by_arrival"] = known["identity"].map(arrival)
    rows = pd.concat([known, fresh], ignore_index=True)
    return _judge(rows, first_new)


def _bucket_rows(keys: Sequence[StagedKeys], n_buckets: int, bucket: int) -> pd.DataFrame:
    tables = []
    for number, one in enumerate(keys):
        with pa.memory_map(one.path) as source:
            table = pa.ipc.open_file(source).read_all().select(_KEYS)
            columns = {name: table.column(name).to_numpy() for name in _KEYS}
        # The high bits: the low ones of a hash serve other tables.
        own = np.flatnonzero(
            (columns["identity"].view(np.uint64) >> np.uint64(40)) % n_buckets == bucket
        )
        rows = pd.DataFrame({name: values[own] for name, values in columns.items()})
        rows["batch"], rows["chunk"], rows["position"] = one.batch, number, own
        rows["by_arrival"] = one.by_arrival
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def _stored_rows(stored: Sequence[Path], identities: NDArray[np.int64]) -> pd.DataFrame:
    """Keys of the stored versions of these incidents."""
    columns = "identity, rank, content, row, batch, version, month"
    if not stored:
        empty = {name: pd.Series(dtype="int64") for name in columns.split(", ")}
        return pd.DataFrame(empty | {"chunk": pd.Series(dtype="int64"), "position": 0})
    with duckdb.connect(":memory:") as engine:
        engine.execute("SET threads = 1")
        engine.execute("SET enable_progress_bar = false")
        engine.register("wanted", pa.table({"identity": pd.unique(identities)}))
        parts = engine.read_parquet(
            [str(path) for path in stored], hive_partitioning=True, union_by_name=False
        )
        found: pd.DataFrame = parts.query(
            "parts",
            f"SELECT {columns} FROM parts WHERE identity IN (SELECT identity FROM wanted)",
        ).df()
    found["month"] = (
        pd.to_datetime(found["month"].astype("str") + "-01")
        .to_numpy()
        .astype("datetime64[M]")
        .astype(np.int64)
    )
    return found.assign(chunk=-1, position=-1)


def _judge(rows: pd.DataFrame, first_new: int) -> pd.DataFrame:
    arrival = rows["by_arrival"].to_numpy(dtype=bool)
    content = rows["content"].to_numpy().view(np.uint64)
    tie = np.where(arrival, np.uint64(0), content)
    order = np.lexsort((rows["row"], rows["batch"], tie, rows["rank"], rows["identity"]))
    rows, arrival, content = rows.iloc[order], arrival[order], content[order]
    identity, rank = rows["identity"].to_numpy(), rows["rank"].to_numpy()
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = (identity[1:] == identity[:-1]) & (content[1:] == content[:-1])
    same[1:] &= arrival[1:] | (rank[1:] == rank[:-1])
    kept = rows[~same].copy()
    kept["superseded_by"] = _superseded_by(kept)
    kept["version"] = _versions(kept)
    # A stored row that was replaced before is listed already.
    listed = (kept["chunk"] < 0) & (kept["superseded_by"] < first_new)
    kept.loc[listed, "superseded_by"] = _NEVER
    kept["duplicate"] = 0
    twice = rows[same].assign(superseded_by=_NEVER, duplicate=1, version=1)
    return pd.concat([kept, twice])[list(_NOTHING.columns)].astype("int64")


def _superseded_by(kept: pd.DataFrame) -> NDArray[np.int64]:
    """First batch from which on a newer version is known; `_NEVER` for the current one."""
    turned = kept.iloc[::-1]
    identity, batch = turned["identity"].to_numpy(), turned["batch"].to_numpy(dtype=np.int64)
    earliest = pd.Series(batch).groupby(identity).cummin().to_numpy()
    newer = np.full(len(turned), _NEVER)
    followed = identity[1:] == identity[:-1]
    newer[1:][followed] = earliest[:-1][followed]
    # An old version that arrives late was never current.
    known = newer < _NEVER
    return np.asarray(np.where(known, np.maximum(newer, batch), _NEVER)[::-1])


def _versions(kept: pd.DataFrame) -> NDArray[np.int64]:
    """The source's own number, else the number of arrival."""
    own = kept["version"].to_numpy(dtype=np.float64)
    ordered = kept.sort_values(["identity", "batch", "row"])
    number = ordered.groupby("identity").cumcount() + 1
    by_arrival: Any = number.reindex(kept.index).to_numpy()
    told = ~np.isnan(own) & (kept["chunk"].to_numpy() >= 0)
    known = kept["chunk"].to_numpy() < 0
    version = np.where(told | known, np.nan_to_num(own), by_arrival)
    return np.asarray(version.astype(np.int64))
