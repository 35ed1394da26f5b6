"""
Cleaning: landed rows of one chunk → incidents in our types, and every refused row with its reason.

A row has one reason, the first that applies in the order of `REASONS`. A wrong point alone refuses
a row only where the row has no known area code to be placed by; a point just outside the city
(`etl.boundaries.NEAR_KM`) is kept and shown as not placed. A status, outcome, scale or precision
that no table knows is left empty and counted, because the incident itself is not in doubt.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from data import codebooks, personal
from data.periods import period_starts
from data.schema import UNKNOWN_SEVERITY
from data.source import OUTCOMES, PRECISIONS, SCALES, SEVERITIES, STATUSES, TIME_COLUMNS
from etl.boundaries import plain_numbers
from etl.points import PointFault, check_row_points
from etl.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    import shapely
    from numpy.typing import NDArray

    from data.city import City
    from data.source import Source

REASONS: Final = (
    "malformed_row", "person_data", "free_text", "missing_id", "missing_time", "bad_time",
    "future_time", "before_boundaries", "missing_category", "unknown_category",
    "unknown_severity", "bad_version", "bad_coordinates", "zero_coordinates",
    "swapped_coordinates", "outside_city", "unknown_area_code",
)  # fmt: skip
"""Why a row is quarantined, in the order in which the reasons are tested."""

FUTURE_SLACK: Final = dt.timedelta(minutes=10)
"""Clocks of two systems may differ by this much before a time counts as future."""

COMMON: Final = 5
"""Values that stand less often in a chunk are not listed by their words."""
LISTED: Final = 20
OTHERS: Final = "(others)"

_POINT_REASONS: Final = {
    PointFault.BAD: "bad_coordinates",
    PointFault.ZERO: "zero_coordinates",
    PointFault.SWAPPED: "swapped_coordinates",
    PointFault.OUTSIDE: "outside_city",
}
_OPTIONAL_CODES: Final = (
    ("scale", SCALES),
    ("status", STATUSES),
    ("outcome", OUTCOMES),
    ("precision", PRECISIONS),
)


_TEXT: Final = pd.ArrowDtype(pa.string())


@dataclass(frozen=True)
class Ground:
    """What cleaning must know of the areas: limits of the city, all codes, the first day."""

    limits: shapely.Geometry
    codes: frozenset[str]
    first_day: dt.date | None


@dataclass(frozen=True)
class Cleaned:
    """
    Outcome for one chunk.

    Attributes
    ----------
    incidents
        One row per good row: `row`, `incident_id`, `version` (null without), times in UTC,
        `occurred_on` and `period_start` in city time, `category_index`, `severity` (0 = unknown),
        `scale`, `status`, `outcome`, `precision` (positions in their lists, -1 = none),
        `repeat_of`, `lng`, `lat` in WGS 84, `area_code`, `published_<level>`.
    quarantine
        `row`, `reason`, `field`, `value` of each refused row.
    points_dropped
        Good rows that are placed by their code because their point was wrong, by reason.
    unmapped
        Column to value to number of good rows whose optional code no table knows.
    """

    incidents: pd.DataFrame
    quarantine: pd.DataFrame
    points_dropped: dict[str, int]
    unmapped: dict[str, dict[str, int]]


class _Verdict:
    """The first reason found for each row."""

    def __init__(self, n_rows: int) -> None:
        self.reason = np.full(n_rows, -1, dtype=np.int8)
        self.field = np.full(n_rows, "", dtype=object)

    def refuse(self, rows: NDArray[np.bool_], reason: str, field: str) -> None:
        if rows.any():
            first = rows & (self.reason < 0)
            self.reason[first] = REASONS.index(reason)
            self.field[first] = field

    @property
    def good(self) -> NDArray[np.bool_]:
        return self.reason < 0


def clean(
    rows: pa.Table,
    source: Source,
    city: City,
    *,
    ground: Ground,
    file: str,
    last_moment: dt.datetime,
) -> Cleaned:
    """
    Clean the landed rows of one chunk.

    Parameters
    ----------
    rows
        As `data.intake` landed them.
    file
        Name of the file or push; part of the identity of rows without an id.
    last_moment
        Later times are refused.
    """
    raw = rows.to_pandas(types_mapper=_text_types, strings_to_categorical=False)
    verdict = _Verdict(len(raw))
    _refuse_marked(raw, verdict)
    parts = [
        raw[["row"]],
        _identity(raw, source, verdict, file),
        _times(raw, source, city, verdict, ground=ground, last_moment=last_moment),
        _labels(raw, source, city, verdict),
    ]
    optional, values = _optional_codes(raw, source)
    points, fault = _points(raw, source, verdict, ground)
    published = [name for name in raw.columns if name.startswith("published_")]
    incidents = pd.concat([*parts, optional, points, raw[published]], axis=1)
    good = verdict.good
    return Cleaned(
        incidents=incidents if good.all() else incidents[good].reset_index(drop=True),
        quarantine=_quarantine(raw, verdict),
        points_dropped={
            reason: int((fault[good] == kind).sum())
            for kind, reason in _POINT_REASONS.items()
            if (fault[good] == kind).any()
        },
        unmapped=_unmapped(optional, values, good),
    )


def _text_types(kind: pa.DataType) -> Any:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return pd.ArrowDtype(pa.string()) if is_text else None


def _refuse_marked(raw: pd.DataFrame, verdict: _Verdict) -> None:
    """Refuse rows from which the intake removed a personal number or a long text."""
    marks = {personal.REMOVED: "person_data", personal.TOO_LONG: "free_text"}
    for column in raw.columns:
        if pd.api.types.is_string_dtype(raw[column]):
            for mark, reason in marks.items():
                found = raw[column] == mark
                verdict.refuse(found.to_numpy(dtype=bool, na_value=False), reason, column)


def _identity(raw: pd.DataFrame, source: Source, verdict: _Verdict, file: str) -> pd.DataFrame:
    own = _text(raw, "incident_id")
    own = own.mask(own == "")
    missing = own.isna().to_numpy(dtype=bool)
    if missing.any():
        if "incident_id" in raw and source.rows_without_id == "refuse":
            verdict.refuse(missing, "missing_id", "incident_id")
        own[missing] = (file + "#" + raw.loc[missing, "row"].astype("str")).to_numpy()
    identity = pd.DataFrame({"incident_id": source.name + ":" + own}, index=raw.index)
    identity["version"] = np.nan
    if "version" in raw:
        number = pd.to_numeric(raw["version"], errors="coerce").astype("float64")
        verdict.refuse(number.isna().to_numpy(), "bad_version", "version")
        identity["version"] = number.to_numpy()
    repeat = _text(raw, "repeat_of")
    identity["repeat_of"] = (source.name + ":" + repeat).mask(repeat.isna() | (repeat == ""))
    return identity


def _times(
    raw: pd.DataFrame,
    source: Source,
    city: City,
    verdict: _Verdict,
    *,
    ground: Ground,
    last_moment: dt.datetime,
) -> pd.DataFrame:
    times: dict[str, Any] = {}
    for column in TIME_COLUMNS:
        if column not in raw:
            times[column] = pd.Series(pd.NaT, raw.index, dtype="datetime64[us, UTC]")
            continue
        times[column] = parse_times(raw[column], source)
        given = raw[column].notna().to_numpy(dtype=bool)
        verdict.refuse(times[column].isna().to_numpy() & given, "bad_time", column)
    happened = times["occurred_at"]
    missing = raw["occurred_at"].isna().to_numpy(dtype=bool)
    verdict.refuse(missing, "missing_time", "occurred_at")
    limit = pd.Timestamp(last_moment + FUTURE_SLACK)
    verdict.refuse((happened > limit).to_numpy(), "future_time", "occurred_at")
    local = happened.dt.tz_convert(city.time_zone).dt.tz_localize(None)
    days = local.to_numpy().astype("datetime64[D]")
    times["occurred_on"] = days.astype("datetime64[s]")
    times["period_start"] = period_starts(days, grain=city.grain).astype("datetime64[s]")
    if ground.first_day is not None:
        early = days < np.datetime64(ground.first_day, "D")
        verdict.refuse(early, "before_boundaries", "occurred_at")
    return pd.DataFrame(times, index=raw.index)


def _labels(raw: pd.DataFrame, source: Source, city: City, verdict: _Verdict) -> pd.DataFrame:
    positions = {category.code: index for index, category in enumerate(city.categories)}
    meaning = codebooks.category_meaning(source, city.categories)
    given = raw["category"]
    numbers = {theirs: positions[ours] for theirs, ours in meaning.items()}
    category = _look_up(given, numbers)
    empty = given.isna().to_numpy(dtype=bool)
    verdict.refuse(empty, "missing_category", "category")
    verdict.refuse(category < 0, "unknown_category", "category")
    severity = np.full(len(raw), UNKNOWN_SEVERITY, dtype=np.int8)
    if "severity" in raw:
        levels = dict(source.severity_codes) or {str(level): level for level in SEVERITIES}
        found = _look_up(raw["severity"], levels)
        unknown = (found < 0) & raw["severity"].notna().to_numpy(dtype=bool)
        verdict.refuse(unknown, "unknown_severity", "severity")
        severity = np.where(found < 0, UNKNOWN_SEVERITY, found).astype(np.int8)
    return pd.DataFrame(
        {"category_index": category.astype(np.int16), "severity": severity}, index=raw.index
    )


def _optional_codes(raw: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Positions of the optional codes, -1 = none; and the values that no table knows."""
    found, unknown = {}, {}
    for column, codes in _OPTIONAL_CODES:
        if column not in raw:
            own = source.point_precision if column == "precision" else None
            found[column] = np.full(len(raw), -1 if own is None else PRECISIONS.index(own), np.int8)
            continue
        own_codes: Mapping[str, Any] = getattr(source, f"{column}_codes")
        meaning = own_codes or {str(code): code for code in codes}
        # "" says that the value is known and stands for no code yet.
        numbers = {
            theirs: codes.index(ours) if ours else len(codes) for theirs, ours in meaning.items()
        }
        position = _look_up(raw[column], numbers)
        unread = (position < 0) & raw[column].notna().to_numpy(dtype=bool)
        unknown[column] = raw[column].where(unread)
        found[column] = np.where(position == len(codes), -1, position).astype(np.int8)
    return pd.DataFrame(found, index=raw.index), unknown


def _unmapped(
    optional: pd.DataFrame, values: dict[str, pd.Series], good: NDArray[np.bool_]
) -> dict[str, dict[str, int]]:
    counted = {}
    for column in optional.columns.intersection(list(values)):
        counts = values[column][good].dropna().astype("str").value_counts()
        if len(counts):
            # What stands only a few times may be free text, which is not stored.
            codes = counts[counts >= COMMON].head(LISTED)
            listed = {str(value): int(n) for value, n in codes.items()}
            rest = int(counts.sum()) - sum(listed.values())
            counted[str(column)] = listed | ({OTHERS: rest} if rest else {})
    return counted


def _look_up(values: pd.Series, meaning: Mapping[str, int]) -> NDArray[np.int64]:
    """Number that each value stands for, -1 where it is empty or unknown."""
    position, distinct = pd.factorize(values)
    known = [meaning.get(written(value), -1) for value in distinct]
    return np.asarray(np.array([*known, -1], dtype=np.int64)[position])


def written(value: Any) -> str:
    """How a value would stand in a text file: a whole number in a float column has no point."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip()


def _points(
    raw: pd.DataFrame, source: Source, verdict: _Verdict, ground: Ground
) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Points and area codes; also which fault each dropped point had."""
    codes = _text(raw, "area_code")
    if source.numeric_codes:
        codes = plain_numbers(codes)
    known = _known(codes, ground.codes)
    if "lng" not in raw:
        empty = pd.Series(np.nan, raw.index)
        raw = raw.assign(lng=empty, lat=empty)
    lng, lat, fault = check_row_points(
        raw["lng"], raw["lat"], frame=source.frame, limits=ground.limits
    )
    for kind, reason in _POINT_REASONS.items():
        verdict.refuse((fault == kind) & ~known, reason, "lng,lat")
    given = codes.notna().to_numpy(dtype=bool)
    lost = (fault == PointFault.NONE_GIVEN) & given & ~known
    verdict.refuse(lost, "unknown_area_code", "area_code")
    return pd.DataFrame({"lng": lng, "lat": lat, "area_code": codes}, index=raw.index), fault


def _known(codes: pd.Series, register: frozenset[str]) -> NDArray[np.bool_]:
    position, distinct = pd.factorize(codes)
    return np.asarray(np.array([*(code in register for code in distinct), False])[position])


def _text(raw: pd.DataFrame, column: str) -> pd.Series:
    if column not in raw:
        return pd.Series(pd.NA, raw.index, dtype=_TEXT)
    return as_texts(raw[column])


def as_texts(values: pd.Series) -> pd.Series:
    """Values as they would stand in a text file, without blanks around them."""
    if values.dtype.kind == "f":
        position, distinct = pd.factorize(values)
        texts = pd.array([*map(written, distinct), None], dtype=_TEXT)
        return pd.Series(texts.take(position), values.index)
    return values.astype(_TEXT).str.strip()


def _quarantine(raw: pd.DataFrame, verdict: _Verdict) -> pd.DataFrame:
    refused = np.flatnonzero(~verdict.good)
    fields, rows = verdict.field[refused], raw.iloc[refused]
    reasons = np.array(REASONS, dtype=object)[verdict.reason[refused]]
    values = [
        _shown(row, field) for row, field in zip(rows.to_dict("records"), fields, strict=True)
    ]
    return pd.DataFrame(
        {
            "row": rows["row"].to_numpy(dtype=np.int64),
            "reason": reasons,
            "field": fields,
            "value": np.array(values, dtype=object),
        }
    )


def _shown(row: dict[Any, Any], field: str) -> str | None:
    values = [row.get(name) for name in field.split(",")]
    if all(pd.isna(value) for value in values):
        return None
    return personal.scrub(",".join("" if pd.isna(value) else str(value) for value in values))
