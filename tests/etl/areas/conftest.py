"""A city of nested rectangles with official codes, level by level, as an office would send it."""

from types import SimpleNamespace

import geopandas as gpd
import pytest
import shapely

from etl.areas.load import check, load

CITY = """
code = "620100"
name_zh = "测试市"
name_en = "Test City"
"""
AREAS = """# Kept by hand.
[[level]]
level = "city"
name_zh = "全市"
name_en = "City"
dissolve = "county"
"""
WEST, SOUTH, WIDE, HIGH = 103.6, 36.0, 0.16, 0.08
COLUMNS = {"code": "编码", "name": "名称", "parent_code": "上级"}


def halves(box, *, upright):
    west, south, east, north = box.bounds
    x, y = round((west + east) / 2, 6), round((south + north) / 2, 6)
    if upright:
        return [shapely.box(west, south, x, north), shapely.box(x, south, east, north)]
    return [shapely.box(west, south, east, y), shapely.box(west, y, east, north)]


def office_file():
    """Level to rows: 2 counties, 4 townships, 8 communities, 32 grids."""
    levels = {"city": [("620100", None, shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + HIGH))]}
    below = {
        "county": (lambda _parent, n: f"62010{n + 2}", True),
        "township": (lambda parent, n: f"{parent}{n + 1:03d}", False),
        "community": (lambda parent, n: f"{parent}{n + 1:03d}", True),
    }
    above = "city"
    for level, (code, upright) in below.items():
        levels[level] = [
            (code(parent, n), parent, half)
            for parent, _, box in levels[above]
            for n, half in enumerate(halves(box, upright=upright))
        ]
        above = level
    levels["grid"] = [
        (f"{parent}{2 * n + m + 1:03d}", parent, quarter)
        for parent, _, box in levels["community"]
        for n, half in enumerate(halves(box, upright=False))
        for m, quarter in enumerate(halves(half, upright=True))
    ]
    return {
        level: gpd.GeoDataFrame(
            {
                "编码": [code for code, _, _ in rows],
                "名称": [f"第{n + 1}区" for n in range(len(rows))],
                "上级": [parent for _, parent, _ in rows],
            },
            geometry=[box for *_, box in rows],
            crs="EPSG:4490",
        )
        for level, rows in levels.items()
    }


@pytest.fixture
def office(tmp_path):
    """The city folder, empty but for its names, and shortcuts to load files into it."""
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY, encoding="utf-8")
    (folder / "areas.toml").write_text(AREAS, encoding="utf-8")

    def load_rows(level, rows, *, frame="EPSG:4490", columns=COLUMNS, **options):
        path = tmp_path / f"{level}.gpkg"
        path.unlink(missing_ok=True)
        rows.to_file(path, engine="pyogrio")
        return load(
            path,
            folder=folder,
            home=tmp_path,
            level=level,
            columns=columns,
            frame=frame,
            **options,
        )

    def load_above(level):
        """Load every level above one."""
        for upper in ("county", "township", "community", "grid"):
            if upper == level:
                return
            assert load_rows(upper, office_file()[upper]).file is not None

    return SimpleNamespace(
        folder=folder,
        home=tmp_path,
        files=office_file(),
        load=load_rows,
        load_above=load_above,
        check=lambda **options: check(folder, home=tmp_path, **options),
        stored=lambda level: next(
            gpd.read_parquet(folder / line.split('"')[1])
            for line in (folder / "areas.toml").read_text(encoding="utf-8").splitlines()
            if line.startswith(f'file = "areas/{level}-')
        ),
    )
