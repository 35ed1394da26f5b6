"""The smallest city folder that is accepted, and sources for it."""

import csv
from pathlib import Path

PUSHED = """
title_zh = "推送"
title_en = "Pushed"
push = true
format = "rows"
time_zone = "Asia/Shanghai"
time_format = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
frame = "EPSG:4326"
channel = "push"
origin = "reported"
[columns]
incident_id = "工单编号"
occurred_at = "发生时间"
category = "类别"
lng = "经度"
lat = "纬度"
area_code = "网格"
[category_codes]
"1" = "A101"
"""


def source_text(**keys):
    """Text of a source file like `PUSHED`, with other top keys or without some (None)."""
    lines = []
    for line in PUSHED.strip().splitlines():
        name = line.partition(" = ")[0]
        if name not in keys:
            lines.append(line)
    top = [f"{name} = {value}" for name, value in keys.items() if value is not None]
    return "\n".join([*top, *lines]) + "\n"


def write_city(folder: Path, sources):
    """Write a city folder with these sources (name to text); returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "city.toml").write_text(
        'code = "990100"\nname_zh = "小市"\nname_en = "Small"\ntime_zone = "Asia/Shanghai"\n'
        'grain = "week"\nexposure = "area_km2"\ndata_root = "."\nwindow = 4\ncell_bands = [1.0]\n',
        encoding="utf-8",
    )
    (folder / "areas.toml").write_text(
        '[[level]]\nlevel = "city"\nname_zh = "市"\nname_en = "City"\nfile = "city.geojson"\n',
        encoding="utf-8",
    )
    (folder / "city.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with (folder / "categories.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["code", "parent_code", "name_zh", "name_en"],
                ["A1", "", "甲", "A"],
                ["A101", "A1", "甲一", "A one"],
            ]
        )
    for name, text in sources.items():
        add_source(folder, name, text)
    return folder


def add_source(folder: Path, name, text):
    path = folder / "sources" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def row(number, **values):
    """One row by the names of the columns of `PUSHED`."""
    return {
        "工单编号": f"N{number:06d}",
        "发生时间": "2026-11-16 08:30:00",
        "类别": "1",
        "经度": 120.125,
        "纬度": 30.25,
        "网格": "990101001",
        **values,
    }
