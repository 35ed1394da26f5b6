"""
The rule under which a set of withheld counts stands, whatever their published sum tells.

Several counts are withheld and their sum is known, because their parent and its other children are
published. Somebody outside knows then that each lies between 0 and the sum. Somebody inside one of
the areas knows its count besides, and so the sum of the others. The rule leaves both in doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH: Final = 3
"""Least width of the interval in which a withheld count may be known to lie."""

LEAST_MEMBERS: Final = 3
"""Somebody who knows one member has two or more others before him, not one."""

LEAST_SUM: Final = 6
LEAST_SUM_OF_THREE: Final = 9
"""
Least sums for somebody who knows this very rule.

Every member is at most sum - WIDTH under the rule. So a member of m lies between
max(0, sum - (m - 1) * (sum - WIDTH)) and sum - WIDTH, which is WIDTH wide from a sum of 6 on. Seen
by another member whose count is 0, m = 3 leaves two, each at least WIDTH: a sum of 9 is needed.
"""


def stands(members: NDArray[Any], total: NDArray[Any], largest: NDArray[Any]) -> NDArray[np.bool_]:
    """
    Whether sets of withheld counts protect each other.

    Parameters
    ----------
    members, total, largest
        Number of the withheld counts of each set, their sum and the largest of them.
    """
    least = np.where(members == LEAST_MEMBERS, LEAST_SUM_OF_THREE, LEAST_SUM)
    return np.asarray((members >= LEAST_MEMBERS) & (total - largest >= WIDTH) & (total >= least))
