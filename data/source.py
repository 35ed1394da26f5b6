"""
Sources: one TOML file per ledger, read strictly.

A source file says where rows come from (files, a watched folder, a database view, pushes), how they
are read, and which of their columns may be read at all. Columns that it does not name never enter
the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from data.codebooks import CATEGORY, book_names, read_book
from data.tables import (
    REQUIRED,
    Keys,
    check_choice,
    check_frame_name,
    check_zone,
    existing_file,
    parse_toml,
    take,
)
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo.divisions import Level

Format = Literal[
    "csv", "tsv", "parquet", "geojson", "ndjson", "gpkg", "shapefile", "xlsx", "xls", "rows"
]
"""`rows`: no file at all; rows come from a view or by push, by the names of their columns."""

SOURCES_FOLDER: Final = "sources"
FORMATS: Final = (
    "csv", "tsv", "parquet", "geojson", "ndjson", "gpkg", "shapefile", "xlsx", "xls", "rows",
)  # fmt: skip
SUFFIXES: Final[Mapping[str, str]] = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".parquet": "parquet", ".geojson": "geojson",
    ".json": "geojson", ".ndjson": "ndjson", ".jsonl": "ndjson", ".geojsonl": "ndjson",
    ".gpkg": "gpkg", ".zip": "shapefile", ".xlsx": "xlsx", ".xls": "xls",
}  # fmt: skip
"""File name endings, lower case, and the format that they mean."""

ORIGINS: Final = ("reported", "discovered")
WITHOUT_ID: Final = ("refuse", "accept")
SEVERITIES: Final = (1, 2, 3, 4)
SCALES: Final = (1, 2, 3)
STATUSES: Final = ("open", "in_hand", "resolved", "archived", "void")
OUTCOMES: Final = ("resolved", "partly", "unresolved", "transferred", "void")
PRECISIONS: Final = ("address", "street", "place", "area")
"""How exact a point is: a house or pole; a road section; a named place; an area's middle."""

TIME_COLUMNS: Final = (
    "occurred_at", "reported_at", "dispatched_at", "signed_at", "resolved_at", "archived_at",
    "deadline_at", "updated_at",
)  # fmt: skip
CODED_COLUMNS: Final = ("category", "severity", "scale", "status", "outcome", "precision")
"""Columns whose values are codes: each value is looked up, none is stored as it stands."""
SOURCE_COLUMNS: Final = (
    "incident_id", "version", *TIME_COLUMNS, *CODED_COLUMNS, "repeat_of", "lng", "lat", "area_code",
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A column with the publisher's own area codes, against which placing is measured."""

    column: str
    level: Level
    numeric_codes: bool


@dataclass(frozen=True)
class SqlView:
    """
    A view or table of another database, read forward from a watermark.

    `url_env` names the environment variable that holds the SQLAlchemy URL, so that no password
    stands in a file. `watermark` is a column whose values only grow (a change time or a number).
    """

    url_env: str
    view: str
    watermark: str


@dataclass(frozen=True)
class KafkaTopic:
    """A topic whose messages are JSON objects, one row each; `servers_env` as in `SqlView`."""

    servers_env: str
    topic: str
    group: str


@dataclass(frozen=True)
class Source:
    """
    One ledger: where its rows come from, its clock and frame, and the columns that may be read.

    Attributes
    ----------
    files
        Files named outright or matched by a pattern, sorted.
    watch
        Folder in which every new file is taken in; None = none.
    push
        Whether `POST /api/v1/incidents` accepts rows for this source.
    time_format
        Formats of `strptime`, tried in turn.
    aliases
        CSV file `ours,theirs` of further headings that mean the same column (Excel ledgers).
    columns
        Ours = theirs, the allow-list.
    rows_without_id
        `refuse` such a row, or `accept` it as its own identity.
    category_book
        Name of a shipped code book whose codes the source uses; "" = `category_codes` or ours.
    point_precision
        Class of every point where no column tells it.
    """

    name: str
    title_zh: str
    title_en: str
    files: tuple[Path, ...]
    watch: Path | None
    sql: SqlView | None
    push: bool
    kafka: KafkaTopic | None
    format: Format
    sheet: str
    aliases: Path | None
    time_zone: str
    time_format: tuple[str, ...]
    frame: str
    channel: str
    origin: str
    rows_without_id: str
    numeric_codes: bool
    point_precision: str
    columns: Mapping[str, str]
    category_book: str
    category_codes: Mapping[str, str]
    severity_codes: Mapping[str, int]
    scale_codes: Mapping[str, int]
    status_codes: Mapping[str, str]
    outcome_codes: Mapping[str, str]
    precision_codes: Mapping[str, str]
    published: tuple[Published, ...]

    @property
    def allowed(self) -> dict[str, str]:
        """Every column that may be read: ours (or `published_<level>`) to theirs."""
        theirs = dict(self.columns)
        return theirs | {f"published_{entry.level}": entry.column for entry in self.published}


_SOURCE_KEYS: Final[Keys] = {
    "title_zh": (str, REQUIRED),
    "title_en": (str, REQUIRED),
    "files": (list, []),
    "watch": (str, None),
    "sql": (dict, None),
    "push": (bool, False),
    "kafka": (dict, None),
    "format": (str, REQUIRED),
    "sheet": (str, ""),
    "aliases": (str, None),
    "time_zone": (str, REQUIRED),
    "time_format": ((str, list), REQUIRED),
    "frame": (str, REQUIRED),
    "channel": (str, REQUIRED),
    "origin": (str, REQUIRED),
    "rows_without_id": (str, "refuse"),
    "numeric_codes": (bool, False),
    "point_precision": (str, "address"),
    "columns": (dict, REQUIRED),
    "category_book": (str, ""),
    "category_codes": (dict, {}),
    "severity_codes": (dict, {}),
    "scale_codes": (dict, {}),
    "status_codes": (dict, {}),
    "outcome_codes": (dict, {}),
    "precision_codes": (dict, {}),
    "published": (list, []),
}
_PUBLISHED_KEYS: Final[Keys] = {
    "column": (str, REQUIRED),
    "level": (str, REQUIRED),
    "numeric_codes": (bool, False),
}
_SQL_KEYS: Final[Keys] = dict.fromkeys(("url_env", "view", "watermark"), (str, REQUIRED))
_KAFKA_KEYS: Final[Keys] = dict.fromkeys(("servers_env", "topic", "group"), (str, REQUIRED))
_PATTERN_MARKS: Final = ("*", "?", "[")


def source_files(folder: Path) -> list[Path]:
    """List the source files of a city folder, sorted by name."""
    return sorted((folder / SOURCES_FOLDER).glob("*.toml"))


def read_source(
    path: Path, *, root: Path, known_categories: frozenset[str], faults: list[str]
) -> Source:
    """
    Read one source file; its name without `.toml` is the source's name.

    Parameters
    ----------
    root
        Folder that `files`, `watch` and `aliases` are relative to.
    known_categories
        Codes of the city's categories.
    faults
        Everything found wrong is added here, in the words of the file.
    """
    where = f"{SOURCES_FOLDER}/{path.name}"
    table = parse_toml(path, faults)
    # One published column may stand as a single table.
    published = table.get("published", [])
    single = {"published": [published]} if isinstance(published, dict) else {}
    taken = take({**table, **single}, _SOURCE_KEYS, where, faults)
    taken["files"] = _files(taken["files"], root, where, faults)
    taken["watch"] = None if taken["watch"] is None else root / taken["watch"]
    if taken["aliases"] is not None:
        taken["aliases"] = existing_file(root / taken["aliases"], where, faults)
    if taken["sql"] is not None:
        taken["sql"] = SqlView(**take(taken["sql"], _SQL_KEYS, f"{where}: sql", faults))
    if taken["kafka"] is not None:
        taken["kafka"] = KafkaTopic(**take(taken["kafka"], _KAFKA_KEYS, f"{where}: kafka", faults))
    formats = taken["time_format"]
    taken["time_format"] = (formats,) if isinstance(formats, str) else tuple(map(str, formats))
    taken["published"] = tuple(
        Published(**take(entry, _PUBLISHED_KEYS, f"{where}: published", faults))
        for entry in taken["published"]
    )
    _check_source(taken, where, faults)
    _check_codes(taken, known_categories, where, faults)
    return Source(name=path.stem, **taken)


def _files(patterns: list[Any], root: Path, where: str, faults: list[str]) -> tuple[Path, ...]:
    found: list[Path] = []
    for pattern in map(str, patterns):
        if any(mark in pattern for mark in _PATTERN_MARKS):
            found += sorted(path for path in root.glob(pattern) if path.is_file())
        else:
            found.append(existing_file(root / pattern, where, faults))
    return tuple(dict.fromkeys(found))


def _check_source(source: dict[str, Any], where: str, faults: list[str]) -> None:
    check_choice(source["format"], FORMATS, f"{where}: `format`", faults)
    check_choice(source["origin"], ORIGINS, f"{where}: `origin`", faults)
    check_choice(source["rows_without_id"], WITHOUT_ID, f"{where}: `rows_without_id`", faults)
    check_choice(source["point_precision"], PRECISIONS, f"{where}: `point_precision`", faults)
    check_zone(source["time_zone"], where, faults)
    check_frame_name(source["frame"], where, faults)
    for entry in source["published"]:
        check_choice(entry.level, LEVELS, f"{where}: published: `level`", faults)
    columns = source["columns"]
    for ours, theirs in columns.items():
        if ours not in SOURCE_COLUMNS:
            faults.append(f"{where}: unknown column `{ours}`; known: {', '.join(SOURCE_COLUMNS)}")
        elif not isinstance(theirs, str):
            faults.append(f"{where}: column `{ours}` must be a name")
    for needed in ("occurred_at", "category"):
        if needed not in columns:
            faults.append(f"{where}: [columns] must name `{needed}`")
    if ("lng" in columns) != ("lat" in columns):
        faults.append(f"{where}: [columns] must name both `lng` and `lat`, or neither")


def _check_codes(
    source: dict[str, Any], known: frozenset[str], where: str, faults: list[str]
) -> None:
    unknown = sorted({str(code) for code in source["category_codes"].values()} - known)
    if unknown:
        faults.append(f"{where}: category codes {unknown[:5]} are not in categories.csv")
    if source["category_book"]:
        usable = tuple(name for name in book_names() if read_book(name).kind == CATEGORY)
        check_choice(source["category_book"], usable, f"{where}: `category_book`", faults)
    for column, allowed in (
        ("severity", SEVERITIES),
        ("scale", SCALES),
        ("status", (*STATUSES, "")),
        ("outcome", (*OUTCOMES, "")),
        ("precision", (*PRECISIONS, "")),
    ):
        wrong = [code for code in source[f"{column}_codes"].values() if code not in allowed]
        if wrong:
            listed = ", ".join(str(code) for code in allowed if code != "")
            faults.append(f"{where}: {column} codes {wrong[:5]} are none of {listed}")
