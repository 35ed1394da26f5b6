"""What rows are cleaned and placed by: the city and its boundaries, kept open between rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.city import folder_hash, read_city
from etl import boundary_store
from etl.clean import Ground
from etl.version import code_version

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from data.city import City
    from data.source import Source
    from etl.boundaries import Boundaries


@dataclass(frozen=True)
class Grounds:
    """One city as its folder stood when it was read."""

    city: City
    built: Boundaries
    ground: Ground
    sensitive: NDArray[np.bool_]
    """By `category_index`."""
    first_row: dict[str, int]
    """Row of the table of areas at which each level begins."""

    def source(self, name: str) -> Source | None:
        """Source of the city; None where the city does not name it."""
        return next((source for source in self.city.sources if source.name == name), None)


class GroundKeeper:
    """Reads the city once, and again when a file of its folder has changed."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder, self._home = folder, home
        self._held: tuple[str, Grounds] | None = None

    def now(self) -> Grounds:
        """
        Ground as the folder stands.

        Raises
        ------
        CityError, BoundaryError, DivisionError, OSError
            The folder cannot be used.
        """
        rules = folder_hash(self._folder)
        if self._held is None or self._held[0] != rules:
            self._held = rules, _read(self._folder, self._home)
        return self._held[1]


def _read(folder: Path, home: Path) -> Grounds:
    city = read_city(folder, home=home)
    built = boundary_store.boundaries_of(city, home, program=code_version())
    withheld = city.privacy.sensitive_codes()
    counts = [len(built.level_areas(level)) for level in built.levels]
    return Grounds(
        city,
        built,
        Ground(built.limits, built.codes, built.first_day),
        np.array(
            [not withheld.isdisjoint((one.code, one.parent_code or "")) for one in city.categories],
            dtype=bool,
        ),
        dict(zip(built.levels, np.cumsum([0, *counts[:-1]]).tolist(), strict=True)),
    )
