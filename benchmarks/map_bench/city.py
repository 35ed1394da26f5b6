"""The large demonstration city: made once, kept, and handed to every part."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.store import Snapshot, Store

ROOT = Path(__file__).resolve().parents[2]
CITY = ROOT / "data" / "cities" / "demo"
KEPT = ROOT / "build" / "benchmark-large-home"
FINE = 50_000
"""The cells are of the first resolution that has as many."""


@dataclass(frozen=True)
class City:
    """A built home and what the parts ask of it."""

    home: Path
    snapshot: Snapshot

    @property
    def counts(self) -> dict[str, int]:
        return {entry["level"]: entry["count"] for entry in self.snapshot.manifest.levels}

    @property
    def finest(self) -> str:
        return self.snapshot.manifest.levels[-1]["level"]

    @property
    def resolution(self) -> int:
        """Of the cells: the first with enough of them, else the finest."""
        cells = self.snapshot.manifest.cells
        enough = [entry["resolution"] for entry in cells if entry["count"] >= FINE]
        return int(min(enough, default=cells[-1]["resolution"]))

    @property
    def cells(self) -> int:
        """Number of cells of that resolution."""
        of = {entry["resolution"]: entry["count"] for entry in self.snapshot.manifest.cells}
        return int(of[self.resolution])

    def about(self) -> str:
        counts = ", ".join(f"{count:,} {level}" for level, count in self.counts.items())
        rows = self.snapshot.manifest.raw["rows"]["accepted"]
        return f"{counts}; {self.cells:,} cells of resolution {self.resolution}; {rows:,} incidents"


@dataclass(frozen=True)
class Stage:
    """What the parts in a browser share: a city served, and a browser of each kind of graphics."""

    city: City
    browsers: dict[str, Any]
    address: str
    rounds: int
    seed: int


def find(home: Path | None) -> City:
    """The city of a home; without one that of the cache folder, which is made if it is missing."""
    if home is None:
        home = KEPT
        if not (home / "CURRENT").is_file():
            print(f"making the large city in {home}: some minutes, once", file=sys.stderr)
            pingan = Path(sys.executable).with_name("pingan")
            command = [pingan, "demo", "--size", "large", "--no-serve"]
            environment = os.environ | {"PINGAN_HOME": str(home)}
            subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
    return City(home.resolve(), Store(home.resolve()).current())
