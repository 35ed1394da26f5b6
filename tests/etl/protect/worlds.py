"""Random cities with random counts, and what the product publishes of them."""

import datetime as dt

import numpy as np
import pandas as pd

from data.periods import Window
from data.privacy import Privacy
from data.releases import ALL, OTHER
from data.releases import SENSITIVE as SENSITIVE_INDEX
from etl.protect.edition import depth_of, editions, rows_of, sensitive_rows
from etl.protect.tree import build_tree, read_ground
from geo.divisions import LEVELS
from tests.etl.protect.attacker import SENSITIVE, TOTAL, World

START = dt.date(2026, 3, 2)
GRAIN = "week"


def random_shape(draw, *, largest=40):
    """Areas of a random city (area to parent), their levels, and those that end in the period."""
    depth, width = int(draw.integers(2, 6)), [0, 8, 6, 5, 5]
    areas, level, secret, above = {"0": None}, {"0": 0}, set(), ["0"]
    for at in range(1, depth):
        below = []
        for parent in above:
            count = int(draw.integers(1, width[at] + 1)) if draw.random() > 0.05 else 0
            for number in range(count):
                area = f"{parent}.{number}"
                areas[area], level[area] = parent, at
                below.append(area)
            if count and draw.random() < 0.04:
                area = f"{parent}.gone"
                areas[area], level[area] = parent, at
                secret.add(area)
        above = below
        if len(areas) > largest:
            break
    return areas, level, secret


def random_worlds(draw, *, periods=2, largest=40):
    """Some periods of one random city: busy or quiet, even or concentrated, with empty areas."""
    areas, level, secret = random_shape(draw, largest=largest)
    n_classes = int(draw.integers(1, 6))
    upper = np.arange(n_classes)
    sensitive = np.zeros(n_classes, dtype=bool)
    if draw.random() < 0.4:
        carriers = draw.choice(n_classes, size=int(draw.integers(1, n_classes + 1)), replace=False)
        upper, sensitive = np.append(upper, carriers), np.append(sensitive, carriers >= 0)
    share = draw.dirichlet(np.full(len(upper), draw.choice([0.3, 1, 5])))
    busy, uneven = np.exp(draw.uniform(0, 4)), draw.choice([0.2, 1, 2])
    parents = set(areas.values())
    pace = {
        area: busy * (draw.choice([0, 0, 0.05, 0.5]) if area in parents else
                      np.exp(draw.normal(0, uneven)) * (draw.random() > 0.15))
        for area in areas
    }  # fmt: skip
    return [
        World(
            areas, level, {area: draw.poisson(pace[area] * share) for area in areas},
            upper, sensitive, secret,
        )
        for _ in range(periods)
    ]  # fmt: skip


def random_privacy(draw, depth):
    """Settings with random finest levels."""
    totals = int(draw.integers(0, depth))
    classes = int(draw.integers(0, totals + 1))
    public = int(draw.integers(0, totals + 1))
    return Privacy(
        k_internal=int(draw.choice([5, 5, 8])),
        k_public=int(draw.choice([10, 10, 12])),
        finest_internal=LEVELS[totals],
        categories_internal=LEVELS[classes],
        finest_public=LEVELS[public],
        categories_public=LEVELS[int(draw.integers(0, min(public, classes) + 1))],
    )


def areas_table(world):
    """The city's `areas` table; secret areas end in the middle of the period."""
    frame = pd.DataFrame(
        {
            "code": list(world.areas),
            "level": [LEVELS[world.level[area]] for area in world.areas],
            "parent_code": list(world.areas.values()),
            "valid_from": pd.Series([None] * len(world.areas), dtype="object"),
            "valid_to": [
                START + dt.timedelta(days=3) if area in world.secret else None
                for area in world.areas
            ],
            "population": [float(len(area)) for area in world.areas],
        }
    )
    frame = frame.sort_values("level", key=lambda levels: levels.map(LEVELS.index), kind="stable")
    frame = frame.reset_index(drop=True)
    frame["area_index"] = frame.groupby("level").cumcount()
    index = dict(zip(frame["code"], frame["area_index"], strict=True))
    frame["parent_index"] = [index.get(parent, -1) for parent in frame["parent_code"]]
    return frame


def tree_of(world, *, split=False):
    """The product's tree of a world; `split` keeps sensitive categories apart from their class."""
    areas = areas_table(world)
    index = dict(zip(areas["code"], areas["area_index"], strict=True))
    counts = {}
    for level, codes in areas.groupby("level")["code"]:
        found = np.array([world.counts(area) for area in codes])
        row, category = np.nonzero(found)
        counts[level] = {
            "area_index": np.array([index[area] for area in codes])[row],
            "category_index": category,
            "count": found[row, category],
        }
    classes = 2 * world.upper + world.sensitive if split else world.upper
    return areas, build_tree(
        read_ground(areas),
        counts,
        Window(START, 1, GRAIN),
        classes=classes,
        n_classes=world.classes * (2 if split else 1),
    )


def figures_of(world, areas, tree, rows):
    """
    Published rows as (area, column) to count.

    What is in no class that is told by name of the area above (of the city itself) is the sum of
    those classes, which everybody can see.
    """
    codes = {
        depth: areas.loc[areas["level"] == nodes.level, "code"].to_numpy()
        for depth, nodes in enumerate(tree)
    }
    named = {ALL: TOTAL, SENSITIVE_INDEX: SENSITIVE}
    cells = [
        (codes[depth][area], category, count)
        for depth, area, category, count in zip(
            rows.depth.tolist(), rows.area.tolist(), rows.category.tolist(), rows.count.tolist(),
            strict=True,
        )
    ]  # fmt: skip
    told = {(area, category) for area, category, _ in cells}
    found = {}
    for area, category, count in cells:
        if category == OTHER:
            above = world.areas[area] or area
            column = tuple(one for one in range(world.classes) if (above, one) not in told)
        else:
            column = named.get(category, category)
        found[area, column] = count
    return found


def publish(world, privacy, *, listed=None, solve=False):
    """What the product publishes of a period: edition to (area, column) to count."""
    areas, tree = tree_of(world)
    levels = [nodes.level for nodes in tree]
    if listed is None:
        listed = np.ones(world.classes, dtype=bool)
    order = np.argsort(tree[0].counts[0, 1:], kind="stable")
    shown = editions(tree, privacy, listed=listed, order=order, solve=solve)
    found, late = {}, None
    for edition, chosen in shown.items():
        totals, classes = privacy.finest(edition)
        index = np.arange(world.classes)
        rows = rows_of(tree, chosen, depth=depth_of(levels, totals), index=index)
        found[edition] = figures_of(world, areas, tree, rows)
        if world.sensitive.any():
            late = _sensitive(world, chosen, privacy.k(edition), depth_of(levels, classes), late)
            found[edition] |= figures_of(world, areas, tree, late)
    return found


def _sensitive(world, shown, k, deepest, wider):
    """What is told of sensitive categories later, as `etl.protect.late` asks for it."""
    _, tree = tree_of(world, split=True)
    carries = np.zeros(world.classes, dtype=bool)
    carries[world.upper[world.sensitive]] = True
    by_name = shown.classes[0][0]
    in_rest = bool((carries & ~by_name).any())
    columns = carries | (~by_name & in_rest)
    depth = 0
    for at in range(min(deepest, 2, len(shown.classes))):
        told = shown.classes[at][:, carries & by_name].all() and (
            not in_rest or shown.rest[at].all()
        )
        if not told:
            break
        depth += 1
    pairs = [nodes.counts[:, 1:].reshape(len(nodes), world.classes, 2) for nodes in tree]
    return sensitive_rows(
        tree,
        [pair[:, columns].sum(axis=(1, 2)) for pair in pairs],
        [pair[:, columns, 1].sum(axis=1) for pair in pairs],
        k=k,
        depth=depth,
        wider=wider,
    )
