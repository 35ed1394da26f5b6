"""Sensitive categories: told long after their period, together, of the city and its counties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.periods import Window
from data.privacy import EDITIONS
from data.releases import OTHER
from etl.protect.counted import classes_of, period_counts
from etl.protect.edition import depth_of, sensitive_rows
from etl.protect.stored import Key, told_by, write_rows
from etl.protect.tree import GONE, build_tree, read_ground

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etl.epoch import Epoch
    from etl.protect.counted import Classes
    from etl.protect.edition import Rows
    from etl.protect.tree import LevelAreas, Nodes

    Bools = NDArray[np.bool_]

KIND: Final = "sensitive"
LEVEL: Final = "county"
"""Lowest level at which sensitive categories are told."""


@dataclass(frozen=True)
class LateTask:
    """
    Periods whose sensitive categories are due.

    Attributes
    ----------
    starts
        First day of each, and the file with what was released of it.
    files
        Level to the count files that may hold them.
    batch, folder
        As in `etl.protect.release.ReleaseTask`.
    """

    starts: tuple[tuple[dt.date, str], ...]
    files: Mapping[str, Sequence[str]]
    batch: int
    folder: str


def release_sensitive(epoch: Epoch, task: LateTask) -> list[dict[str, Any]]:
    """Choose and write what can be told; the manifest entries of the periods that tell anything."""
    ground, classes = read_ground(epoch.boundaries.areas), classes_of(epoch.city)
    entries = []
    counts = period_counts(epoch.home, task.files, [start for start, _ in task.starts])
    for start, path in task.starts:
        tree = build_tree(
            ground,
            counts[start],
            Window(start, 1, epoch.city.grain),
            # Each class in two columns: what is not sensitive in it, and what is.
            classes=2 * classes.of_category + classes.categories,
            n_classes=2 * len(classes.index),
        )
        told = [told_by(epoch.home / path, edition) for edition in EDITIONS]
        shown = _editions(
            epoch, tree, classes, [_named(tree, ground, classes, one) for one in told]
        )
        if any(len(rows.count) for rows in shown.values()):
            home, folder = epoch.home, epoch.home / task.folder
            entries.append(
                write_rows(folder, start, KIND, ground, shown, home=home, batch=task.batch)
            )
    return entries


def _editions(
    epoch: Epoch, tree: Sequence[Nodes], classes: Classes, named: Sequence[list[Bools]]
) -> dict[str, Rows]:
    """What each edition can tell, from what it has told of the same period."""
    n_classes = len(classes.index)
    pairs = [nodes.counts[:, 1:].reshape(len(nodes), n_classes, 2) for nodes in tree]
    shown: dict[str, Rows] = {}
    for edition, told in zip(EDITIONS, named, strict=True):
        columns, depth = _carriers(epoch, edition, classes, told)
        shown[edition] = sensitive_rows(
            tree,
            [pair[:, columns].sum(axis=(1, 2)) for pair in pairs],
            [pair[:, columns, 1].sum(axis=1) for pair in pairs],
            k=epoch.city.privacy.k(edition),
            depth=depth,
            wider=shown.get(EDITIONS[0]),
        )
    return shown


def _carriers(
    epoch: Epoch, edition: str, classes: Classes, named: list[Bools]
) -> tuple[Bools, int]:
    """
    Classes that sensitive categories are a part of, and number of levels where all were told.

    Where one of them was not told by name but in the rest, the whole rest carries them.
    """
    carries = np.zeros(len(classes.index), dtype=bool)
    carries[classes.of_category[classes.categories]] = True
    by_name = named[0][0][:-1]
    in_rest = bool((carries & ~by_name).any())
    wanted = np.append(carries & by_name, in_rest)
    levels, finest = epoch.boundaries.levels, epoch.city.privacy.finest(edition)[1]
    deepest = min(depth_of(levels, LEVEL), depth_of(levels, finest))
    told = [bool(flags[:, wanted].all()) for flags in named[:deepest]]
    return carries | (~by_name & in_rest), [*told, False].index(False)


def _named(
    tree: Sequence[Nodes],
    ground: Sequence[LevelAreas],
    classes: Classes,
    told: Mapping[Key, set[int]],
) -> list[Bools]:
    """
    Classes that were told of the city and of each node below it by name.

    The last column says whether the rest was told.
    """
    found = []
    for nodes, areas in zip(tree[:2], ground, strict=False):
        flags = np.zeros((len(nodes), len(classes.index) + 1), dtype=bool)
        for row, index in enumerate(nodes.index.tolist()):
            if index != GONE:
                day = areas.valid_from[index].astype(object)
                known = told.get((nodes.level, areas.codes[index], day), set())
                flags[row] = [*(int(one) in known for one in classes.index), OTHER in known]
        found.append(flags)
    return found
