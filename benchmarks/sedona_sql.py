"""
Run the SQL of `docs/scale.md` on SedonaDB and compare it with what the pipeline stored.

Run from the root of the project: ``python -m benchmarks.sedona_sql --home HOME``. The statements are
those for Sedona on Spark, read from the document itself; only ``CREATE … VIEW`` is done by the engine's
own call. The grid of every row with a point, and every count of the grids, must be equal.
"""

import argparse
import re
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.store import Store

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
STATEMENT = re.compile(r"```sql\nCREATE OR REPLACE TEMPORARY VIEW (\w+) AS\n(.*?)```", re.DOTALL)
SUPERSEDED = pa.schema([("batch", pa.int32()), ("row", pa.int32())])
KEY = ["period_start", "grid_code", "category", "severity"]


def open_tables(context, home, manifest):
    """The three tables under the names that the document gives them."""
    named = manifest["incidents"]
    folder = home / "boundaries" / manifest["boundary_version"]
    replaced = [pq.read_table(home / path).select(SUPERSEDED.names) for path in named["superseded"]]
    tables = {
        "incidents": pa.concat_tables(
            pq.ParquetFile(home / path).read() for path in named["files"]
        ),
        "superseded": pa.concat_tables([SUPERSEDED.empty_table(), *replaced]),
        "areas": plain(pq.read_table(folder / "areas.parquet")),
    }
    for name, table in tables.items():
        context.create_data_frame(table).to_view(name, overwrite=True)


def plain(areas):
    """Areas as any reader of Parquet has them: the shapes are bytes."""
    names = [name for name in areas.column_names if name != "geometry"]
    shapes = areas["geometry"].cast(pa.binary())
    return areas.select(names).append_column("geometry", shapes).replace_schema_metadata(None)


def check_places(context):
    """Rows that a grid holds by their point; all must be stored under that grid."""
    both = context.sql(
        "SELECT i.grid_code AS stored, l.grid_code AS found FROM current_incidents i "
        "LEFT JOIN located l ON i.batch = l.batch AND i.row = l.row "
        "WHERE i.located_by = 'point' AND i.grid_code IS NOT NULL OR l.grid_code IS NOT NULL"
    ).to_pandas()
    different = both[both["stored"] != both["found"]]
    if len(different):
        raise SystemExit(f"{len(different):,} rows are placed differently\n{different.head()}")
    return len(both)


def check_counts(context, snapshot):
    """Every count of the grids, by week, category and severity."""
    theirs = context.sql("SELECT * FROM grid_counts").to_pandas()
    ours = snapshot.read("area_counts_grid")
    areas, categories = snapshot.read("areas"), snapshot.read("categories")
    codes = areas[areas["level"] == "grid"].set_index("area_index")["code"]
    ours["grid_code"] = ours["area_index"].map(codes).astype(object)
    ours["category"] = categories["code"].to_numpy()[ours["category_index"].to_numpy()]
    sums = {"ours": summed(ours, "count"), "theirs": summed(theirs, "incidents")}
    both = pd.DataFrame(sums).fillna(0)
    different = both[both["ours"] != both["theirs"]]
    if len(different):
        raise SystemExit(f"{len(different):,} counts differ\n{different.head()}")
    return len(both)


def summed(counts, column):
    counts = counts.assign(
        period_start=pd.to_datetime(counts["period_start"]).astype(str),
        grid_code=counts["grid_code"].fillna("").astype(str),
        category=counts["category"].astype(str),
    )
    return counts.groupby(KEY)[column].sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="a built PINGAN_HOME")
    home = parser.parse_args().home.resolve()
    try:
        import sedonadb
    except ImportError:
        raise SystemExit("SedonaDB is not installed; pip install sedonadb==0.5.0") from None
    snapshot = Store(home).current()
    context = sedonadb.connect()
    open_tables(context, home, snapshot.manifest.raw)
    statements = STATEMENT.findall(DOCUMENT.read_text(encoding="utf-8"))
    for name, sql in statements:
        start = time.perf_counter()
        context.sql(sql).to_memtable().to_view(name, overwrite=True)
        print(f"{name:<20}{time.perf_counter() - start:>8.2f} s")
    rows, counts = check_places(context), check_counts(context, snapshot)
    print(f"equal: the grid of {rows:,} rows, and {counts:,} counts")


if __name__ == "__main__":
    main()
