"""
Faulty rows put in on purpose, each for one reason, so that the cleaning can be checked.

Rows without a point, and without an area code as well, are no fault but part of every ledger.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

REPEATED_SHARE = 0.005
FAULT_SHARE = 0.00095  # of each other reason; about 1.5 % in all

# Numbers that look like those of persons but cannot be: never assigned, wrong check digit.
PHONE_LIKE = "13000000000"
ID_NUMBER_LIKE = "990101190001010000"
PERSON_NAME = "演某某"
PERSON_PHONE = "19900000000"

QUARANTINED = (
    "missing_id",
    "unparseable_date",
    "future_date",
    "before_period",
    "unknown_category",
    "severity_out_of_range",
    "phone_like_text",
    "id_number_like_text",
    "coordinates_zero",
    "coordinates_swapped",
    "coordinates_outside",
)
COORDINATE_FAULTS = ("coordinates_zero", "coordinates_swapped", "coordinates_outside")
REPEATED = "repeated_id"
REFUSED = "refused_class"
REFUSED_CODE = "1402"  # GB/T 31000-2015, 5.56: matters of the procuratorate
MALFORMED = "malformed_row"

FUTURE = pd.Timestamp(2031, 5, 1, 8, 30)
BEFORE = pd.Timestamp(2009, 5, 1, 8, 30)

Columns = dict[str, str]
Formatter = Callable[[pd.Timestamp], object]


def _set(rows: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    return rows.assign(**{column: value})


def _moved(rows: pd.DataFrame, columns: Columns, lng: object, lat: object) -> pd.DataFrame:
    """Rows with other coordinates and no area code, so that nothing else places them."""
    changed = rows.assign(**{columns["lng"]: lng, columns["lat"]: lat})
    if "area_code" in columns:
        changed[columns["area_code"]] = None
    return changed


def _faulty(
    rows: pd.DataFrame, reason: str, columns: Columns, stamp: Formatter, typed: bool
) -> pd.DataFrame:
    """Rows that are wrong for one reason."""
    lng, lat = rows[columns["lng"]], rows[columns["lat"]]
    changes: dict[str, Callable[[], pd.DataFrame]] = {
        "missing_id": lambda: _set(rows, columns["incident_id"], None),
        "unparseable_date": lambda: _set(rows, columns["occurred_at"],
                                         None if typed else "二月三十日"),
        "future_date": lambda: _set(rows, columns["occurred_at"], stamp(FUTURE)),
        "before_period": lambda: _set(rows, columns["occurred_at"], stamp(BEFORE)),
        "unknown_category": lambda: _set(rows, columns["category"], "ZZ99"),
        REFUSED: lambda: _set(rows, columns["category"], REFUSED_CODE),
        "severity_out_of_range": lambda: _set(rows, columns["severity"], "9"),
        "phone_like_text": lambda: _set(rows, columns["outcome"], f"已回电{PHONE_LIKE}"),
        "id_number_like_text": lambda: _set(rows, columns["outcome"], f"已核实{ID_NUMBER_LIKE}"),
        "coordinates_zero": lambda: _moved(rows, columns, 0.0, 0.0),
        "coordinates_swapped": lambda: _moved(rows, columns, lat, lng),
        "coordinates_outside": lambda: _moved(rows, columns, lng - 2.5, lat + 1.5),
    }  # fmt: skip
    return changes[reason]()


def add_dirt(
    rows: pd.DataFrame,
    *,
    columns: Columns,
    prefix: str,
    stamp: Formatter,
    typed: bool,
    rng: np.random.Generator,
    reasons: tuple[str, ...] = QUARANTINED,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """
    Mix faulty rows into a ledger.

    Parameters
    ----------
    rows
        The clean ledger; headings of the source.
    columns
        Heading of each canonical column.
    prefix
        Start of the ids of faulty rows; they differ from all clean ids.
    stamp
        Writes a time in the format of the source.
    typed
        Whether times are stored as times, so that a wrong one can only be empty.
    rng
        Source of chance.
    reasons
        What is to be wrong, besides repeated rows.

    Returns
    -------
    rows, reasons
        The ledger with the faulty rows at random positions, and their number by reason.
    """
    counts = {REPEATED: max(2, round(REPEATED_SHARE * len(rows)))}
    counts |= dict.fromkeys(reasons, max(2, round(FAULT_SHARE * len(rows))))
    parts = [rows]
    serial = 0
    for reason, number in counts.items():
        # A copy without coordinates cannot show a fault of coordinates.
        pool = np.flatnonzero(rows[columns["lng"]].notna())
        copies = rows.iloc[np.sort(rng.choice(pool, size=number, replace=False))]
        if reason != REPEATED:
            ids = [f"{prefix}{serial + row + 1:06d}" for row in range(number)]
            serial += number
            copies = copies.assign(**{columns["incident_id"]: ids})
            copies = _faulty(copies, reason, columns, stamp, typed).astype(rows.dtypes.to_dict())
        parts.append(copies)
    mixed = pd.concat(parts, ignore_index=True)
    position = np.concatenate(
        [np.arange(len(rows)), rng.uniform(0, len(rows), len(mixed) - len(rows))]
    )
    order = np.argsort(position, kind="stable")
    return mixed.iloc[order].reset_index(drop=True), counts
