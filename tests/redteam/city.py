"""
A city in which every area betrays itself: its name, its code and its counts occur nowhere else.

The squares of the dashboard's tests, with a word of its own in each name, and each incident standing
for so many that the sums of two areas differ. Whoever sees a foreign one was told too much.
"""

import hashlib
import re
from functools import cache

import numpy as np

from data.access import Grant, Scope
from data.periods import Window
from data.writer import SnapshotWriter
from tests.dashboard import squares
from tests.dashboard.analysed import add_analysis, facts
from tests.dashboard.registered import ENTRY as REGISTERS
from tests.dashboard.registered import add_registers
from tests.dashboard.squares import LAST, LEVELS, RESOLUTIONS

OWN = {"county": "9901002", "township": "9902006", "community": "9903022", "grid": "9904086"}
"""One line down: each lies in the one before."""

ROLES = {
    "public": Grant("public"),
    "wall": Grant("wall", "county", OWN["county"]),
    "grid_chief": Grant("grid_chief", "grid", OWN["grid"]),
    "community": Grant("community", "community", OWN["community"]),
    "township": Grant("township", "township", OWN["township"]),
    "command": Grant("command", "county", OWN["county"]),
    "leader": Grant("leader"),
    "analyst": Grant("analyst", "county", "9901003"),
    "system_admin": Grant("system_admin"),
    "security_admin": Grant("security_admin"),
    "audit_admin": Grant("audit_admin"),
}

BLIND = {"public", "system_admin", "security_admin", "audit_admin"}
"""Roles that see no area's exact figures."""

TARGETS = (
    # The line down, with siblings, their children, and a stranger at each level.
    "990100", "9901002", "9902006", "9903022", "9904086",
    "9901001", "9901003", "9901004", "9902005", "9902007", "9902008", "9902001", "9902016",
    "9903021", "9903023", "9903024", "9903001", "9903064", "9904085", "9904087", "9904088",
    "9904081", "9904256", "9904007",
    # Re-cut: the one that ended, the one that took over; and what there is not.
    "9904001", "9904999", "nowhere", "grid.9904086", "grid.9904085", "county.9904085",
    "township.9902007", "990200", "*",
)  # fmt: skip


def scope_of(role):
    return Scope(f"red-{role}", frozenset({ROLES[role]}), session="0badcafe")


def canary(level, index):
    """A word that stands in the name of this area alone."""
    return hashlib.sha256(f"{level}{index}".encode()).hexdigest()[:10]


@cache
def areas():
    found = squares.make_areas()
    marks = [
        canary(level, index)
        for level, index in zip(found["level"], found["area_index"], strict=True)
    ]
    named = found.assign(name=[f"哨{mark}" for mark in marks])
    # So many residents that no rate is a whole number as large as a count.
    return named.assign(
        name_en=[f"canary {mark}" for mark in marks],
        population=found["population"] * 10_000,
        exposure=found["exposure"] * 10_000,
    )


@cache
def weighed():
    """Incidents, each standing for so many that hardly two sums of them are the same."""
    found = squares.make_incidents(areas())
    rng = np.random.default_rng(4)
    return found.assign(weight=rng.integers(100_000, 1_000_000, size=len(found)))


def counted(**columns):
    keys = ["period_start", *columns, "category_index", "severity"]
    rows = weighed()
    table = rows[["period_start", "category_index", "severity", "weight"]].assign(
        **{name: rows[column] for name, column in columns.items()}
    )
    return table.groupby(keys)["weight"].sum().rename("count").reset_index()


@cache
def level_counts(level):
    return counted(area_index=level)


def publish(home):
    """Publish the city as a snapshot."""
    writer = SnapshotWriter(home, "20261116T000000Z-0badcafe")
    squares.add_basics(writer, areas())
    counts = {level: level_counts(level) for level in LEVELS}
    for level, table in counts.items():
        squares.add_months(writer, f"area_counts_{level}", table)
        squares.make_tiles(home / "boundaries" / "b1" / f"{level}.mbtiles")
        writer.add_tiles(level, home / "boundaries" / "b1" / f"{level}.mbtiles", version="b1")
    for resolution in RESOLUTIONS:
        writer.add_table(f"cells_{resolution}", squares.make_register(resolution))
        table = counted(cell_index=f"cell_{resolution}")
        squares.add_months(writer, f"cell_counts_{resolution}", table)
    table = counted(area_row="area_row", cell_index="cell_8")
    squares.add_months(writer, "area_cell_counts_8", table)
    writer.add_table("points", squares.make_points(table, areas()))
    timed = squares.with_hours(weighed(), areas())
    squares.add_months(writer, "area_hours", squares.count_hours(timed, weight="weight"))
    for end, rows in squares.make_risk(areas(), counts).groupby("period_end"):
        writer.add_table("area_risk", rows, part=end.isoformat())
    squares.add_releases(writer, areas(), counts)
    add_analysis(writer, areas(), counts, LAST)
    add_registers(writer, areas())
    total = int(weighed()["weight"].sum())
    placed = {level: int(weighed().loc[weighed()[level] < 0, "weight"].sum()) for level in LEVELS}
    told = {"analysis": facts(LAST), "registers": REGISTERS}
    writer.publish(squares.make_manifest(total, placed) | told)


@cache
def inside(role):
    """For each row of `areas`, whether the role's own areas cover it; told apart from the product."""
    rows, grant = areas(), ROLES[role]
    if role in BLIND:
        return np.zeros(len(rows), dtype=bool)
    if grant.code == "*":
        return np.ones(len(rows), dtype=bool)
    within = ((rows["level"] == grant.level) & (rows["code"] == grant.code)).to_numpy()
    for _ in LEVELS:
        codes = set(rows["code"][within])
        within = within | rows["parent_code"].isin(codes).to_numpy()
    return within


@cache
def foreign_words(role, *, but=frozenset()):
    """Names and codes of the areas that a role must not hear of, but for some rows of `areas`."""
    rows = areas()
    hidden = ~inside(role)
    hidden[list(but)] = False
    marks = {
        canary(level, index)
        for level, index in zip(rows["level"][hidden], rows["area_index"][hidden], strict=True)
    }
    return frozenset(marks | set(rows["code"][hidden]) - set(rows["code"][~hidden]))


@cache
def foreign_counts(role):
    """Counts of foreign areas in many windows and classes, less those that own areas have too."""
    rows = areas()
    own, foreign = set(), set()
    windows = [Window(LAST, n, "week") for n in (1, 4, 13, 26)]
    windows += [window.earlier(window.periods) for window in windows]
    for level in LEVELS:
        seen = inside(role)[(rows["level"] == level).to_numpy()]
        table = level_counts(level)
        for window in windows:
            at = table[table["period_start"].between(window.start, window.end)]
            for chosen in (at, at[at["category_index"].isin([1, 2])], at[at["severity"] >= 3]):
                sums = chosen.groupby("area_index")["count"].sum()
                for index, total in sums.items():
                    # What is placed nowhere is told to those who see the whole city.
                    is_own = seen.all() if index < 0 else seen[index]
                    (own if is_own else foreign).add(int(total))
    return frozenset(foreign - own)


NUMBER = re.compile(r"(?<![\d.,\w])(\d{1,3}(?:,\d{3})+|\d{4,9})(?![\d.\w])")


def numbers_in(text):
    """Whole numbers of four digits and more, as printed or as JSON has them."""
    return {int(found.replace(",", "")) for found in NUMBER.findall(text)}
