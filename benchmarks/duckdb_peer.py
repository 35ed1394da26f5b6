"""
Points in polygons by DuckDB's spatial extension, in a process and an installation of its own.

Started by `benchmarks.locate`. The extension is packaged for DuckDB 1.4.4 and fits no other version,
so both lie in a folder apart from the product's own DuckDB; `INSTALL` says how to fill it. Reads an
`.npz` file (`lng`, `lat`, `wkb`), writes the pairs back, and prints the seconds from columns of
numbers to pairs of row and polygon; connecting and loading the extension are not counted.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely

FOLDER = Path(__file__).resolve().parents[1] / "build" / "duckdb-peer"
INSTALL = (
    "pip install --no-deps --target build/duckdb-peer duckdb==1.4.4 "
    "duckdb-ext-spatial==1.4.4.20260205"
)
JOIN = """
    SELECT p.row, a.i FROM points p
    JOIN (SELECT i, ST_GeomFromWKB(wkb) AS shape FROM areas) a
    ON ST_Intersects(a.shape, ST_Point(p.lng, p.lat))
"""


def is_installed():
    return bool(list(FOLDER.glob("duckdb_ext/**/spatial.duckdb_extension")))


def pairs(lng, lat, polygons):
    """Rows, positions of their polygons, and the seconds that the peer took."""
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "asked.npz", Path(folder) / "told.npz"
        wkb = np.array([shape.hex() for shape in shapely.to_wkb(polygons)])
        np.savez(asked, lng=lng, lat=lat, wkb=wkb)
        command = [sys.executable, __file__, str(asked), str(told)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        with np.load(told) as found:
            return found["row"], found["i"], float(done.stdout)


def answer(asked, told):
    sys.path.insert(0, str(FOLDER))
    import duckdb
    import pyarrow as pa

    engine = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    extension = next(FOLDER.glob("duckdb_ext/**/spatial.duckdb_extension"))
    engine.execute(f"LOAD '{extension.as_posix()}'")
    with np.load(asked) as given:
        lng, lat = given["lng"], given["lat"]
        wkb = [bytes.fromhex(shape) for shape in given["wkb"].tolist()]
    start = time.perf_counter()
    engine.register("points", pa.table({"row": np.arange(len(lng)), "lng": lng, "lat": lat}))
    engine.register("areas", pa.table({"i": np.arange(len(wkb)), "wkb": pa.array(wkb)}))
    found = engine.execute(JOIN).fetchnumpy()
    seconds = time.perf_counter() - start
    np.savez(told, row=found["row"], i=found["i"])
    print(seconds)


if __name__ == "__main__":
    answer(Path(sys.argv[1]), Path(sys.argv[2]))
