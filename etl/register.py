"""
Register of cells: which cell has which index, per resolution.

Cells are numbered in order of arrival (by batch, within a batch by number), so a new cell never
renumbers an old one, and the register after any batch is the beginning of the register of today.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.parquet import write_rows
from etl.ingest import NO_CELL
from geo import cells as h3_cells

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from etl.ledger import Ledger

FOLDER: Final = "registers"


@dataclass(frozen=True)
class Register:
    """
    The cells that had arrived after some batch.

    Attributes
    ----------
    finest
        Cells of the finest resolution; the position is `cell_index`.
    """

    finest: NDArray[np.int64]

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Stored resolutions, coarsest first."""
        return h3_cells.RESOLUTIONS

    def cells(self, resolution: int) -> NDArray[np.int64]:
        """Cells of a resolution in the order of their index."""
        return self._levels[resolution][1]

    def positions(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of each cell of the finest resolution, -1 where a row has none."""
        if not len(self.finest):
            return np.full(len(cells), -1, dtype=np.int64)
        order, ordered = self._sorted
        found = order[np.searchsorted(ordered, cells).clip(max=len(ordered) - 1)]
        return np.where(cells == NO_CELL, -1, found)

    def upwards(self, index: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
        """Index at a coarser resolution of each index at the finest; -1 stays."""
        return np.append(self._levels[resolution][0], -1)[index]

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.finest)
        return order, self.finest[order]

    @cached_property
    def _levels(self) -> dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Resolution to the index of each finest cell's parent, and to the parents."""
        found = {}
        for resolution in self.resolutions:
            above = h3_cells.parent_numbers(self.finest, resolution=resolution)
            position, distinct = pd.factorize(above)
            found[resolution] = position.astype(np.int64), np.asarray(distinct, dtype=np.int64)
        return found


def write_new_cells(
    ledger: Ledger, home: Path, run: int, arrived: list[tuple[int, NDArray[np.int64]]]
) -> str | None:
    """
    Write the cells that a run brings up for the first time.

    Parameters
    ----------
    arrived
        Batch and distinct cells of each chunk.

    Returns
    -------
    path
        Relative to the home; None where every cell was known.
    """
    known = [_read_new(home, path)[0] for path in ledger.files("register")]
    cells = np.concatenate([cells for _, cells in arrived] or [np.empty(0, dtype=np.int64)])
    batch = np.repeat([number for number, _ in arrived], [len(cells) for _, cells in arrived])
    order = np.lexsort((cells, batch))
    cells, batch = cells[order], batch[order]
    fresh = np.zeros(len(cells), dtype=bool)
    fresh[np.unique(cells, return_index=True)[1]] = True
    if known:
        fresh &= ~np.isin(cells, np.concatenate(known))
    if not fresh.any():
        return None
    path = ledger.folder / FOLDER / f"{run:06d}.parquet"
    path.parent.mkdir(exist_ok=True)
    write_rows(pa.table({"cell": cells[fresh], "batch": batch[fresh].astype(np.int32)}), path)
    return path.relative_to(home).as_posix()


def write_register(ledger: Ledger, home: Path, *, upto: int, path: Path) -> Register:
    """Join the cells that had arrived after a batch into one file for the month tasks."""
    parts = [_read_new(home, part) for part in ledger.files("register")]
    cells = np.concatenate([cells[batch <= upto] for cells, batch in parts] or [_NO_CELLS])
    write_rows(pa.table({"cell": cells}), path)
    return Register(cells)


_NO_CELLS: Final = np.empty(0, dtype=np.int64)


@lru_cache(maxsize=2)
def read_register(home: Path, path: str) -> Register:
    """Register that `write_register` wrote, read once a process."""
    return Register(pq.read_table(home / path).column("cell").to_numpy())


def _read_new(home: Path, path: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = pq.read_table(home / path, page_checksum_verification=True)
    return rows.column("cell").to_numpy(), rows.column("batch").to_numpy()


def cells_table(register: Register, resolution: int, first: int, last: int) -> pd.DataFrame:
    """Describe cells `first` to `last` (exclusive) of one resolution: rows of the `cells` table."""
    numbers = register.cells(resolution)[first:last]
    lng, lat = h3_cells.cell_centres(numbers)
    return pd.DataFrame(
        {
            "cell_index": np.arange(first, last, dtype=np.int32),
            "cell": h3_cells.cell_texts(numbers),
            "area_km2": h3_cells.cell_areas_km2(numbers),
            "lng": lng,
            "lat": lat,
        }
    )
