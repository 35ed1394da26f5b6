"""Source files as offices keep them: own headings, codes, time formats and frames."""

from __future__ import annotations

import csv
import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as pa_csv

from etl.synthesize.incidents import NEVER, Incidents
from etl.synthesize.plan import FIRST_DAY, Floats, Ints
from geo import crs

if TYPE_CHECKING:
    from pathlib import Path

FAR = np.iinfo(np.int64).max

# Share of rows with a point, and of the rest the share with an area code; None: no such column.
_POINT_SHARE = {
    "disputes": 0.74,
    "police_calls": 0.992,
    "hazards": 0.995,
    "hotline": 0.85,
    "grid_reports": 0.97,
}
_CODE_SHARE = {"disputes": 0.93, "hotline": 0.8, "grid_reports": 0.9}
# Level of the code in rows with and without a point; weights in the order of the levels.
_CODE_LEVELS = ("county", "township", "community", "grid")
_CODE_WEIGHTS = {
    "disputes": (0.0, 0.0, 0.3, 0.7),
    "hotline": (0.04, 0.3, 0.66, 0.0),
    "grid_reports": (0.0, 0.0, 0.05, 0.95),
}
_ID_PREFIX = {
    "disputes": "JF",
    "police_calls": "JQ",
    "hazards": "YH",
    "hotline": "RX",
    "grid_reports": "WG",
}
_OUTCOMES = {
    # Still open, in time, late.
    "disputes": ("化解中", "化解成功", "逾期化解"),
    "police_calls": ("已处警", "已处警", "已处警"),
    "hazards": ("整改中", "按期整改", "逾期整改"),
    "hotline": ("办理中", "按期办结", "超期办结"),
    "grid_reports": ("处置中", "按期结案", "超期结案"),
}
# Columns of real ledgers that the mapping leaves out; they must never be read.
_EXTRA = {
    "disputes": {"事件规模": "01", "化解方式": "0103"},
    "police_calls": {"接警方式": "110"},
    "hazards": {"检查类型": "日常巡查"},
    "hotline": {"受理渠道": "12345", "工单类型": "诉求"},
    "grid_reports": {"信息来源": "居民上报"},
}


@dataclass(frozen=True)
class Located:
    """
    What the ledgers need to know of each address.

    `codes` has the area code of each address by level, `fresh` the grid code from `recut_at` on
    (seconds of city time; `FAR` where the grid stays); `lng`, `lat` in degrees (EPSG:4326).
    """

    lng: Floats
    lat: Floats
    codes: dict[str, np.ndarray]
    fresh: np.ndarray
    recut_at: Ints


@dataclass(frozen=True)
class Ledger:
    """
    A clean source table with its headings, and how its rows can be placed.

    `placed` is 2 for a point, 1 for an area code only, 0 for neither; it and `address`, `leaf`
    follow the rows.
    """

    rows: pd.DataFrame
    placed: Ints
    address: Ints
    leaf: Ints


def demo_sources() -> dict[str, dict[str, Any]]:
    """Sources of the demo city as its `sources.toml` declares them, by name."""
    text = files("data").joinpath("cities/demo/sources.toml").read_text("utf-8")
    return {source["name"]: source for source in tomllib.loads(text)["source"]}


def demo_leaves() -> list[str]:
    """Codes of the leaf classes of the demo city, in the order of its `categories.csv`."""
    text = files("data").joinpath("cities/demo/categories.csv").read_text("utf-8")
    return [row["code"] for row in csv.DictReader(text.splitlines()) if row["parent_code"]]


def _times(seconds: Ints, config: dict[str, Any]) -> pd.Series:
    """City times in the format of the source; real times for Parquet. `NEVER` becomes empty."""
    stamps = np.datetime64(FIRST_DAY, "s") + seconds.astype("timedelta64[s]")
    column = pa.array(stamps, mask=seconds == NEVER)
    if config["format"] != "parquet":
        column = pc.strftime(column, format=config["time_format"])
    return pd.Series(column, dtype=pd.ArrowDtype(column.type))


def _shifted(lng: Floats, lat: Floats, frame: str) -> tuple[Floats, Floats]:
    """WGS 84 to the frame of the source."""
    if frame in ("GCJ-02", "BD-09"):
        lng, lat = crs.wgs84_to_gcj02(lng, lat)
    if frame == "BD-09":
        lng, lat = crs.gcj02_to_bd09(lng, lat)
    return np.round(lng, 6), np.round(lat, 6)


def _area_codes(
    source: str, found: Incidents, located: Located, rng: np.random.Generator
) -> np.ndarray:
    """An area code for each row, of a level as the source uses it, valid on the day."""
    level = rng.choice(len(_CODE_LEVELS), size=len(found.leaf), p=_CODE_WEIGHTS[source])
    grid = np.where(
        found.occurred >= located.recut_at[found.address],
        located.fresh[found.address],
        located.codes["grid"][found.address],
    )
    columns = [located.codes[name][found.address] for name in _CODE_LEVELS[:3]]
    return np.choose(level, [*columns, grid])


def make_ledger(
    found: Incidents, located: Located, config: dict[str, Any], rng: np.random.Generator
) -> Ledger:
    """
    Write incidents down in the words of their source.

    Parameters
    ----------
    found
        Incidents of the source.
    located
        Addresses.
    config
        The source as `sources.toml` declares it.
    rng
        Source of chance.

    Returns
    -------
    ledger
        Rows in the order of their report; ids run with it.
    """
    found = found.take(np.argsort(found.reported, kind="stable"))
    source, columns, count = found.source, config["columns"], len(found.leaf)
    has_point = rng.random(count) < _POINT_SHARE[source]
    lng, lat = _shifted(located.lng, located.lat, config["frame"])
    theirs = {ours: code for code, ours in config.get("category_codes", {}).items()}
    codes = np.array([theirs.get(leaf, leaf) for leaf in found.leaves], dtype=object)
    grades = {ours: code for code, ours in config.get("severity_codes", {}).items()}
    severities = np.array([None, *(grades.get(n, str(n)) for n in (1, 2, 3, 4))], dtype=object)
    state = np.where(found.resolved == NEVER, 0, np.where(found.resolved <= found.deadline, 1, 2))
    serial = pd.Series(np.arange(1, count + 1)).astype("string").str.zfill(8)
    values: dict[str, object] = {
        "incident_id": _ID_PREFIX[source] + serial,
        "occurred_at": _times(found.occurred, config),
        "reported_at": _times(found.reported, config),
        "deadline_at": _times(found.deadline, config),
        "resolved_at": _times(found.resolved, config),
        "category": codes[found.leaf],
        "severity": severities[found.severity],
        "outcome": np.array(_OUTCOMES[source], dtype=object)[state],
        "lng": np.where(has_point, lng[found.address], np.nan),
        "lat": np.where(has_point, lat[found.address], np.nan),
    }
    has_code = np.zeros(count, dtype=bool)
    if "area_code" in columns:
        has_code = has_point | (rng.random(count) < _CODE_SHARE[source])
        area_codes = pd.Series(_area_codes(source, found, located, rng), dtype="object")
        values["area_code"] = area_codes.where(has_code, None)
    rows = pd.DataFrame({columns[ours]: values[ours] for ours in columns})
    texts = [c for c in rows if rows[c].dtype == object]
    rows = rows.assign(**_EXTRA[source]).astype(dict.fromkeys(texts, "string[pyarrow]"))
    placed = np.where(has_point, 2, np.where(has_code, 1, 0))
    return Ledger(rows, placed, found.address, found.leaf)


def stamp(moment: pd.Timestamp, config: dict[str, Any]) -> object:
    """A single time in the format of the source."""
    return moment if config["format"] == "parquet" else moment.strftime(config["time_format"])


def write_ledger(rows: pd.DataFrame, path: Path, config: dict[str, Any]) -> None:
    """
    Write a source file in the format that `sources.toml` declares.

    Parameters
    ----------
    rows
        The ledger.
    path
        File to write; UTF-8 with a byte order mark for CSV, as spreadsheet programs save it.
    config
        The source.
    """
    if config["format"] == "geojson":
        _write_geojson(rows, path, config["columns"])
        return
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    if config["format"] == "parquet":
        pq.write_table(table, path, compression="zstd")
        return
    with path.open("wb") as sink:
        sink.write(("\ufeff" + ",".join(table.column_names) + "\n").encode())
        options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
        pa_csv.write_csv(table, sink, options)


def _write_geojson(rows: pd.DataFrame, path: Path, columns: dict[str, str]) -> None:
    """One point feature per row and line; the coordinates are properties as well."""
    plain = rows.astype(object).where(rows.notna(), None)
    with path.open("w", encoding="utf-8", newline="\n") as sink:
        sink.write('{"type": "FeatureCollection", "features": [\n')
        for number, row in enumerate(plain.to_dict("records")):
            lng, lat = row[columns["lng"]], row[columns["lat"]]
            point = None if lng is None else {"type": "Point", "coordinates": [lng, lat]}
            feature = {"type": "Feature", "properties": row, "geometry": point}
            sink.write((",\n" if number else "") + json.dumps(feature, ensure_ascii=False))
        sink.write("\n]}\n")


def seconds_of(day: str) -> int:
    """Seconds of city time from the first day to the start of a day (ISO date)."""
    return int((np.datetime64(day) - np.datetime64(FIRST_DAY)).astype(int)) * 86_400
