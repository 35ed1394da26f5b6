"""
Measure what the colours of many cells take on the line, for the city's cells and for 50,000.

Run from the root of the project: ``python -m benchmarks.cell_bytes --home HOME``. The bands of five
windows are packed as an answer packs them and compressed as the server compresses; of fewer cells
than the city has, the first are taken. Legend and controls of the answer come on top.
"""

import argparse
import json
from pathlib import Path

import brotli
import numpy as np

from benchmarks.map_bench import city, peer_data
from benchmarks.report import Row, print_rows
from dashboard import answers
from dashboard.map.values import packed

BUDGET_CELLS = 50_000
LEVEL = 5
"""Of brotli, as `dashboard.routes` sets it."""


def compressed_kb(bands):
    """Size of packed bands on the line."""
    told = json.dumps(packed(bands), separators=(",", ":"))
    return len(brotli.compress(told.encode(), quality=LEVEL)) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--home", type=Path)
    place = city.find(parser.parse_args().home)
    found = []
    for weeks in peer_data.WINDOWS:
        drawn = answers.draw_map(
            peer_data.EVERYONE,
            place.snapshot,
            search=f"?layer=cells&periods={weeks}",
            fragment="",
            resolution=place.resolution,
        )
        found.append(np.array(peer_data.bands_of(drawn["values"]), dtype=np.uint8))
    counts = sorted({min(BUDGET_CELLS, len(found[0])), len(found[0])})
    print_rows(
        [
            Row(f"{count:,} cells", "kB", None, [compressed_kb(bands[:count]) for bands in found])
            for count in counts
        ]
    )


if __name__ == "__main__":
    main()
