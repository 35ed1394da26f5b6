"""What is known about a made city, kept beside its files for checking."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from etl.synthesize.population import Recut


@dataclass(frozen=True)
class Truth:
    """
    What was made.

    Attributes
    ----------
    seed, size
        What the city was made from.
    first_week, last_week
        Mondays (ISO dates) of the first and last of the 104 weeks.
    exported_at
        City time of the export; later reports are missing, so the last days are incomplete.
    areas
        Number of areas by level on the first day; `grid_rows` counts old and new grids.
    population
        Residents of the city; every level sums up to it over the areas with known residents.
    without_population
        Codes of grids whose ledger entry is empty.
    files
        Files of each source; a database or the body of a push counts as one.
    rows
        Data rows of each file.
    dirty
        Faulty rows by file and reason.
    expected
        By file: `accepted` (the true rows), `duplicate`, `quarantined`, `refused`; they sum up to
        the rows.
    superseded
        Accepted rows by file that replace a row of an earlier file: they are no further incidents.
    located
        True rows by file: with a `point`, with a `code` only, with `none`.
    same_events
        Incidents of two sources that are one event: `first`, `second`, each `source:number`.
    surges
        Planted surges.
    recuts
        Codes of grids before and after a re-cut, and its date.
    counts
        True incidents with a point or code by county code and leaf category.
    unplaced
        True incidents with neither, by leaf category.
    """

    seed: int
    size: str
    first_week: str
    last_week: str
    exported_at: str
    areas: dict[str, int]
    population: int
    without_population: list[str]
    files: dict[str, list[str]]
    rows: dict[str, int]
    dirty: dict[str, dict[str, int]]
    expected: dict[str, dict[str, int]]
    superseded: dict[str, int]
    located: dict[str, dict[str, int]]
    same_events: list[dict[str, str]]
    surges: list[dict[str, object]]
    recuts: list[Recut]
    counts: dict[str, dict[str, int]]
    unplaced: dict[str, int]

    def write(self, path: Path) -> None:
        """Write as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def read_truth(path: Path) -> Truth:
    """
    Read what `Truth.write` wrote.

    Parameters
    ----------
    path
        `truth.json` beside the source files.

    Returns
    -------
    truth
        Equal to what was written.
    """
    return Truth(**json.loads(path.read_text("utf-8")))
