"""Where a source tells when a row was changed, no order, split or repetition changes the outcome."""

import datetime as dt
import os
import random

from data.store import Store
from etl.pipeline import build
from tests.faults import town

ROUNDS = 200 if os.environ.get("LONG_RUN") else 6
LINES = [
    f"{n},2026-0{1 + change % 2}-{1 + n:02d} 10:00,{'AB'[change % 2]},{1 + change % 4},,"
    f"103.{change:02d},36.05,,2026-02-20 10:{change:02d}"
    for n in range(12)
    for change in (3, 9, 16)
]


def _outcome(folder, home, files, builds):
    """Current incidents and area counts; what only numbers arrivals is left out."""
    for number, lines in enumerate(files):
        town.write_file(folder, f"works-{number}.csv", lines)
        if number in builds:
            build(folder, home=home, now=town.MONDAY + dt.timedelta(hours=number))
    manifest = build(folder, home=home, now=town.MONDAY + dt.timedelta(days=1)).manifest
    rows = [row[:1] + row[2:7] for row in town.incidents(home, manifest)]
    snapshot = Store(home).refresh()
    cells = {
        name: snapshot.query(
            f"SELECT * EXCLUDE cell_index FROM (SELECT * FROM {name}) "
            f"JOIN (SELECT cell_index, cell FROM cells_{name.rpartition('_')[2]}) "
            "USING (cell_index) ORDER BY ALL"
        ).values.tolist()
        for name in snapshot.tables()
        if "cell_counts" in name
    }
    areas = [
        one
        for one in town.tables(manifest)
        if one[0].startswith(("area_", "areas")) and one[0] not in cells
    ]
    return rows, areas, cells


def test_permuted_split_and_repeated_files_give_the_same(tmp_path):
    expected = _outcome(town.make_city(tmp_path / "city"), tmp_path / "home", [LINES], ())
    for number in range(ROUNDS):
        rng = random.Random(number)
        lines = LINES + rng.choices(LINES, k=rng.randrange(9))
        rng.shuffle(lines)
        cuts = sorted(rng.sample(range(1, len(lines)), rng.randrange(4)))
        files = [lines[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        if rng.random() < 0.3:
            files.append(files[0])
        base = tmp_path / str(number)
        builds = {n for n in range(len(files)) if rng.random() < 0.5}
        found = _outcome(town.make_city(base / "city"), base / "home", files, builds)
        assert found == expected, number
