import shutil

import pandas as pd
import pytest
import shapely

from etl import boundary_store
from etl.boundaries import read_boundaries
from etl.boundary_store import BoundaryStoreError, boundaries_of, load, save


def assert_same(one, other):
    assert one.version == other.version
    pd.testing.assert_frame_equal(one.areas, other.areas, check_exact=True)
    for name in one.areas:
        assert one.areas[name].map(type).tolist() == other.areas[name].map(type).tolist()
    assert one.levels == other.levels
    for level in one.levels:
        wkb = shapely.to_wkb(one.geometries[level])
        assert wkb.tolist() == shapely.to_wkb(other.geometries[level]).tolist()


def test_loaded_boundaries_equal_the_saved_ones(toy):
    built = read_boundaries(toy.city())
    save(built, toy.home)
    found = load(toy.home, built.version)
    assert_same(found, built)
    assert found.first_day == built.first_day
    assert found.limits.equals(built.limits)


def test_the_same_boundaries_give_the_same_bytes(toy, tmp_path):
    built = read_boundaries(toy.city())
    one, other = save(built, tmp_path / "one"), save(built, tmp_path / "other")
    assert (one / "areas.parquet").read_bytes() == (other / "areas.parquet").read_bytes()


def test_a_stored_version_is_not_written_again(toy):
    built = read_boundaries(toy.city())
    path = save(built, toy.home) / "areas.parquet"
    before = path.stat()
    save(built, toy.home)
    assert path.stat().st_ino == before.st_ino
    assert [entry.name for entry in path.parent.parent.iterdir()] == [built.version]


def test_a_failed_write_leaves_nothing(toy, monkeypatch):
    built = read_boundaries(toy.city())

    def fail(_built, folder):
        (folder / "areas.parquet").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(boundary_store, "_write", fail)
    with pytest.raises(OSError, match="No space left"):
        save(built, toy.home)
    assert list((toy.home / "boundaries").iterdir()) == []


@pytest.mark.parametrize("name", ["areas.parquet", "areas.sha256"])
@pytest.mark.parametrize("place", [0, 30, -1])
def test_a_damaged_file_is_told_and_made_anew(toy, name, place):
    city = toy.city()
    built = boundaries_of(city, toy.home, program="1")
    path = toy.home / "boundaries" / built.version / name
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    with pytest.raises(BoundaryStoreError, match=f"boundaries {built.version} are damaged"):
        load(toy.home, built.version)
    assert_same(boundaries_of(city, toy.home, program="1"), built)
    assert_same(load(toy.home, built.version), built)


@pytest.mark.parametrize("name", ["areas.parquet", "areas.sha256"])
def test_a_missing_file_is_told_and_made_anew(toy, name):
    built = boundaries_of(toy.city(), toy.home, program="1")
    (toy.home / "boundaries" / built.version / name).unlink()
    with pytest.raises(BoundaryStoreError, match=f"boundaries {built.version} cannot be read"):
        load(toy.home, built.version)
    assert_same(boundaries_of(toy.city(), toy.home, program="1"), built)


def test_a_missing_version_is_told(toy):
    with pytest.raises(BoundaryStoreError, match="boundaries 0123 are not stored"):
        load(toy.home, "0123")


def test_input_files_are_read_once_per_content_and_program(toy, monkeypatch):
    reads = []

    def counted(city):
        reads.append(city.code)
        return read_boundaries(city)

    monkeypatch.setattr(boundary_store, "read_boundaries", counted)
    first = boundaries_of(toy.city(), toy.home, program="1")
    assert_same(boundaries_of(toy.city(), toy.home, program="1"), first)
    assert len(reads) == 1
    boundaries_of(toy.city(), toy.home, program="2")
    assert len(reads) == 2
    toy.write_grids(toy.grids[:3])
    assert boundaries_of(toy.city(), toy.home, program="2").version != first.version
    assert len(reads) == 3
    toy.change("city.toml", '"population"', '"area_km2"')
    assert boundaries_of(toy.city(), toy.home, program="2").version != first.version
    shutil.rmtree(toy.home)
    assert_same(boundaries_of(toy.city(), toy.home, program="2"), read_boundaries(toy.city()))
