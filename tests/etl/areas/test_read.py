import json
import warnings
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from etl.areas.read import AreaFileError, read_areas
from geo.crs import CrsError

COLUMNS = {"code": ("code",), "name": ("名称",)}
NAMES = ["城关区第一网格", "兰州新区"]


@pytest.fixture
def rows():
    return gpd.GeoDataFrame(
        {"code": ["620102001001001", "062"], "名称": NAMES},
        geometry=[shapely.box(103, 36, 103.1, 36.1), shapely.box(103.1, 36, 103.2, 36.1)],
        crs="EPSG:4490",
    )


def shapefile(folder, rows, encoding, *, page):
    """Zip as a desktop program packs it: in a folder, with or without the .cpg."""
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        # GDAL tells that it shortens column names, in whatever encoding they are.
        warnings.simplefilter("ignore", RuntimeWarning)
        rows.to_file(folder / "grids.shp", encoding=encoding, engine="pyogrio")
    with zipfile.ZipFile(folder / "grids.zip", "w") as archive:
        for suffix in ("shp", "dbf", "shx", "prj"):
            archive.write(folder / f"grids.{suffix}", f"网格/grids.{suffix}")
        if page is not None:
            archive.writestr("网格/grids.cpg", page)
    return folder / "grids.zip"


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path, rows, suffix):
    path = tmp_path / f"grids.{suffix}"
    if suffix == "parquet":
        rows.to_parquet(path)
    else:
        rows.to_file(path, engine="pyogrio")
    found = read_areas(path, columns=COLUMNS, frame="CGCS2000")
    assert found.rows["code"].tolist() == ["620102001001001", "062"]
    assert found.rows["name"].tolist() == NAMES
    assert found.rows["parent_code"].tolist() == [None, None]
    assert shapely.equals(found.rows.geometry.to_numpy(), rows.geometry.to_numpy()).all()
    assert found.faults == {}
    assert found.numeric == ()


@pytest.mark.parametrize(
    ("encoding", "page"),
    [
        ("UTF-8", "UTF-8"),
        ("UTF-8", None),
        ("GB18030", None),
        ("GB18030", "936"),
        ("GB18030", "GBK"),
    ],
)
def test_shapefiles_are_read_in_their_encoding(tmp_path, rows, encoding, page):
    path = shapefile(tmp_path / "shp", rows, encoding, page=page)
    found = read_areas(path, columns=COLUMNS, frame="EPSG:4490")
    assert found.rows["name"].tolist() == NAMES
    assert found.rows["code"].tolist() == ["620102001001001", "062"]


def test_column_names_cut_in_mid_character_lose_the_half_one(tmp_path, rows):
    path = shapefile(
        tmp_path / "shp", rows.rename(columns={"code": "网格编码"}), "UTF-8", page="UTF-8"
    )
    found = read_areas(path, columns={"code": ("网格编",)}, frame="EPSG:4490")
    assert found.rows["code"].tolist() == ["620102001001001", "062"]


def test_garbled_text_is_refused(tmp_path, rows):
    path = shapefile(tmp_path / "cpg", rows, "GB18030", page="UTF-8")
    with pytest.raises(AreaFileError, match=r"grids.zip: its text is not utf-8, as its .cpg says"):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")
    broken = rows.assign(名称=["ÿÿÿÿ", "甲"])
    path = shapefile(tmp_path / "raw", rows, "GB18030", page=None)
    content = (tmp_path / "raw" / "grids.dbf").read_bytes()
    wrong = content.replace("城关".encode("gb18030"), b"\xff\xff\xff\xff")
    assert wrong != content
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("grids.dbf", wrong)
        for suffix in ("shp", "shx"):
            archive.write(tmp_path / "raw" / f"grids.{suffix}", f"grids.{suffix}")
    with pytest.raises(AreaFileError, match="its text is neither UTF-8 nor GB18030"):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")
    assert len(broken) == 2


def test_an_archive_holds_one_shapefile(tmp_path):
    path = tmp_path / "none.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(AreaFileError, match="holds 0 Shapefiles; pack exactly one"):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")
    path.write_bytes(b"no zip")
    with pytest.raises(AreaFileError, match=r"none.zip: cannot be read: File is not a zip file"):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")


def test_codes_stored_as_numbers_keep_their_digits_and_are_told(tmp_path, rows):
    path = tmp_path / "grids.gpkg"
    rows.assign(code=[620102001001001.0, 1.1e17], 名称=[7, 8]).to_file(path, engine="pyogrio")
    found = read_areas(path, columns=COLUMNS, frame="EPSG:4490")
    assert found.rows["code"].tolist() == ["620102001001001", "1.1e+17"]
    assert found.rows["name"].tolist() == ["7", "8"]
    assert found.numeric == ("code",)


def test_several_columns_are_joined(tmp_path, rows):
    path = tmp_path / "grids.gpkg"
    rows.to_file(path, engine="pyogrio")
    found = read_areas(path, columns={"code": ("code", "名称")}, frame="EPSG:4490")
    assert found.rows["code"].iloc[1] == "062-兰州新区"


def test_invalid_polygons_are_repaired_and_named(tmp_path):
    bow = [[103, 36], [103.1, 36.1], [103.1, 36], [103, 36.1], [103, 36]]
    features = [
        {
            "type": "Feature",
            "properties": {"code": "a"},
            "geometry": {"type": "Polygon", "coordinates": [bow]},
        },
        {"type": "Feature", "properties": {"code": "b"}, "geometry": None},
    ]
    path = tmp_path / "bow.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = read_areas(path, columns={"code": ("code",)}, frame="WGS84")
    assert list(found.faults) == [0]
    assert found.faults[0].startswith("Self-intersection[103.05")
    assert found.rows.geometry.is_valid.all()
    assert found.rows.geometry.is_empty.tolist() == [False, True]


def test_frames_are_taken_at_their_word_but_not_against_the_file(tmp_path, rows):
    path = tmp_path / "zone.gpkg"
    zone = rows.to_crs("EPSG:4544")
    zone.to_file(path, engine="pyogrio")
    found = read_areas(path, columns=COLUMNS, frame="EPSG:4544")
    corners = shapely.get_coordinates(found.rows.geometry.to_numpy())
    assert np.allclose(corners, shapely.get_coordinates(rows.geometry.to_numpy()), atol=1e-6)
    for frame in ("EPSG:4490", "EPSG:4545", "GCJ-02"):
        with pytest.raises(
            AreaFileError, match=r"zone.gpkg: says that its coordinates are CGCS2000"
        ):
            read_areas(path, columns=COLUMNS, frame=frame)
    with pytest.raises(CrsError, match="frame 'here' is unknown"):
        read_areas(path, columns=COLUMNS, frame="here")


def test_metres_without_a_frame_are_no_degrees(tmp_path, rows):
    path = tmp_path / "metres.parquet"
    rows.to_crs("EPSG:4544").set_crs(None, allow_override=True).to_parquet(path)
    with pytest.raises(
        AreaFileError, match=r"2 of 2 areas have coordinates that are no degrees \(features 1, 2\)"
    ):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")


def test_a_package_of_several_layers_is_refused(tmp_path, rows):
    path = tmp_path / "two.gpkg"
    rows.to_file(path, engine="pyogrio", layer="one")
    rows.to_file(path, engine="pyogrio", layer="two")
    with pytest.raises(
        AreaFileError, match=r"two.gpkg: holds the layers one, two; keep one of them"
    ):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")


def test_a_broken_file_is_told(tmp_path):
    path = tmp_path / "broken.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [{')
    with pytest.raises(AreaFileError, match=r"broken.geojson: cannot be read"):
        read_areas(path, columns=COLUMNS, frame="EPSG:4490")
