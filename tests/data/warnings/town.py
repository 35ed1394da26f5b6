"""A town of one county, two townships, three communities, four grids; its posts and warnings."""

import datetime as dt
from itertools import count

import pandas as pd

from data.access import Grant, Scope
from data.warnings import Unit
from data.warnings.tree import AreaTree

NOW = dt.datetime(2026, 11, 18, 2, 0, tzinfo=dt.UTC)
"""A Wednesday, 10:00 in the city."""

AREAS = pd.DataFrame(
    [
        ("city", "1", None),
        ("county", "11", "1"),
        ("township", "T1", "11"),
        ("township", "T2", "11"),
        ("community", "C1", "T1"),
        ("community", "C2", "T1"),
        ("community", "C3", "T2"),
        ("grid", "G1", "C1"),
        ("grid", "G2", "C1"),
        ("grid", "G3", "C2"),
        ("grid", "G4", "C3"),
    ],
    columns=["level", "code", "parent_code"],
)
TREE = AreaTree(AREAS)

CITY = Unit("command", "city", "*")
COUNTY = Unit("command", "county", "11")
TOWNSHIP = Unit("township", "township", "T1")
COMMUNITY = Unit("community", "community", "C1")
CHIEF = Unit("grid_chief", "grid", "G1")


def post(unit, user=None):
    """The scope of whoever sits in a unit."""
    return Scope(user or f"{unit.role}-{unit.code}", frozenset({Grant(*unit)}))


LEADER = Scope("leader", frozenset({Grant("leader")}))
ANALYST = Scope("analyst", frozenset({Grant("analyst")}))
OUTSIDER = post(Unit("grid_chief", "grid", "G4"))


def opened(warnings, name="a", **changed):
    """A warning of grid G1 that the community owns."""
    fields = {
        "fingerprint": f"index|grid|G1|all|{name}",
        "rule": "index_red",
        "level": "grid",
        "code": "G1",
        "group": "all",
        "colour": 3,
        "evidence": {"risk": 61.5, "period": "2026-11-09"},
        "owner": COMMUNITY,
        "snapshot": "s1",
        "now": NOW,
    }
    return warnings.open(**fields | changed)


_presses = count(1)


def key():
    """A key as a browser makes them: another for every press."""
    return f"press-{next(_presses):08d}"


def act(warnings, unit, warning, step, **changed):
    """Take a warning, as it was seen, through a step."""
    fields = {"version": warning.version, "key": key(), "now": NOW}
    scope = post(unit) if isinstance(unit, Unit) else unit
    return warnings.act(scope, warning.id, step=step, **fields | changed)


def closed(warnings, name="a"):
    """A warning that the chief of its grid has closed."""
    one = act(warnings, COMMUNITY, opened(warnings, name), "assign", to_unit=CHIEF)
    one = act(warnings, CHIEF, one, "sign")
    one = act(warnings, CHIEF, one, "start")
    return act(warnings, CHIEF, one, "close", reason="settled")
