"""
Time what a newly published snapshot costs the web process: opening it, asking it, drawing its cells.

Run from the root of the project: ``python -m benchmarks.opening --home /path/of/PINGAN_HOME``. The
home is not touched: its files are linked into a folder beside it, where snapshots are published
that differ from one another by one month of counts and by the registers of cells. Tables of many
parts are compared with one table of the same rows and with a union of one table per part, all
three in memory and asked in turn.
"""

import argparse
import datetime as dt
import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq

from benchmarks.queries import files_of
from data.store import Store
from data.writer import SnapshotWriter, new_snapshot_id
from geo import tiles
from geo.cell_tiles import cell_tile

DRAWN_AT = {6: (7, 8), 7: (8, 9), 8: (10, 11), 9: (11, 12), 10: (12, 13)}
"""Zooms of tiles at which the map draws each resolution."""


def elapsed_ms(function, *values):
    start = time.perf_counter()
    result = function(*values)
    return (time.perf_counter() - start) * 1000, result


def linked(home, folder):
    """The home again, file for file, for as long as the folder stands."""
    for name in ("snapshots", "manifests", "tiles", "boundaries"):
        if (home / name).is_dir():
            shutil.copytree(home / name, folder / name, copy_function=os.link)
    shutil.copy(home / "CURRENT", folder / "CURRENT")
    return folder


def publish_late(home, number):
    """Publish what differs by one month of counts and by the registers."""
    store = Store(home)
    before = store.manifest(store.current_id()).raw
    months = sorted(
        {Path(one["path"]).stem for one in before["files"] if "_counts_" in one["table"]}
    )
    writer = SnapshotWriter(home, new_snapshot_id(dt.datetime.now(dt.UTC) + dt.timedelta(number)))
    for entry in before["files"]:
        stem = Path(entry["path"]).stem
        register = entry["table"].startswith("cells_")
        if register or ("_counts_" in entry["table"] and stem == months[-2]):
            rows = pq.read_table(home / entry["path"])
            part = "" if stem == entry["table"] else stem
            writer.add_table(entry["table"], rows, part=part)
        else:
            writer.keep(entry)
    for entry in before["tiles"]:
        writer.keep(entry)
    writer.publish(
        {key: before[key] for key in before if key not in ("snapshot", "files", "tiles")}
    )


def openings(home, rounds):
    store = Store(home)
    first, snapshot = elapsed_ms(store.current)
    later, waited = [], []
    for number in range(1, rounds + 1):
        publish_late(home, number)
        waited.append(elapsed_ms(store.current)[0])
        later.append(elapsed_ms(store.refresh)[0])
        snapshot = store.current()
    print(f"first opening {first / 1000:.2f} s; one month later {shown(later)} ms beside, while a "
          f"request waits {shown(waited)} ms")  # fmt: skip
    return snapshot


def peers(snapshot):
    """One table, and a union of a table per part, of everything that is counted."""
    connection = duckdb.connect(":memory:")
    connection.execute("ATTACH ':memory:' AS held (COMPRESS)")
    for table, paths in files_of(snapshot.manifest, snapshot.home).items():
        if "_counts_" not in table:
            continue
        connection.execute(f"CREATE TABLE held.one_{table} AS SELECT * FROM read_parquet({paths})")
        for number, path in enumerate(paths):
            connection.execute(f"CREATE TABLE held.{table}_{number} AS FROM read_parquet('{path}')")
        union = " UNION ALL ".join(f"FROM held.{table}_{number}" for number in range(len(paths)))
        connection.execute(f"CREATE VIEW union_{table} AS {union}")
        connection.execute(f"CREATE VIEW one_{table} AS FROM held.one_{table}")
        connection.execute("CHECKPOINT held")
    connection.execute("SET threads = 1")
    return connection


def queries(snapshot, rounds):
    connection = peers(snapshot)
    last = snapshot.manifest.last_period
    print(f"\n{'window of four periods':<26}{'ours ms':>9}{'one':>8}{'union':>8}{'/one':>8}")
    for table in [name for name in snapshot.tables() if "_counts_" in name]:
        index = "area_index" if table.startswith("area_counts") else "cell_index"
        times = []
        for number in range(rounds):
            end = last - dt.timedelta(7 * number)
            sql = (f"SELECT {index}, sum(count)::BIGINT AS count FROM {{}}{table} "
                   f"WHERE period_start BETWEEN ? AND ? GROUP BY {index}")  # fmt: skip
            window = [end - dt.timedelta(21), end]
            ours, _ = elapsed_ms(snapshot.arrays, sql.format(""), window)
            one, _ = elapsed_ms(ask, connection, sql.format("one_"), window)
            union, _ = elapsed_ms(ask, connection, sql.format("union_"), window)
            times.append((ours, one, union))
        ours, one, union = np.median(times, axis=0)
        print(f"{table:<26}{ours:>9.2f}{one:>8.2f}{union:>8.2f}{ours / one:>8.2f}")


def ask(connection, sql, parameters):
    return connection.execute(sql, parameters).fetchnumpy()


def cell_tiles(snapshot, most):
    print(f"\n{'cell tiles':<26}{'tiles':>7}{'p50 ms':>9}{'p95 ms':>9}{'p50 kB':>9}")
    for entry in snapshot.manifest.cells:
        resolution = entry["resolution"]
        found = snapshot.read(f"cells_{resolution}")
        cells = np.array([int(cell, 16) for cell in found["cell"]])
        lng, lat = found["lng"].to_numpy(), found["lat"].to_numpy()
        for zoom in DRAWN_AT[resolution]:
            down = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
            at = np.column_stack([lng / 360 + 0.5, down]) * 2**zoom
            # Each tile as often as a random cell lies in it: people look where incidents are.
            chosen = at[np.random.default_rng(zoom).integers(len(at), size=most)].astype(int)
            times, sizes = [], []
            for x, y in chosen.tolist():
                draw = partial(cell_tile, cells, lng, lat, z=zoom, x=x, y=y)
                took, content = elapsed_ms(draw)
                times.append(took)
                sizes.append(len(content or b"") / 1000)
            p50, p95 = np.percentile(times, [50, 95])
            name = f"resolution {resolution} at zoom {zoom}"
            print(f"{name:<26}{most:>7}{p50:>9.1f}{p95:>9.1f}{np.median(sizes):>9.1f}")


def stored_tiles(snapshot, most):
    """What reading a tile from an archive takes: of the finest areas, at the highest zoom."""
    level = snapshot.manifest.levels[-1]["level"]
    path = snapshot.tile_file(level, snapshot.manifest.boundary_version)
    query = "SELECT zoom_level, tile_column, tile_row FROM tiles ORDER BY random() LIMIT ?"
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(query, (most,)).fetchall()
    times = [elapsed_ms(tiles.read_tile, path, z, x, (1 << z) - 1 - y)[0] for z, x, y in rows]
    p50, p95 = np.percentile(times, [50, 95])
    print(f"{'read from an archive':<26}{len(rows):>7}{p50:>9.1f}{p95:>9.1f}")


def shown(times):
    return f"{np.median(times):.1f} ({min(times):.1f}-{max(times):.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--home", type=Path, default=os.environ.get("PINGAN_HOME"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.home is None:
        raise SystemExit("name the folder of a built snapshot: --home or PINGAN_HOME")
    home = Path(options.home)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".opening-") as folder:
        snapshot = openings(linked(home, Path(folder)), options.rounds)
        queries(snapshot, 6 * options.rounds)
        cell_tiles(snapshot, 12 * options.rounds)
        stored_tiles(snapshot, 12 * options.rounds)


if __name__ == "__main__":
    main()
