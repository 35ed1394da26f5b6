"""
A differencing attacker: everything that is published as one system of equations.

It knows the areas and how they nest, the categories, every published figure of every edition and
period, and how many incidents of a published area lie in none of its children. An insider knows one
area's subtree exactly besides, category by category. For each withheld figure it computes the
interval that the equations leave. It shares no code with the publisher.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

TOTAL, SENSITIVE = "all", "sensitive"
CLOSE = 1e-6


@dataclass
class World:
    """
    One period as it is. The attacker uses its shape; of its counts only what an insider knows.

    Attributes
    ----------
    areas
        Area to its parent (None = the city), parents first.
    level
        Area to its level, 0 = the city.
    own
        Area to what lies in it and in none of its children, by category.
    upper
        Class (upper category) of each category.
    sensitive
        Categories that are sensitive.
    secret
        Areas that ended within the period.
    """

    areas: dict[str, str | None]
    level: dict[str, int]
    own: dict[str, np.ndarray]
    upper: np.ndarray
    sensitive: np.ndarray
    secret: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.classes = int(self.upper.max()) + 1
        self.children = {area: [] for area in self.areas}
        for area, parent in self.areas.items():
            if parent is not None:
                self.children[parent].append(area)

    def below(self, area):
        """The area and everything in it."""
        found = [area]
        for one in found:
            found += self.children[one]
        return found

    def same_as(self, area):
        """What lies above an area and has nothing else in it: its head knows it as well."""
        found = set()
        while (area := self.areas[area]) is not None and len(self.children[area]) == 1:
            found.add(area)
        return found

    def categories(self, column):
        """Categories that a column of the tables counts."""
        if column == TOTAL:
            return np.ones(len(self.upper), dtype=bool)
        return self.sensitive if column == SENSITIVE else np.isin(self.upper, column)

    def counts(self, area):
        """What lies in an area, by category."""
        return sum(self.own[one] for one in self.below(area))

    def count(self, area, column=TOTAL):
        return int(self.counts(area)[self.categories(column)].sum())


class Attack:
    """
    The equations of some periods.

    Parameters
    ----------
    worlds
        One per period; all of the same areas.
    figures
        (period, area, column) to count; a column is a class, several of them, or one of the words.
    windows
        ((periods), area, column) to count: figures over several periods together.
    """

    def __init__(self, worlds, figures, *, insider=None, windows=None) -> None:
        self.worlds, self.figures = worlds, figures
        self.names = list(worlds[0].areas)
        self.row = {area: at for at, area in enumerate(self.names)}
        self.shape = (len(worlds), len(self.names), len(worlds[0].upper))
        self.truth = np.array(
            [[world.own[area] for area in self.names] for world in worlds], dtype=float
        ).ravel()
        rows = [self.weights(*figure) for figure in figures]
        sides = list(figures.values())
        for (periods, area, column), count in (windows or {}).items():
            rows.append(sum(self.weights(period, area, column) for period in periods))
            sides.append(count)
        for period, area, column in figures:
            if column == TOTAL and worlds[0].children[area]:
                # What a published area has in none of its children.
                told = np.zeros(self.shape)
                told[period, self.row[area]] = 1
                rows.append(told.ravel())
                sides.append(worlds[period].own[area].sum())
        self.known = set(worlds[0].below(insider)) if insider else set()
        for area in self.known:
            for period, world in enumerate(worlds):
                for category, count in enumerate(world.own[area]):
                    one = np.zeros(self.shape)
                    one[period, self.row[area], category] = 1
                    rows.append(one.ravel())
                    sides.append(count)
        self.matrix = sparse.csr_matrix(np.array(rows).reshape(-1, len(self.truth)))
        self.sides = np.array(sides, dtype=float)
        assert np.allclose(self.matrix @ self.truth, self.sides), "what is published is not true"
        self.solved = 0

    def weights(self, period, area, column):
        """Weights of the unknowns that add up to a figure."""
        world, found = self.worlds[period], np.zeros(self.shape)
        below = [self.row[one] for one in world.below(area)]
        found[np.ix_([period], below, np.flatnonzero(world.categories(column)))] = 1
        return found.ravel()

    def solve(self, goal, top=None):
        """Point with the largest value of a goal; None where there is no largest."""
        self.solved += 1
        solved = linprog(
            -goal,
            A_eq=self.matrix if len(self.sides) else None,
            b_eq=self.sides if len(self.sides) else None,
            bounds=np.stack([np.zeros(len(goal)), top], axis=1) if top is not None else (0, None),
            method="highs",
        )
        if solved.status == 3:
            return None
        assert solved.status == 0, solved.message
        return solved.x

    def intervals(self, targets, *, width):
        """
        Targets whose interval is narrower than the width, with the interval in whole numbers.

        Two possible worlds that differ by the width in a target clear it; many are cleared at once
        by worlds drawn at random, the others are solved one by one.
        """
        weights = sparse.csr_matrix(np.array([self.weights(*one) for one in targets]))
        low = high = weights @ self.truth
        draw, idle = np.random.default_rng(len(targets)), 0
        while idle < 3 and (waiting := high - low < width - CLOSE).any():
            # Mostly upwards: what is withheld is small.
            goal = draw.choice([1.0, 1.0, 1.0, -1.0]) * draw.random(len(targets)) * waiting
            value = weights @ self.solve(weights.T @ goal, top=self.truth + width)
            low, high = np.minimum(low, value), np.maximum(high, value)
            idle = 0 if (waiting & (high - low >= width - CLOSE)).any() else idle + 1
        found = {}
        for at in np.flatnonzero(high - low < width - CLOSE):
            goal = weights[[at]].toarray()[0]
            ends = []
            for sign in (-1, 1):
                point = self.solve(sign * goal)
                ends.append(np.inf if point is None else goal @ point)
            least, most = np.ceil(ends[0] - CLOSE), np.floor(ends[1] + CLOSE)
            if most - least < width:
                found[targets[at]] = (int(least), int(most))
        return found


def withheld(worlds, figures, *, k, finest):
    """
    Figures that nobody may learn.

    All that are absent down to the finest level of totals and of classes, and below those whatever
    is smaller than `k`; sensitive ones on every level.

    Parameters
    ----------
    finest
        Finest level of totals and of classes.
    """
    found = []
    for period, world in enumerate(worlds):
        columns = list(range(world.classes)) if world.classes > 1 else []
        for area in world.areas:
            for column in (TOTAL, *columns):
                depth = finest[0] if column == TOTAL else finest[1]
                shown = world.level[area] <= depth and area not in world.secret
                if (period, area, column) not in figures and (
                    shown or world.count(area, column) < k
                ):
                    found.append((period, area, column))
            # An only child is the area above it: it is told with it.
            alone = len(world.children.get(world.areas[area], ())) == 1
            small = world.count(area, SENSITIVE) < k
            if world.sensitive.any() and (period, area, SENSITIVE) not in figures:
                found += [(period, area, SENSITIVE)] * (small or not alone)
    return found


def attack(worlds, figures, targets, *, insider=None, width=3):
    """Targets that an outsider or one insider narrows down to less than a width; the attack too."""
    made = Attack(worlds, figures, insider=insider)
    known = made.known | (worlds[0].same_as(insider) if insider else set())
    asked = [target for target in targets if target[1] not in known]
    return (made.intervals(asked, width=width) if asked else {}), made
