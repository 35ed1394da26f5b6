"""The city of squares with true tiles, so that there is something to draw."""

import pytest
import shapely

from data.store import Store
from geo.tiles import cut_tiles
from tests.dashboard.squares import LEVELS, make_areas, publish


@pytest.fixture(scope="session")
def drawn_home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    areas = make_areas()
    for level in LEVELS:
        rows = areas[areas["level"] == level]
        squares = shapely.box(*(rows[edge] for edge in ("west", "south", "east", "north")))
        path = folder / "boundaries" / "b1" / f"{level}.mbtiles"
        cut_tiles(squares, path=path, layer="areas", min_zoom=0, max_zoom=10)
    publish(folder)
    return folder


@pytest.fixture(scope="session")
def drawn(drawn_home):
    return Store(drawn_home).current()
