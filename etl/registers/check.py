"""Verification of facilities, posts and patrol counts: accounts, days, and sums of every level."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data.resources.state import due_state
from etl.registers.step import ENTRY
from etl.registers.tables import facilities_due

if TYPE_CHECKING:
    from data.store import Snapshot

_PLACE: Final = ["register", "file"]
_DUE_KEY: Final = ["level", "area_index", "kind"]
_NONE: Final = -1


class RegistersFault(ValueError):  # noqa: N818 - it is an outcome of a check, not a fault of the program
    """Stored tables of registers do not hold what they promise; the message says which."""


def check_registers(snapshot: Snapshot) -> str:
    """
    Check the accounts, what is due on the stored day, and that all levels add up.

    Raises
    ------
    RegistersFault
        Something of it does not hold.
    """
    entry = snapshot.manifest.raw.get(ENTRY, {})
    if "register_accounts" not in snapshot.tables():
        return "no registers"
    rows = _check_account(snapshot, entry["rows"])
    day = dt.date.fromisoformat(entry["as_of"])
    details = [f"{rows:,} rows"]
    if "facilities" in snapshot.tables():
        details.append(_check_due(snapshot, day))
    if "patrol_coverage" in snapshot.tables():
        details.append(_check_patrols(snapshot))
    return "; ".join(details)


def _check_account(snapshot: Snapshot, stated: dict[str, int]) -> int:
    accounts = snapshot.read("register_accounts")
    parts = accounts[["accepted", "quarantined", "duplicate"]]
    wrong = accounts[accounts["read"] != parts.sum(axis=1)]
    _none(wrong, "files of registers do not add up")
    _none(accounts[(parts < 0).any(axis=1)], "files of registers have less than nothing")
    for name in ("read", *parts):
        _equal(int(accounts[name].sum()), stated[name], f"registers: total of {name}")
    _equal(stated["current"] + stated["replaced"], stated["accepted"], "registers: current rows")
    listed = snapshot.read("register_quarantine").groupby(_PLACE).size()
    told = accounts.set_index(_PLACE)["quarantined"]
    found = listed.reindex(told.index, fill_value=0)
    _none(told[told != found].reset_index(), "files have another number of refused rows")
    return stated["read"]


def _check_due(snapshot: Snapshot, day: dt.date) -> str:
    stored = snapshot.read("facilities")
    days = {name: pd.to_datetime(stored[name]) for name in ("last_inspected", "due_on")}
    cycle = pd.to_timedelta(stored["cycle_days"].astype("float64"), unit="D")
    again = days["last_inspected"] + cycle
    differs = ~((again == days["due_on"]) | (again.isna() & days["due_on"].isna()))
    _none(stored[differs], "facilities are due on another day")
    state, overdue = due_state(stored["due_on"], day)
    own = stored["overdue_days"].astype("float64").to_numpy()
    same = np.isclose(own, overdue.astype("float64"), rtol=0, atol=0, equal_nan=True)
    _none(stored[(stored["state"] != state).to_numpy() | ~same], "facilities have another state")
    counted = facilities_due(stored, snapshot.areas, day)
    told = snapshot.read("facilities_due")
    numbers = ["total", "overdue", "due_7d", "ok", "unknown"]
    joined = counted.merge(told, on=_DUE_KEY, how="outer", suffixes=("", "_told")).fillna(_NONE)
    for name in (*numbers, "oldest_overdue_days"):
        _none(joined[joined[name] != joined[f"{name}_told"]], f"`{name}` of facilities_due differs")
    _none(told[told[numbers[0]] != told[numbers[1:]].sum(axis=1)], "rows do not add up")
    for level, total in told.groupby("level")["total"].sum().items():
        _equal(int(total), len(stored), f"facilities of level {level}")
    return f"{len(stored):,} facilities on every level"


def _check_patrols(snapshot: Snapshot) -> str:
    coverage = snapshot.read("patrol_coverage")
    levels = [one["level"] for one in snapshot.manifest.levels]
    _none(coverage[coverage["told"] > coverage["areas"]], "areas tell of more than they have")
    for upper, lower in pairwise(levels):
        areas = snapshot.areas[snapshot.areas["level"] == lower].sort_values("area_index")
        parents = np.append(areas["parent_index"].to_numpy(), _NONE)
        below = coverage[coverage["level"] == lower]
        raised = below.assign(area_index=parents[below["area_index"].to_numpy()])
        key, numbers = ["week_start", "area_index"], ["visits", "told"]
        sums = raised.groupby(key)[numbers].sum()
        own = coverage[coverage["level"] == upper].set_index(key)[numbers]
        joined = sums.join(own.add_suffix("_told"), how="outer").fillna(_NONE)
        for name in numbers:
            differs = joined[joined[name] != joined[f"{name}_told"]].reset_index()
            _none(differs, f"{name} of {lower} and {upper} differ")
    return f"{int(coverage.loc[coverage['level'] == levels[0], 'visits'].sum()):,} visits"


def _equal(found: int, stated: int, what: str) -> None:
    if found != stated:
        raise RegistersFault(f"{what}: {found:,} found, {stated:,} stated")


def _none(wrong: pd.DataFrame, what: str) -> None:
    if len(wrong):
        raise RegistersFault(f"{len(wrong):,} {what}: rows {wrong.index[:5].tolist()}")
