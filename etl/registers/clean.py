"""
Rows of a register in our types, and every refused row with its reason.

A row has one reason, the first that applies in the order of `REASONS`. The value of a refused row
is not kept: a register is at hand, and its row number is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from data import personal
from data.resources.kinds import facility_kinds, resource_kinds
from data.resources.registers import FACILITIES, STATUSES
from etl.boundaries import plain_numbers
from etl.clean import as_texts, written
from etl.points import PointFault, check_row_points
from etl.registers.read import MALFORMED
from etl.times import parse_times

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from data.resources.registers import Register
    from etl.clean import Ground

REASONS: Final = (
    "malformed_row", "person_data", "free_text", "missing_id", "bad_id", "missing_kind",
    "unknown_kind", "unknown_status", "bad_cycle", "missing_day", "bad_day", "future_day",
    "missing_visits", "bad_visits", "bad_coordinates", "zero_coordinates", "swapped_coordinates",
    "outside_city", "missing_place", "unknown_area_code",
)  # fmt: skip
"""Why a row is quarantined, in the order in which the reasons are tested."""

MOST_DAYS: Final = 3_660
"""Longest cycle: ten years."""

MOST_VISITS: Final = 100_000
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/-]{0,39}")
"""No words: a label may hold the name of whoever is in charge."""

_POINT_REASONS: Final = {
    PointFault.BAD: "bad_coordinates",
    PointFault.ZERO: "zero_coordinates",
    PointFault.SWAPPED: "swapped_coordinates",
    PointFault.OUTSIDE: "outside_city",
}


@dataclass(frozen=True)
class Cleaned:
    """
    Outcome for one file.

    Attributes
    ----------
    rows
        Good rows: `row` and, by what the register holds, `id`, `kind`, `is_removed`, `cycle_days`,
        `last_inspected`, `lng`, `lat`, `area_code`, or `area_code`, `day`, `visits`.
    refused
        `row`, `reason`, `field` of the others.
    """

    rows: pd.DataFrame
    refused: pd.DataFrame


class _Verdict:
    """The first reason found for each row."""

    def __init__(self, n_rows: int) -> None:
        self.reason = np.full(n_rows, -1, dtype=np.int8)
        self.field = np.full(n_rows, "", dtype=object)

    def refuse(self, rows: NDArray[np.bool_], reason: str, field: str) -> None:
        first = rows & (self.reason < 0)
        self.reason[first] = REASONS.index(reason)
        self.field[first] = field


def clean_facilities(
    raw: pd.DataFrame, register: Register, *, ground: Ground, last_day: dt.date
) -> Cleaned:
    """
    Clean rows of facilities or of posts and units.

    Parameters
    ----------
    raw
        As `etl.registers.read.read_file` gives them.
    last_day
        A later inspection is refused.
    """
    verdict = _marked(raw)
    kinds = facility_kinds() if register.holds == FACILITIES else resource_kinds()
    found = {"row": raw["row"], "id": _ids(raw, verdict)}
    found["kind"] = _kind(raw, register.kind_codes, tuple(kinds), verdict)
    found["is_removed"] = _status(raw, register.status_codes, verdict)
    if register.holds == FACILITIES:
        found["cycle_days"] = _cycles(raw, register, found["kind"], verdict)
        found["last_inspected"] = _days(
            raw, "occurred_at", register, verdict, last_day=last_day, is_needed=False
        )
    found |= _places(raw, register, verdict, ground)
    return _parted(found, raw, verdict)


def clean_patrols(
    raw: pd.DataFrame, register: Register, *, codes: frozenset[str], last_day: dt.date
) -> Cleaned:
    """
    Clean rows of visits by area and week.

    Parameters
    ----------
    codes
        Of the lowest level: visits are told of nothing larger.
    """
    verdict = _marked(raw)
    day = _days(raw, "occurred_at", register, verdict, last_day=last_day, is_needed=True)
    visits = _whole(raw, "visits", MOST_VISITS)
    is_empty = _text(raw, "visits").isna().to_numpy(dtype=bool)
    verdict.refuse(is_empty, "missing_visits", "visits")
    verdict.refuse(np.isnan(visits), "bad_visits", "visits")
    code = _codes(raw, register)
    verdict.refuse(code.isna().to_numpy(dtype=bool), "missing_place", "area_code")
    verdict.refuse(~code.isin(codes).to_numpy(dtype=bool), "unknown_area_code", "area_code")
    found = {"row": raw["row"], "area_code": code, "day": day, "visits": visits}
    return _parted(found, raw, verdict)


def _marked(raw: pd.DataFrame) -> _Verdict:
    """Refuse rows that could not be read, or from which something personal was removed."""
    verdict = _Verdict(len(raw))
    verdict.refuse(raw[MALFORMED].to_numpy(dtype=bool), "malformed_row", "")
    for mark, reason in ((personal.REMOVED, "person_data"), (personal.TOO_LONG, "free_text")):
        for column in raw.columns.drop(["row", MALFORMED]):
            is_mark = (raw[column].astype("object") == mark).to_numpy(dtype=bool, na_value=False)
            verdict.refuse(is_mark, reason, str(column))
    return verdict


def _ids(raw: pd.DataFrame, verdict: _Verdict) -> pd.Series:
    own = _text(raw, "incident_id")
    verdict.refuse(own.isna().to_numpy(dtype=bool), "missing_id", "id")
    is_plain = own.map(lambda text: _ID.fullmatch(text) is not None, na_action="ignore")
    verdict.refuse((is_plain == False).to_numpy(dtype=bool, na_value=False), "bad_id", "id")  # noqa: E712
    return own


def _kind(
    raw: pd.DataFrame, theirs: Mapping[str, str], known: tuple[str, ...], verdict: _Verdict
) -> pd.Series:
    given = _text(raw, "category")
    meaning = dict(theirs) or {code: code for code in known}
    verdict.refuse(given.isna().to_numpy(dtype=bool), "missing_kind", "kind")
    kind = given.map(meaning)
    verdict.refuse(kind.isna().to_numpy(dtype=bool), "unknown_kind", "kind")
    return kind


def _status(raw: pd.DataFrame, theirs: Mapping[str, str], verdict: _Verdict) -> NDArray[np.bool_]:
    given = _text(raw, "status")
    meaning = dict(theirs) or {code: code for code in STATUSES}
    status = given.map(meaning)
    unknown = given.notna() & status.isna()
    verdict.refuse(unknown.to_numpy(dtype=bool), "unknown_status", "status")
    return np.asarray((status == STATUSES[1]).to_numpy(dtype=bool, na_value=False))


def _cycles(
    raw: pd.DataFrame, register: Register, kind: pd.Series, verdict: _Verdict
) -> NDArray[np.float64]:
    """Days of the row, else of its kind in the register, else of the shipped table; NaN = none."""
    own = _whole(raw, "cycle_days", MOST_DAYS)
    given = _text(raw, "cycle_days").notna().to_numpy(dtype=bool)
    verdict.refuse(given & (np.isnan(own) | (own < 1)), "bad_cycle", "cycle_days")
    usual = {code: one.cycle_days for code, one in facility_kinds().items() if one.cycle_days}
    by_kind = pd.to_numeric(kind.map(usual | dict(register.cycle_days)))
    return np.where(np.isnan(own), by_kind.to_numpy(dtype=np.float64, na_value=np.nan), own)


def _days(
    raw: pd.DataFrame,
    column: str,
    register: Register,
    verdict: _Verdict,
    *,
    last_day: dt.date,
    is_needed: bool,
) -> pd.Series:
    """Days in the register's zone; null where none is told."""
    field = "week" if is_needed else "last_inspected"
    values = raw[column].convert_dtypes() if raw[column].dtype == object else raw[column]
    if isinstance(values.dtype, pd.StringDtype | pd.ArrowDtype):
        values = _text(raw, column)
    given = values.notna().to_numpy(dtype=bool)
    moments = parse_times(values, register.source)
    if is_needed:
        verdict.refuse(~given, "missing_day", field)
    verdict.refuse(given & moments.isna().to_numpy(dtype=bool), "bad_day", field)
    local = moments.dt.tz_convert(register.source.time_zone).dt.tz_localize(None).dt.normalize()
    verdict.refuse((local > pd.Timestamp(last_day)).to_numpy(dtype=bool), "future_day", field)
    return local


def _places(
    raw: pd.DataFrame, register: Register, verdict: _Verdict, ground: Ground
) -> dict[str, Any]:
    """Points and codes; a wrong point of a row with a known code is dropped, not refused."""
    code = _codes(raw, register)
    known = code.isin(ground.codes).to_numpy(dtype=bool)
    nothing = pd.Series(np.nan, raw.index)
    lng, lat, fault = check_row_points(
        raw.get("lng", nothing),
        raw.get("lat", nothing),
        frame=register.source.frame,
        limits=ground.limits,
    )
    for kind, reason in _POINT_REASONS.items():
        verdict.refuse((fault == kind) & ~known, reason, "lng,lat")
    without = fault == PointFault.NONE_GIVEN
    given = code.notna().to_numpy(dtype=bool)
    verdict.refuse(without & ~given, "missing_place", "lng,lat")
    verdict.refuse(without & ~known, "unknown_area_code", "area_code")
    return {"lng": lng, "lat": lat, "area_code": code}


def _codes(raw: pd.DataFrame, register: Register) -> pd.Series:
    code = _text(raw, "area_code")
    return plain_numbers(code) if register.source.numeric_codes else code


def _whole(raw: pd.DataFrame, column: str, most: int) -> NDArray[np.float64]:
    """Whole numbers from 0; NaN for anything else."""
    number = pd.to_numeric(_text(raw, column), errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    usable = (number >= 0) & (number <= most) & (number == np.floor(number))
    return np.where(usable, number, np.nan)


def _text(raw: pd.DataFrame, column: str) -> pd.Series:
    """Values as text, an empty one null."""
    if column not in raw:
        return pd.Series(pd.NA, raw.index, dtype="object")
    values = raw[column]
    if values.dtype == object:
        texts = values.map(written, na_action="ignore").astype(object)
    else:
        texts = as_texts(values).astype(object)
    return texts.where(texts.notna() & (texts != ""), None)


def _parted(found: Mapping[str, Any], raw: pd.DataFrame, verdict: _Verdict) -> Cleaned:
    good = verdict.reason < 0
    rows = pd.DataFrame(dict(found), index=raw.index)[good].reset_index(drop=True)
    refused = pd.DataFrame(
        {
            "row": raw["row"].to_numpy()[~good],
            "reason": np.array([*REASONS, ""], dtype=object)[verdict.reason[~good]],
            "field": verdict.field[~good],
        }
    )
    return Cleaned(rows, refused)
