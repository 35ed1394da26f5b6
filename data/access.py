"""Who may see what: the one place that turns a user's scope into areas, tiles and cache keys."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

WHOLE_CITY: Final = "*"
"""Area code of a scope that covers every area."""


class NotVisibleError(LookupError):
    """The area is unknown or outside the scope; the two are told apart to nobody."""


@dataclass(frozen=True)
class Scope:
    """What one signed-in user may see: the subtrees of these area codes."""

    user: str
    role: str
    area_codes: frozenset[str]

    @property
    def sees_all(self) -> bool:
        """Whether the scope covers the whole city."""
        return WHOLE_CITY in self.area_codes

    @property
    def cache_key(self) -> tuple[str, ...]:
        """The allowed areas in a fixed order; equal for users who may see the same."""
        return tuple(sorted(self.area_codes))


NOBODY: Final = Scope(user="", role="", area_codes=frozenset())
"""The scope of a request that nobody signed: it sees nothing."""


def visible_areas(scope: Scope, areas: pd.DataFrame) -> NDArray[np.bool_]:
    """
    Tell for each area whether the scope covers it.

    Parameters
    ----------
    areas
        The snapshot's `areas` table, levels from the top down.

    Returns
    -------
    visible
        One flag per row: its own code or one of its ancestors' is in the scope.
    """
    if scope.sees_all:
        return np.ones(len(areas), dtype=bool)
    visible: NDArray[np.bool_] = areas["code"].isin(scope.area_codes).to_numpy(copy=True)
    order = list(dict.fromkeys(areas["level"]))
    levels = areas["level"].to_numpy()
    parents = areas["parent_index"].to_numpy()
    for above, below in pairwise(order):
        inherited = visible[levels == above]
        rows = np.flatnonzero(levels == below)
        has_parent = parents[rows] >= 0
        visible[rows[has_parent]] |= inherited[parents[rows[has_parent]]]
    return visible
