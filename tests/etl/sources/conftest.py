"""A source made from a small TOML, and one table in the shape of a hotline's export."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from data.source import read_source
from etl.sources import read_chunks

SOURCE = """
title_zh = "电话"
title_en = "Calls"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d %H:%M"
channel = "hotline"
origin = "reported"
"""
COLUMNS = {
    "incident_id": "编号", "occurred_at": "时间", "category": "类别", "outcome": "办理结果",
    "lng": "经度", "lat": "纬度",
}  # fmt: skip
ATTRIBUTES = {ours: theirs for ours, theirs in COLUMNS.items() if ours not in ("lng", "lat")}


@pytest.fixture
def make_source(tmp_path):
    def make(kind, *, columns=COLUMNS, frame="EPSG:4326", more="", published=()):
        lines = [SOURCE, f'format = "{kind}"', f'frame = "{frame}"', more, "[columns]"]
        lines += [f'{ours} = "{theirs}"' for ours, theirs in columns.items()]
        for theirs, level in published:
            lines += ["[[published]]", f'column = "{theirs}"', f'level = "{level}"']
        path = tmp_path / "calls.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        faults = []
        source = read_source(path, root=tmp_path, known_categories=frozenset(), faults=faults)
        assert not faults
        return source

    return make


@pytest.fixture
def read():
    """Everything of a file at once: rows, numbers, unreadable rows, sizes of the chunks."""

    def everything(source, path, rows=1000):
        chunks = list(read_chunks(source, path, rows=rows))
        table = pa.concat_tables([chunk.rows for chunk in chunks]) if chunks else pa.table({})
        return SimpleNamespace(
            rows=table.to_pylist(),
            table=table,
            numbers=table["row"].to_pylist() if chunks else [],
            malformed=np.concatenate([chunk.malformed for chunk in chunks]).tolist()
            if chunks
            else [],
            sizes=[len(chunk.rows) for chunk in chunks],
        )

    return everything


@pytest.fixture
def calls():
    """Three calls with a person's name that no source allows."""
    return pd.DataFrame(
        {
            "编号": ["007", "8", "9"],
            "来电人": ["李四", "王五", "赵六"],
            "时间": ["2026-01-05 10:00", "2026-01-06 11:30", "2026-01-07 00:05"],
            "类别": ["噪声", "占道", None],
            "办理结果": ["已办结", None, "办理中"],
            "经度": [103.81, 103.82, np.nan],
            "纬度": [36.05, 36.06, np.nan],
        }
    )


@pytest.fixture
def call_points(calls):
    points = [shapely.Point(103.81, 36.05), shapely.Point(103.82, 36.06), None]
    return gpd.GeoDataFrame(calls.drop(columns=["经度", "纬度"]), geometry=points, crs=4326)
