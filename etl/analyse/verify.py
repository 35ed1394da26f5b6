"""
Verification of the analysis: do its stored tables keep what they promise?

Sums over the levels, the risk index computed again from its trace, ranges of probabilities and
colours. Only stored rows are read; `pingan verify` reports each check beside its own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.parquet as pq

from data.analysis_tables import ANALYSIS_TABLES
from data.index_settings import COLOURS, INDICATORS
from data.index_trace import OK, compose, death_indicators
from data.shown_settings import settings_from
from data.writer import ARROW_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from data.columns import Table
    from data.index_settings import IndexSettings
    from data.manifest import Manifest
    from data.store import Snapshot

_TOLERANCE: Final = 1e-9
_SHOWN: Final = 5

_SHARES: Final = frozenset({
    "p", "much_p", "gi_p", "exceed_p", "ring_p", "p_high", "p_6h", "p_24h", "share", "complete",
    "discovered_share", "unplaced_share", "survival", "stability", "missing_weight", "coverage",
    "hit1", "hit2", "hit5", "area_share", "pei2", "coarse_area_share", "fine_area_share",
    "coarse_incident_share", "fine_incident_share", "coarse_only", "fine_only", "sampled",
})  # fmt: skip
"""Columns of any table that hold a probability or a share."""

_COLOURS: Final = frozenset({"colour", "raw_colour", "gated_colour"})

_CHAINS: Final = (
    ("lower", "upper"),
    ("posterior_lower", "posterior_upper"),
    ("rank_lower", "rank_upper"),
    ("pai2_to_kde4_lower", "pai2_to_kde4_upper"),
    ("pai2_to_history_lower", "pai2_to_history_upper"),
)
"""Columns of any table of which the first is never above the second."""


class AnalysisFault(ValueError):  # noqa: N818 - it is an outcome of a check, not a program error
    """A check of the analysis does not hold; the message says where."""


def is_analysed(snapshot: Snapshot) -> bool:
    """Whether a snapshot holds an analysis at all."""
    return bool((snapshot.manifest.raw.get("analysis") or {}).get("settings"))


def columns(home: Path, manifest: Manifest) -> str:
    """Every file of a stored table has its columns; asked before the snapshot is opened."""
    files = [one for one in manifest.raw["files"] if one["table"] in ANALYSIS_TABLES]
    for one in files:
        schema = pq.read_schema(home / one["path"])
        found = dict(zip(schema.names, schema.types, strict=True))
        kept = {col.name: ARROW_TYPES[col.kind] for col in ANALYSIS_TABLES[one["table"]].columns}
        if found != kept:
            raise AnalysisFault(f"{one['path']} has other columns: {', '.join(found)}")
    return f"{len(files)} files of the analysis"


def tables(snapshot: Snapshot) -> str:
    """Every stored table has no empty value where none may be, and each key once."""
    names = _stored(snapshot)
    total = 0
    for name, table in names.items():
        key = _columns(table.key)
        empty = " OR ".join(
            f'"{one.name}" IS NULL' + (f' OR isnan("{one.name}")' if one.kind == "float" else "")
            for one in table.columns
            if not one.nullable
        )
        rows, distinct, holes = (
            int(one)
            for one in snapshot.query(
                f"SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {name})), "
                f"count(*) FILTER (WHERE {empty}) FROM {name}"
            ).iloc[0]
        )
        if distinct != rows or holes:
            raise AnalysisFault(
                f"{name}: {rows - distinct:,} keys stand twice, {holes:,} rows have an empty value"
            )
        total += rows
    return f"{len(names)} tables, {total:,} rows"


def forecasts(snapshot: Snapshot) -> str:
    """Children and what lies in none of them make their parent, at every level and group."""
    if "forecasts" not in _stored(snapshot):
        return "no forecast"
    rows = snapshot.query(
        'SELECT CAST(period_start AS DATE) AS day, level, area_index, "group", mean, unplaced '
        "FROM forecasts"
    )
    worst = 0.0
    for upper, lower, parent in _levels(snapshot):
        parents = rows[rows["level"] == upper].set_index(["day", "group", "area_index"])
        inside = _raised(rows[rows["level"] == lower], parent, ["day", "group"], "mean")
        orphans = inside[~inside.index.isin(parents.index) & (inside != 0)]
        _none(orphans.reset_index(), f"forecasts of {lower} areas lie in a {upper} without one")
        children = inside.reindex(parents.index, fill_value=0.0)
        gap = (children + parents["unplaced"] - parents["mean"]).abs()
        # Of a large city the last digit of a double is larger than the tolerance.
        off = parents.assign(gap=gap)[~(gap <= _TOLERANCE * np.maximum(parents["mean"], 1.0))]
        _none(off.reset_index(), f"{upper} forecasts are not the sum of their {lower} areas")
        worst = max(worst, float(gap.max()) if len(gap) else 0.0)
    return f"{len(rows):,} forecasts, largest gap {worst:.1g}"


def expected(snapshot: Snapshot) -> str:
    """Observed counts: children never above their parent, groups never above all, none invented."""
    if "expected" not in _stored(snapshot):
        return "no expected counts"
    rows = snapshot.query(
        'SELECT CAST(period_end AS DATE) AS day, level, area_index, "group", observed FROM expected'
    )
    for upper, lower, parent in _levels(snapshot):
        own = rows[rows["level"] == upper].set_index(["day", "group", "area_index"])["observed"]
        inside = _raised(rows[rows["level"] == lower], parent, ["day", "group"], "observed")
        _at_most(inside, own, f"{lower} areas have observed more than their {upper}")
    whole = rows["group"] == "all"
    key = ["day", "level", "area_index"]
    every = rows[whole].set_index(key)["observed"]
    _at_most(rows[~whole].groupby(key)["observed"].sum(), every, "groups have more than all")
    raw = snapshot.manifest.raw
    if raw["analysis"].get("batch") != raw["batch"]:
        return f"{len(rows):,} rows; counts are newer and were not compared"
    for level in _level_names(snapshot):
        counted = snapshot.query(
            "SELECT CAST(period_start AS DATE) AS day, area_index, CAST(sum(count) AS BIGINT) AS n "
            f"FROM area_counts_{level} WHERE area_index >= 0 GROUP BY ALL"
        ).set_index(["day", "area_index"])["n"]
        own = rows[whole & (rows["level"] == level)].set_index(["day", "area_index"])["observed"]
        _at_most(own, counted, f"{level} areas have observed more than was counted")
    return f"{len(rows):,} rows"


def index(snapshot: Snapshot) -> str:
    """The risk index of the newest period follows from its trace, to the last digit."""
    if not {"area_index", "index_trace"} <= _stored(snapshot).keys():
        return "no index"
    version = snapshot.manifest.raw["analysis"]["settings"]
    other = snapshot.query(
        "SELECT DISTINCT config FROM index_trace WHERE config != ? UNION "
        "SELECT DISTINCT config FROM area_index WHERE config != ?",
        (version, version),
    )
    _none(other, f"settings of the index are not {version}")
    settings = settings_from(snapshot.manifest.raw["analysis"]["shown"]).index
    newest = "WHERE period_end = (SELECT max(period_end) FROM area_index)"
    areas = snapshot.query(f"SELECT * FROM area_index {newest} ORDER BY level, area_index")
    trace = snapshot.query(
        "SELECT level, area_index, indicator, count, ratio, points, weight, status "
        f"FROM index_trace {newest} ORDER BY level, area_index, indicator"
    )
    again = recomputed(areas, trace, settings)
    for column, values in again.items():
        same = np.asarray(
            (values == _floats(areas[column])) | (np.isnan(values) & areas[column].isna())
        )
        _none(areas.loc[~same, ["level", "area_index", column]], f"`{column}` is not what follows")
    return f"{len(areas):,} areas recomputed"


def recomputed(
    areas: pd.DataFrame, trace: pd.DataFrame, settings: IndexSettings
) -> Mapping[str, NDArray[np.float64]]:
    """
    Compute the index of many areas again.

    Parameters
    ----------
    areas, trace
        Rows of `area_index` and `index_trace` of one period, both in the order of their keys.

    Returns
    -------
    figures
        Column of `area_index` to its values, shape (n areas,).

    Raises
    ------
    AnalysisFault
        An area has not the indicators 1 to 28, each once; or their points or weights are others.
    """
    whole = np.tile(np.arange(1, INDICATORS + 1), len(areas))
    key = ["level", "area_index"]
    same = len(trace) == len(whole) and bool(
        (trace["indicator"].to_numpy() == whole).all()
        and (trace[key].to_numpy()[::INDICATORS] == areas[key].to_numpy()).all()
        and (trace[key].to_numpy()[INDICATORS - 1 :: INDICATORS] == areas[key].to_numpy()).all()
    )
    if not same:
        raise AnalysisFault("index_trace: areas have not the indicators 1 to 28, each once")

    def table(column: str) -> NDArray[np.float64]:
        return _floats(trace[column]).reshape(len(areas), INDICATORS)

    known = (trace["status"] == OK).to_numpy().reshape(len(areas), INDICATORS)
    told = death_indicators(settings)[:1]
    deaths = np.where(known[:, told[0]], table("count")[:, told[0]], 0.0) if told else None
    found = compose(np.where(known, table("ratio"), np.nan), settings, deaths=deaths)
    for column, values in (("points", found.points), ("weight", found.weight)):
        wrong = ~((values == table(column)) | (np.isnan(values) & np.isnan(table(column))))
        _none(trace[wrong.ravel()], f"`{column}` of index_trace is not what follows")
    return {
        "risk": found.risk,
        "safety_index": 100.0 - found.risk,
        "raw_colour": found.raw_colour.astype(np.float64),
        "missing_weight": found.missing_weight,
        **{f"d{d}": one for d, one in enumerate(found.dimension_points.T, start=1)},
    }


def ranges(snapshot: Snapshot) -> str:
    """Probabilities and shares within 0 and 1, colours known, intervals and days in order."""
    number = 0
    for name, table in _stored(snapshot).items():
        columns = {one.name: one.kind for one in table.columns}
        rules = [
            f'"{one}" NOT BETWEEN 0 AND {1 + _TOLERANCE} AND NOT isnan("{one}")'
            for one, kind in columns.items()
            if one in _SHARES and kind == "float"
        ]
        rules += [f'"{one}" NOT BETWEEN 0 AND {COLOURS}' for one in columns if one in _COLOURS]
        rules += [
            f'"{low}" > "{high}"' for low, high in _CHAINS if low in columns and high in columns
        ]
        if name == "signals":
            rules += ["expires <= day", "reached_on > day", "colour < 1"]
        for rule in rules:
            wrong = snapshot.query(f"SELECT {_columns(table.key)} FROM {name} WHERE {rule}")
            _none(wrong, f"rows of {name}: {rule}")
        number += len(rules)
    return f"{number} rules"


CHECKS: Final[dict[str, Callable[[Snapshot], str]]] = {
    "analysis: tables": tables,
    "analysis: forecasts": forecasts,
    "analysis: observed counts": expected,
    "analysis: index": index,
    "analysis: ranges": ranges,
}
"""Name of each check, as the report tells it."""


def _stored(snapshot: Snapshot) -> dict[str, Table]:
    """Tables of the analysis that the snapshot holds."""
    names = set(snapshot.tables())
    return {name: table for name, table in ANALYSIS_TABLES.items() if name in names}


def _columns(names: Iterable[str]) -> str:
    """Columns as SQL: one of them is called `group`."""
    return ", ".join(f'"{name}"' for name in names)


def _level_names(snapshot: Snapshot) -> list[str]:
    return [entry["level"] for entry in snapshot.manifest.levels]


def _levels(snapshot: Snapshot) -> Iterable[tuple[str, str, NDArray[Any]]]:
    """Each level, the one below it, and the position of the latter's parents in the former."""
    for upper, lower in pairwise(_level_names(snapshot)):
        areas = snapshot.areas[snapshot.areas["level"] == lower]
        yield upper, lower, areas.sort_values("area_index")["parent_index"].to_numpy()


def _raised(rows: pd.DataFrame, parent: NDArray[Any], by: list[str], column: str) -> pd.Series[Any]:
    """Sums of a column over the children of each parent; what has no parent is left out."""
    above = rows.assign(area_index=parent[rows["area_index"].to_numpy()])
    kept = above[above["area_index"] >= 0]
    sums: pd.Series[Any] = kept.groupby([*by, "area_index"])[column].sum()
    return sums


def _at_most(found: pd.Series[Any], limit: pd.Series[Any], what: str) -> None:
    most = limit.reindex(found.index, fill_value=0)
    _none(found[found > most].reset_index(), what)


def _floats(values: pd.Series[Any]) -> NDArray[np.float64]:
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def _none(wrong: pd.DataFrame, what: str) -> None:
    if len(wrong):
        first = "; ".join(str(row) for row in wrong.head(_SHOWN).to_dict("records"))
        raise AnalysisFault(f"{len(wrong):,} {what}: {first}")
