"""Geographies on disk: the same again, and anew when the file is spoilt."""

from dataclasses import fields

import numpy as np
import pytest
import shapely

from etl.analyse.hotspots import geography_store
from etl.analyse.hotspots.geography_store import geography_of
from tests.etl.analyse.worlds import tiny_bed


@pytest.fixture
def ask(tmp_path):
    world = tiny_bed()
    shapes = {"grid": world.polygons, "city": np.array([shapely.union_all(world.polygons)])}
    return lambda **more: geography_of(
        tmp_path / "store",
        "b1",
        levels=world.bed.levels,
        geometries={**shapes, **more},
        resolutions=(7, 8, 9),
    )


def same(one, other):
    if hasattr(one, "toarray"):
        return (one.toarray() == other.toarray()).all()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one is other is None or np.array_equal(one, other)


def test_what_is_stored_comes_back_without_measuring(ask, monkeypatch):
    first = ask()
    monkeypatch.setattr(geography_store, "geography", None)
    again = ask()
    assert all(same(getattr(first, one.name), getattr(again, one.name)) for one in fields(first))
    assert first.surface.nnz > 0


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_spoilt_file_is_measured_anew(ask, tmp_path, keep):
    first = ask()
    (path,) = (tmp_path / "store").iterdir()
    content = bytearray(path.read_bytes())
    if keep < 0:
        content[len(content) // 2] ^= 0xFF
    else:
        del content[keep:]
    path.write_bytes(content)
    again = ask()
    assert same(first.rings, again.rings)
    assert same(first.surface, again.surface)
