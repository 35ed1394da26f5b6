"""
Cleaning: raw rows → incidents in our types, and every refused row with its reason.

For each file, rows read = accepted + quarantined + duplicate. A refused row has one reason, the
first that applies in the order of `REASONS`. A wrong point alone refuses a row only where the row
has no known area code to be placed by; a point just outside the city (`etl.boundaries.NEAR_KM`)
is kept and shown as not placed.

Identity is source and incident id; where a source may leave ids empty, such a row is itself. Of
several good rows with one identity the latest by its own times wins, ties by content, so the
order of rows and files never matters; the others are duplicates.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from data.city import TIME_COLUMNS
from data.periods import period_starts
from data.schema import UNKNOWN_SEVERITY
from etl import personal
from etl.boundaries import plain_numbers
from etl.points import PointFault, check_row_points
from etl.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    import shapely
    from numpy.typing import NDArray

    from data.city import City, Source
    from etl.sources import RawRows

REASONS: Final = (
    "malformed_row", "person_data", "missing_id", "missing_time", "bad_time", "future_time",
    "before_boundaries", "missing_category", "unknown_category", "unknown_severity",
    "bad_coordinates", "zero_coordinates", "swapped_coordinates", "outside_city",
    "unknown_area_code",
)  # fmt: skip
"""Why a row is refused, in the order in which the reasons are tested."""

FUTURE_SLACK: Final = dt.timedelta(minutes=10)
"""Clocks of two systems may differ by this much before a time counts as future."""

_TEXT_COLUMNS: Final = ("incident_id", "category", "severity", "outcome", "area_code")
_POINT_REASONS: Final = {
    PointFault.BAD: "bad_coordinates",
    PointFault.ZERO: "zero_coordinates",
    PointFault.SWAPPED: "swapped_coordinates",
    PointFault.OUTSIDE: "outside_city",
}
# Newest record last; the rest only makes the choice between equal times independent of order.
_WINNER_ORDER: Final = [
    "reported_at", "resolved_at", "occurred_at", "deadline_at", "category_index", "severity",
    "lng", "lat", "outcome", "area_code",
]  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """What cleaning must know of the areas: limits of the city, all codes, the first day."""

    limits: shapely.Geometry
    codes: frozenset[str]
    first_day: dt.date | None


@dataclass(frozen=True)
class Cleaned:
    """
    Outcome for one source.

    Attributes
    ----------
    incidents
        One row per accepted incident: `incident_id`, times in UTC, `occurred_on` and
        `period_start` in city time, `category_index`, `severity` (0 = unknown), `outcome`,
        `lng`, `lat` in WGS 84, `area_code`, `published_<level>`.
    quarantine
        The `quarantine` table's rows of this source.
    accounts
        The `accounts` table's rows of this source.
    points_dropped
        Accepted rows placed by their code because their point was wrong, by reason.
    """

    incidents: pd.DataFrame
    quarantine: pd.DataFrame
    accounts: pd.DataFrame
    points_dropped: dict[str, int]


class _Verdict:
    """The first reason found for each row."""

    def __init__(self, n_rows: int) -> None:
        self.reason = np.full(n_rows, -1, dtype=np.int8)
        self.field = np.full(n_rows, "", dtype=object)

    def refuse(self, rows: NDArray[np.bool_], reason: str, field: str) -> None:
        first = rows & (self.reason < 0)
        self.reason[first] = REASONS.index(reason)
        self.field[first] = field

    @property
    def good(self) -> NDArray[np.bool_]:
        return self.reason < 0


def clean(
    files: Sequence[RawRows], source: Source, city: City, *, ground: Ground, now: dt.datetime
) -> Cleaned:
    """
    Clean all files of one source.

    Parameters
    ----------
    files
        Every file of the source; duplicates are found across them.
    now
        The clock, with a time zone; later times are refused.
    """
    raw = pd.concat([file.rows.assign(file=file.file) for file in files], ignore_index=True)
    verdict = _Verdict(len(raw))
    _refuse_personal(raw, verdict)
    identity = _identity(raw, source, verdict)
    times = _times(raw, source, city, verdict, ground=ground, now=now)
    labels = _labels(raw, source, city, verdict)
    points, dropped = _points(raw, source, verdict, ground)
    incidents = pd.concat([identity, times, labels, points], axis=1)
    for column in raw.columns:
        if column.startswith("published_"):
            incidents[column] = raw[column]
    good = verdict.good
    kept = _newest(incidents[good])
    survivors = np.zeros(len(raw), dtype=bool)
    survivors[kept] = True
    return Cleaned(
        incidents=incidents.loc[survivors].reset_index(drop=True),
        quarantine=_quarantine(files, raw, verdict, source),
        accounts=_accounts(files, raw, good, survivors, source),
        points_dropped={
            reason: int((dropped[survivors] == fault).sum())
            for fault, reason in _POINT_REASONS.items()
            if (dropped[survivors] == fault).any()
        },
    )


def _refuse_personal(raw: pd.DataFrame, verdict: _Verdict) -> None:
    for column in (*_TEXT_COLUMNS, *TIME_COLUMNS):
        if column in raw and pd.api.types.is_string_dtype(raw[column]):
            found = personal.names_a_person(raw[column], is_number=column == "incident_id")
            verdict.refuse(found, "person_data", column)


def _times(
    raw: pd.DataFrame,
    source: Source,
    city: City,
    verdict: _Verdict,
    *,
    ground: Ground,
    now: dt.datetime,
) -> pd.DataFrame:
    times = pd.DataFrame(index=raw.index)
    for column in TIME_COLUMNS:
        if column not in raw:
            times[column] = pd.Series(pd.NaT, raw.index, dtype="datetime64[us, UTC]")
            continue
        times[column] = parse_times(raw[column], source)
        unread = (times[column].isna() & raw[column].notna()).to_numpy()
        verdict.refuse(unread, "bad_time", column)
    happened = times["occurred_at"]
    verdict.refuse(raw["occurred_at"].isna().to_numpy(), "missing_time", "occurred_at")
    limit = pd.Timestamp(now + FUTURE_SLACK)
    verdict.refuse((happened > limit).to_numpy(), "future_time", "occurred_at")
    local = happened.dt.tz_convert(city.time_zone).dt.tz_localize(None)
    days = local.to_numpy().astype("datetime64[D]")
    times["occurred_on"] = days.astype("datetime64[s]")
    times["period_start"] = period_starts(days, grain=city.grain).astype("datetime64[s]")
    if ground.first_day is not None:
        early = days < np.datetime64(ground.first_day, "D")
        verdict.refuse(early, "before_boundaries", "occurred_at")
    return times


def _labels(raw: pd.DataFrame, source: Source, city: City, verdict: _Verdict) -> pd.DataFrame:
    positions = {category.code: index for index, category in enumerate(city.categories)}
    meaning = {
        theirs: positions[ours] for theirs, ours in source.category_codes.items()
    } or positions
    given = raw["category"]
    category = _look_up(given, meaning)
    verdict.refuse(given.isna().to_numpy(), "missing_category", "category")
    verdict.refuse(category < 0, "unknown_category", "category")
    labels = pd.DataFrame({"category_index": category.astype(np.int16)}, index=raw.index)
    labels["severity"] = np.int8(UNKNOWN_SEVERITY)
    if "severity" in raw:
        levels = dict(source.severity_codes) or {str(level): level for level in range(1, 5)}
        severity = _look_up(raw["severity"], levels)
        unknown = (severity < 0) & raw["severity"].notna().to_numpy()
        verdict.refuse(unknown, "unknown_severity", "severity")
        labels["severity"] = np.where(severity < 0, UNKNOWN_SEVERITY, severity).astype(np.int8)
    labels["outcome"] = _text(raw, "outcome")
    return labels


def _look_up(values: pd.Series, meaning: dict[str, int]) -> NDArray[np.int64]:
    """Number that each value stands for, -1 where it is empty or unknown."""
    position, distinct = pd.factorize(values)
    known = [meaning.get(_written(value), -1) for value in distinct]
    return np.asarray(np.array([*known, -1], dtype=np.int64)[position])


def _written(value: Any) -> str:
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
    known = codes.isin(ground.codes).to_numpy()
    if "lng" not in raw:
        empty = pd.Series(np.nan, raw.index)
        raw = raw.assign(lng=empty, lat=empty)
    lng, lat, fault = check_row_points(
        raw["lng"], raw["lat"], frame=source.frame, limits=ground.limits
    )
    for kind, reason in _POINT_REASONS.items():
        verdict.refuse((fault == kind) & ~known, reason, "lng,lat")
    lost = (fault == PointFault.NONE_GIVEN) & codes.notna().to_numpy() & ~known
    verdict.refuse(lost, "unknown_area_code", "area_code")
    points = pd.DataFrame({"lng": lng, "lat": lat, "area_code": codes}, index=raw.index)
    return points, fault


def _text(raw: pd.DataFrame, column: str) -> pd.Series:
    if column not in raw:
        return pd.Series(np.nan, raw.index, dtype="str")
    return raw[column].astype("str").str.strip()


def _identity(raw: pd.DataFrame, source: Source, verdict: _Verdict) -> pd.DataFrame:
    own = _text(raw, "incident_id")
    own = own.mask(own == "")
    missing = own.isna().to_numpy()
    if "incident_id" in raw and source.rows_without_id == "refuse":
        verdict.refuse(missing, "missing_id", "incident_id")
    if missing.any():
        rows = raw.loc[missing]
        own[missing] = rows["file"].astype("str") + "#" + rows["row"].astype("str")
    return pd.DataFrame({"incident_id": source.name + ":" + own}, index=raw.index)


def _newest(incidents: pd.DataFrame) -> NDArray[np.int64]:
    """Index labels of the rows that win their identity."""
    repeated = incidents["incident_id"].duplicated(keep=False).to_numpy()
    rivals = incidents[repeated].sort_values(_WINNER_ORDER, na_position="first", kind="stable")
    winners = rivals.drop_duplicates("incident_id", keep="last").index.to_numpy()
    alone = incidents.index.to_numpy()[~repeated]
    return np.sort(np.concatenate([alone, winners])).astype(np.int64)


def _quarantine(
    files: Sequence[RawRows], raw: pd.DataFrame, verdict: _Verdict, source: Source
) -> pd.DataFrame:
    refused = np.flatnonzero(~verdict.good)
    fields, rows = verdict.field[refused], raw.iloc[refused]
    reasons = np.array(REASONS, dtype=object)[verdict.reason[refused]]
    values = [
        _shown(row, field, reason)
        for row, field, reason in zip(rows.to_dict("records"), fields, reasons, strict=True)
    ]
    tables = [
        pd.DataFrame(
            {
                "source": source.name,
                "file": rows["file"].to_numpy(dtype=object),
                "row": rows["row"].to_numpy(dtype=np.int64),
                "reason": reasons,
                "field": fields,
                "value": np.array(values, dtype=object),
            }
        )
    ]
    tables += [
        pd.DataFrame(
            {
                "source": source.name,
                "file": file.file,
                "row": file.malformed,
                "reason": "malformed_row",
                "field": "row",
                "value": None,
            }
        )
        for file in files
    ]
    filled = [table for table in tables if len(table)] or tables[:1]
    joined = pd.concat(filled, ignore_index=True)
    return joined.sort_values(["file", "row"], ignore_index=True)


def _shown(row: dict[Any, Any], field: str, reason: str) -> str | None:
    if reason == "person_data":
        return personal.REMOVED
    values = [row.get(name) for name in field.split(",")]
    if all(pd.isna(value) for value in values):
        return None
    return personal.scrub(",".join("" if pd.isna(value) else str(value) for value in values))


def _accounts(
    files: Sequence[RawRows],
    raw: pd.DataFrame,
    good: NDArray[np.bool_],
    survivors: NDArray[np.bool_],
    source: Source,
) -> pd.DataFrame:
    names = raw["file"].to_numpy()
    lines = []
    for file in files:
        own = names == file.file
        accepted = int((own & survivors).sum())
        lines.append(
            {
                "source": source.name,
                "file": file.file,
                "read": file.read,
                "accepted": accepted,
                "quarantined": int((own & ~good).sum()) + len(file.malformed),
                "duplicate": int((own & good).sum()) - accepted,
            }
        )
    return pd.DataFrame(lines)
