"""
A city of any size for the benchmarks: rows drawn from the ledgers of the large demonstration city.

Every row is drawn with replacement, gets an id of its own and is moved by up to three days, so
places, classes, hours, faults and the 104 weeks stay those of the city while no event is told
twice. Ledgers are written in row groups and never held whole: memory does not grow with the rows.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pyogrio

from data.store import Store

ROOT = Path(__file__).resolve().parents[1]
CITY = ROOT / "data" / "cities" / "demo"
LARGE = ROOT / "build" / "benchmark-large"
SEED = 20261115
NAMES = ("disputes", "grid_reports", "hazards", "hotline", "police_calls")
GROUP_ROWS = 250_000
MOST_DAYS = 3
FIRST, LAST = np.datetime64("2024-11-18"), np.datetime64("2026-11-16")
LATE, LATE_ROWS = "late_*.parquet", 2_800


# --- ledgers to draw from -----------------------------------------------------------------------


def demo_source(folder=None):
    """Folder with the raw files of the large demonstration city; made if it is missing."""
    source = folder or LARGE / "source" / "demo"
    if not (source / "truth.json").is_file():
        if folder is not None:
            raise SystemExit(f"{folder} holds no demonstration city (truth.json is missing)")
        make = "from pathlib import Path; from etl.synthesize import synthesize; "
        make += f"synthesize(Path({str(source)!r}), size='large', seed={SEED})"
        subprocess.run([sys.executable, "-c", make], cwd=ROOT, check=True)
    return source


def configs():
    """The source files to draw for: name to content."""
    named = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted((CITY / "sources").glob("*.toml"))
    }
    return {name: config for name, config in named.items() if name in NAMES}


@cache
def ledger(path, name):
    """A ledger of the demonstration city as a table: times typed, everything else as it stands."""
    config = configs()[name]
    if config["format"] == "csv":
        table = pa.csv.read_csv(
            path,
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(headings(path), pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    elif config["format"] == "geojson":
        rows = pyogrio.read_dataframe(path, read_geometry=False, datetime_as_string=True)
        table = pa.Table.from_pandas(rows, preserve_index=False)
    else:
        table = pq.read_table(path)
    table = table.replace_schema_metadata(None)
    texts = {f.name for f in table.schema if pa.types.is_large_string(f.type)}
    fields = [pa.field(f.name, pa.string() if f.name in texts else f.type) for f in table.schema]
    table = table.cast(pa.schema(fields))
    for ours, theirs in config["columns"].items():
        at, column = table.column_names.index(theirs), table[theirs]
        if ours.endswith("_at"):
            table = table.set_column(at, theirs, typed(column, config["time_format"]))
        elif ours in ("lng", "lat") and not pa.types.is_floating(column.type):
            table = table.set_column(at, theirs, pc.cast(column, pa.float64()))
    return table


def headings(path):
    return pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns


def typed(column, form):
    if not pa.types.is_string(column.type):
        return column.cast(pa.timestamp("s"), safe=False)
    return pc.strptime(column, format=form, unit="s", error_is_null=True)


# --- drawing ------------------------------------------------------------------------------------


def draw(table, config, count, *, serial, rng, within=(0, 1)):
    """
    Rows of one row group: drawn, renamed, moved by the same span in all their times.

    `within` is the part of the ledger to draw from: ledgers are kept in the order of report, and a
    longer one is drawn part by part, so that it is as well.
    """
    low, high = (int(share * (len(table) - 1)) for share in within)
    rows = table.take(pa.array(np.sort(rng.integers(low, high + 1, count))))
    columns = config["columns"]
    happened = rows[columns["occurred_at"]].to_numpy()
    span = rng.integers(-MOST_DAYS * 86_400, MOST_DAYS * 86_400, count).astype("timedelta64[s]")
    leaves = (happened + span < FIRST) | (happened + span >= LAST - np.timedelta64(MOST_DAYS, "D"))
    span[leaves | np.isnat(happened)] = 0
    rows = moved(rows, columns, pa.array(span))
    at, old = rows.column_names.index(columns["incident_id"]), rows[columns["incident_id"]]
    numbers = pa.array(np.char.mod("%010d", np.arange(serial, serial + count)))
    fresh = pc.binary_join_element_wise(pc.utf8_slice_codeunits(old, 0, 2), numbers, "")
    proper = pc.fill_null(pc.less_equal(pc.utf8_length(old), 11), False)
    return rows.set_column(at, columns["incident_id"], pc.if_else(proper, fresh, old))


def moved(rows, columns, span):
    """Rows with all their times moved."""
    for ours, theirs in columns.items():
        if ours.endswith("_at"):
            at = rows.column_names.index(theirs)
            rows = rows.set_column(at, theirs, pc.add(rows[theirs].cast(pa.timestamp("s")), span))
    return rows


def write(path, table, config, count, *, serial, rng):
    """Write a ledger of `count` rows as Parquet, group by group."""
    with pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1) as sink:
        for start in range(0, count, GROUP_ROWS):
            size = min(GROUP_ROWS, count - start)
            within = start / count, (start + size) / count
            group = draw(table, config, size, serial=serial + start, rng=rng, within=within)
            sink.write_table(group.cast(table.schema))


# --- the city -----------------------------------------------------------------------------------


def make_city(folder, *, rows, demo=None, seed=1):
    """
    Make a city folder with ledgers of `rows` rows in all beside it.

    The areas are those of the large demonstration city (22,000 grids). The hotline also reads
    every file `late_*.parquet` of the data folder.

    Returns
    -------
    city, data
        The city folder, and the folder of its raw files.
    """
    source, city, data = demo_source(demo), folder / "city", folder / "data"
    shutil.copytree(CITY, city)
    for path in (city / "sources").glob("*.toml"):
        if path.stem not in configs():
            path.unlink()
    data.mkdir()
    (data / "areas").symlink_to((source / "areas").resolve())
    town = (city / "city.toml").read_text(encoding="utf-8")
    town = town.replace('"@home/source/demo"', f'"{data.resolve().as_posix()}"')
    (city / "city.toml").write_text(town, encoding="utf-8")
    files = {name: source / config["files"][0] for name, config in configs().items()}
    lengths = {name: len(ledger(path, name)) for name, path in files.items()}
    rng, serial = np.random.default_rng(seed), 1
    for name, config in configs().items():
        count = round(rows * lengths[name] / sum(lengths.values()))
        table = ledger(files[name], name)
        write(data / f"{name}.parquet", table, config, count, serial=serial, rng=rng)
        serial += count
        in_parquet(city / "sources" / f"{name}.toml", config)
    return city, data


def in_parquet(path, config):
    """Let a source read its Parquet file instead of the demonstration's own."""
    text = path.read_text(encoding="utf-8")
    late = f', "{LATE}"' if path.stem == "hotline" else ""
    text = text.replace(f'"{config["files"][0]}"', f'"{path.stem}.parquet"{late}')
    text = text.replace(f'format = "{config["format"]}"', 'format = "parquet"')
    path.write_text(text, encoding="utf-8")


def late_batch(data, *, number, demo=None):
    """
    Put one day of the hotline beside the ledgers, as one more file of the same source.

    Every batch holds other rows with ids that no other file has; all happened on one day.
    """
    config = configs()["hotline"]
    table = ledger(demo_source(demo) / config["files"][0], "hotline")
    rng = np.random.default_rng(1_000_000 + number)
    rows = draw(table, config, LATE_ROWS, serial=2_000_000_000 + number * 10_000, rng=rng)
    happened = rows[config["columns"]["occurred_at"]].to_numpy()
    day = (LAST - np.timedelta64(MOST_DAYS + number % 300, "D")).astype("datetime64[s]")
    span = pa.array(day - happened.astype("datetime64[D]").astype("datetime64[s]"))
    path = data / LATE.replace("*", f"{number:04d}")
    pq.write_table(moved(rows, config["columns"], span), path)
    return path


# --- the product --------------------------------------------------------------------------------


def account(home):
    """Rows of the published snapshot by what became of them; every row read has its place."""
    store = Store(home)
    rows = store.manifest(store.current_id()).raw["rows"]
    kept = sum(rows.get(name, 0) for name in ("accepted", "quarantined", "duplicate", "refused"))
    if rows["read"] != kept:
        raise SystemExit(f"{rows['read']:,} rows were read, {kept:,} are accounted for")
    return rows


def pingan(arguments, *, home):
    """Command line and environment of the product for a home."""
    program = Path(sys.executable).with_name("pingan")
    return [str(program), *map(str, arguments)], os.environ | {"PINGAN_HOME": str(home)}
