"""Source files as offices keep them: own headings, codes, time formats and frames."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj

from data.codebooks import read_book
from etl.synthesize.incidents import NEVER, Incidents
from etl.synthesize.plan import FIRST_DAY, Floats, Ints
from etl.synthesize.rhythm import STREAMS
from etl.synthesize.stages import COLUMNS as STAGES
from etl.synthesize.stages import draw_stages
from geo import crs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

FAR = np.iinfo(np.int64).max
TYPED: Final = ("parquet", "gpkg")
"""Formats that store times as times."""
GEOMETRIES: Final = ("gpkg", "shapefile")
"""Formats whose points are geometries; until they are written they stand in these two columns."""
POINT: Final = {"lng": "lng", "lat": "lat"}

_RARE: Final = 307
_SELDOM: Final = 29
_CITY_ZONE: Final = "+08:00"
_DEGREES: Final = "EPSG:4326"

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

    `placed` is 2 for a point, 1 for an area code only, 0 for neither; it and `incidents` follow the
    rows.
    """

    rows: pd.DataFrame
    placed: Ints
    incidents: Incidents


@dataclass(frozen=True)
class Words:
    """
    What an office calls its things: how its numbers begin, and its words for open, in time, late.

    `unread` are columns of the ledger that the mapping leaves out; they must never be read.
    """

    prefix: str
    outcomes: tuple[str, str, str]
    unread: Mapping[str, str]


WORDS: Final[Mapping[str, Words]] = {
    "disputes": Words("JF", ("化解中", "化解成功", "逾期化解"), {"化解方式": "0103"}),
    "police_calls": Words("JQ", ("已处警", "已处警", "已处警"), {"接警方式": "110"}),
    "hazards": Words("YH", ("整改中", "按期整改", "逾期整改"), {"检查类型": "日常巡查"}),
    "hotline": Words(
        "RX", ("办理中", "按期办结", "超期办结"), {"受理渠道": "12345", "工单类型": "诉求"}
    ),
    "grid_reports": Words("WG", ("处置中", "按期结案", "超期结案"), {"信息来源": "居民上报"}),
}


def demo_sources() -> dict[str, dict[str, Any]]:
    """Sources of the demo city as its files declare them, by name; see `read_sources`."""
    return read_sources(files("data").joinpath("cities/demo"))


def read_sources(folder: Traversable) -> dict[str, dict[str, Any]]:
    """
    Read the sources that can be made, in the order of `STREAMS`.

    Parameters
    ----------
    folder
        City folder with a file `sources/<name>.toml` for each.

    Returns
    -------
    sources
        Name to the keys of the file and `name`.
    """
    return {name: read_source(folder, name) for name in STREAMS}


def read_source(folder: Traversable, name: str) -> dict[str, Any]:
    """Keys of one source file, and `name`."""
    text = folder.joinpath(f"sources/{name}.toml").read_text(encoding="utf-8")
    return {"name": name, **tomllib.loads(text)}


def demo_leaves() -> list[str]:
    """Codes of the leaf classes of the demo city, in the order of its `categories.csv`."""
    text = files("data").joinpath("cities/demo/categories.csv").read_text("utf-8")
    return [row["code"] for row in csv.DictReader(text.splitlines()) if row["parent_code"]]


def category_words(config: dict[str, Any]) -> dict[str, str]:
    """
    How a source writes each class: ours → theirs.

    Its own codes come before those of its code book; a book without codes of its own is written by
    name. A class that neither names is written by our code.
    """
    words: dict[str, str] = {}
    if config.get("category_book"):
        book = read_book(config["category_book"])
        for code in book.codes:
            if code.taxonomy is not None and code.refused is None:
                words.setdefault(code.taxonomy, code.name_zh if book.own_codes else code.code)
    return words | _inverted(config.get("category_codes", {}))


def _inverted(codes: Mapping[str, Any]) -> dict[Any, str]:
    return {ours: theirs for theirs, ours in codes.items()}


def _times(seconds: Ints, config: dict[str, Any]) -> pd.Series:
    """City times in the format of the source, or real times. `NEVER` becomes empty."""
    stamps = np.datetime64(FIRST_DAY, "s") + seconds.astype("timedelta64[s]")
    column = pa.array(stamps, mask=seconds == NEVER)
    if config["format"] not in TYPED:
        column = pc.strftime(column, format=_written_format(config))
    return pd.Series(column, dtype=pd.ArrowDtype(column.type))


def _written_format(config: dict[str, Any]) -> str:
    return str(config["time_format"]).replace("%z", _CITY_ZONE)


def _shifted(lng: Floats, lat: Floats, frame: str) -> tuple[Floats, Floats]:
    """WGS 84 to the frame of the source."""
    if frame in ("GCJ-02", "BD-09"):
        lng, lat = crs.wgs84_to_gcj02(lng, lat)
    if frame == "BD-09":
        lng, lat = crs.gcj02_to_bd09(lng, lat)
    elif frame not in ("GCJ-02", _DEGREES, "EPSG:4490"):
        # Plane coordinates, in metres.
        lng, lat = pyproj.Transformer.from_crs(_DEGREES, frame, always_xy=True).transform(lng, lat)
        return np.round(lng, 2), np.round(lat, 2)
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
    found: Incidents,
    located: Located,
    config: dict[str, Any],
    rng: np.random.Generator,
    *,
    words: Words | None = None,
    point_share: float | None = None,
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
        The source as its file declares it.
    rng
        Source of chance.
    words
        Other words than those of `found.source`, whose habits the ledger has in all else.
    point_share
        Share of rows with a point, where it is another one.

    Returns
    -------
    ledger
        Rows in the order of their report; ids run with it.
    """
    found = found.take(np.argsort(found.reported, kind="stable"))
    source, count = found.source, len(found.leaf)
    words = words or WORDS[source]
    columns = columns_of(config)
    share = _POINT_SHARE[source] if point_share is None else point_share
    has_point = rng.random(count) < share
    values = _values(found, config, words)
    if set(columns) & set(STAGES):
        stages = draw_stages(found, located.codes["township"][found.address])
        values |= {name: _times(seconds, config) for name, seconds in stages.items()}
    used, row = np.unique(found.address, return_inverse=True)
    lng, lat = _shifted(located.lng[used], located.lat[used], config["frame"])
    values["lng"] = np.where(has_point, lng[row], np.nan)
    values["lat"] = np.where(has_point, lat[row], np.nan)
    has_code = np.zeros(count, dtype=bool)
    if "area_code" in columns:
        has_code = has_point | (rng.random(count) < _CODE_SHARE[source])
        area_codes = pd.Series(_area_codes(source, found, located, rng), dtype="object")
        values["area_code"] = area_codes.where(has_code, None)
    rows = pd.DataFrame({columns[ours]: values[ours] for ours in columns})
    texts = [c for c in rows if rows[c].dtype == object]
    rows = rows.assign(**words.unread).astype(dict.fromkeys(texts, "string[pyarrow]"))
    return Ledger(rows, np.where(has_point, 2, np.where(has_code, 1, 0)), found)


def columns_of(config: dict[str, Any]) -> dict[str, str]:
    """Headings of the ledger by our names, those of a geometry among them."""
    geometry = POINT if config["format"] in GEOMETRIES else {}
    return {**config["columns"], **geometry}


def _values(found: Incidents, config: dict[str, Any], words: Words) -> dict[str, object]:
    """Columns by our names, without place."""
    count = len(found.leaf)
    theirs = category_words(config)
    codes = np.array([theirs.get(leaf, leaf) for leaf in found.leaves], dtype=object)
    grades = _inverted(config.get("severity_codes", {}))
    severities = np.array([None, *(grades.get(n, str(n)) for n in (1, 2, 3, 4))], dtype=object)
    state = np.where(found.resolved == NEVER, 0, np.where(found.resolved <= found.deadline, 1, 2))
    serial = np.arange(1, count + 1)
    numbers = pd.Series(serial).astype("string").str.zfill(8)
    sizes = _inverted(config.get("scale_codes", {}))
    # A few disputes concern many people; by serial number, so that no chance is drawn for it.
    scale = np.where(serial % _RARE == 0, 3, np.where(serial % _SELDOM == 0, 2, 1))
    outcomes = np.array(words.outcomes, dtype=object)[state]
    values: dict[str, object] = {
        "incident_id": words.prefix + numbers,
        "occurred_at": _times(found.occurred, config),
        "reported_at": _times(found.reported, config),
        "deadline_at": _times(found.deadline, config),
        "resolved_at": _times(found.resolved, config),
        "category": codes[found.leaf],
        "severity": severities[found.severity],
        "scale": np.array([sizes.get(n, str(n)) for n in range(4)], dtype=object)[scale],
        "status": outcomes,
        "outcome": outcomes,
    }
    if "updated_at" in config["columns"]:
        values["updated_at"] = _times(np.maximum(found.reported, found.resolved), config)
    return values


def stamp(moment: pd.Timestamp, config: dict[str, Any]) -> object:
    """A single time in the format of the source."""
    if config["format"] in TYPED:
        return moment
    return moment.strftime(_written_format(config))


def seconds_of(day: str) -> int:
    """Seconds of city time from the first day to the start of a day (ISO date)."""
    return int((np.datetime64(day) - np.datetime64(FIRST_DAY)).astype(int)) * 86_400
