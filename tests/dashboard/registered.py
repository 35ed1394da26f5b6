"""Facilities, posts and patrol counts of the city of squares."""

import datetime as dt

import numpy as np
import pandas as pd

from data.resources.kinds import facility_kinds, resource_kinds
from data.resources.state import due_state
from etl.registers.tables import facilities_due

AS_OF = dt.date(2026, 11, 15)
ENTRY = {
    "inputs": "0" * 16, "as_of": AS_OF.isoformat(), "failed": {},
    "registers": [{"name": "points", "holds": "facilities", "title_zh": "点", "title_en": "Points"}],
    "rows": {"read": 400, "accepted": 400, "quarantined": 0, "duplicate": 0, "current": 400, "replaced": 0},
}  # fmt: skip
WITHOUT_POINT = 7
"""Every seventh facility is known by its area alone."""


def make_facilities(areas, n=400):
    """Facilities in the grids, of every kind and state; two in three grids have some."""
    rng = np.random.default_rng(8)
    grids = np.flatnonzero((areas["level"] == "grid").to_numpy())
    row = rng.choice(grids[grids % 3 != 0], n)
    last = pd.Series(np.datetime64(AS_OF) - rng.integers(1, 120, n), dtype="datetime64[s]")
    last = last.mask(pd.Series(rng.random(n) < 0.1))
    cycle = rng.choice([7, 30, 90], n)
    due = last + pd.to_timedelta(cycle, unit="D")
    state, late = due_state(due, AS_OF)
    at = areas.iloc[row]
    has_point = np.arange(n) % WITHOUT_POINT != 0
    return pd.DataFrame(
        {
            "facility_id": [f"points:F{number:04d}" for number in range(n)],
            "register": "points",
            "kind": rng.choice(list(facility_kinds()), n),
            "area_row": row,
            "cell": pd.array(np.where(has_point, row, -1), dtype="Int64"),
            "lng": np.where(has_point, at["lng"] + rng.uniform(-0.001, 0.001, n), np.nan),
            "lat": np.where(has_point, at["lat"] + rng.uniform(-0.001, 0.001, n), np.nan),
            "cycle_days": pd.array(cycle, dtype="Int64"),
            "last_inspected": last.dt.date,
            "due_on": due.dt.date,
            "state": state,
            "overdue_days": pd.array(late, dtype="Int64"),
        }
    )


def make_posts(areas, n=30):
    rng = np.random.default_rng(9)
    row = rng.choice(np.flatnonzero((areas["level"] == "grid").to_numpy()), n)
    at = areas.iloc[row]
    return pd.DataFrame(
        {
            "resource_id": [f"posts:P{number:03d}" for number in range(n)],
            "register": "posts",
            "kind": rng.choice(list(resource_kinds()), n),
            "area_row": row,
            "cell": pd.array(row, dtype="Int64"),
            "lng": at["lng"].to_numpy(),
            "lat": at["lat"].to_numpy(),
        }
    )


def make_coverage(areas, weeks=13):
    """Visits of the newest weeks; every fifth grid is told by nobody."""
    rng = np.random.default_rng(10)
    grids = areas[areas["level"] == "grid"]
    monday = AS_OF - dt.timedelta(days=AS_OF.weekday())
    parts = [
        pd.DataFrame(
            {
                "week_start": monday - dt.timedelta(weeks=back),
                "area_index": grids["area_index"],
                "visits": rng.poisson(1 + grids["area_index"] % 20),
                "told": 1,
                "areas": 1,
            }
        )
        for back in range(weeks)
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows.loc[rows["area_index"] % 5 == 0, ["visits", "told"]] = 0
    tables, levels = [], list(dict.fromkeys(areas["level"]))
    for level in reversed(levels):
        tables.append(rows[rows["told"] > 0].assign(level=level))
        parents = areas.loc[areas["level"] == level, "parent_index"].to_numpy()
        rows = rows.assign(area_index=parents[rows["area_index"]])
        rows = rows.groupby(["week_start", "area_index"], as_index=False).sum()
    return pd.concat(tables, ignore_index=True)


def add_registers(writer, areas):
    stored = make_facilities(areas)
    writer.add_table("facilities", stored)
    writer.add_table("facilities_due", facilities_due(stored, areas, AS_OF))
    writer.add_table("resources", make_posts(areas))
    writer.add_table("patrol_coverage", make_coverage(areas))
