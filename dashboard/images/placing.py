"""Names on a map: the most important first, and none over another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Box(NamedTuple):
    """A rectangle, pixels from the lower left."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def round(cls, x: float, y: float, width: float, height: float) -> Box:
        """Box of a size round a middle."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


class Wish(NamedTuple):
    """Where a name would stand: its point and the size of its text, pixels."""

    x: float
    y: float
    width: float
    height: float


def place(
    wishes: Sequence[Wish], *, frame: Box, taken: Iterable[Box] = (), gap: float
) -> list[tuple[int, Box]]:
    """
    Give each name the first free place on, under, over or beside its point.

    Parameters
    ----------
    wishes
        The most important first; a name without a free place is left out.
    frame
        Names stay inside.
    taken
        Boxes of what else stands on the map.
    gap
        Least distance between two boxes, pixels.

    Returns
    -------
    placed
        Position among the wishes, and the box of the text.
    """
    occupied = np.array([tuple(box) for box in taken], dtype=float).reshape(-1, 4)
    placed = []
    for position, wish in enumerate(wishes):
        for box in _places(wish, gap):
            if _is_inside(box, frame) and not _hits(box, occupied, gap):
                placed.append((position, box))
                occupied = np.vstack([occupied, box])
                break
    return placed


def _places(wish: Wish, gap: float) -> Iterable[Box]:
    x, y, width, height = wish
    for across, up in ((0.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0)):
        middle = x + across * (width / 2 + height / 2 + gap), y + up * (height + gap)
        yield Box.round(*middle, width, height)


def _is_inside(box: Box, frame: Box) -> bool:
    return (
        box.left >= frame.left
        and box.right <= frame.right
        and box.bottom >= frame.bottom
        and box.top <= frame.top
    )


def _hits(box: Box, others: np.ndarray, gap: float) -> bool:
    apart = (
        (others[:, 0] >= box.right + gap)
        | (others[:, 2] <= box.left - gap)
        | (others[:, 1] >= box.top + gap)
        | (others[:, 3] <= box.bottom - gap)
    )
    return bool((~apart).any())
