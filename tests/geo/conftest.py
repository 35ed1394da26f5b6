"""Polygons for the tests: a small coverage, and the real files where they lie beside the project."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import settings

from geo import boundaries

# A slow machine is no failure of a property.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

REAL_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_areas():
    """Reader of a real boundary file, named like ``merseyside/oa``; skips where it is absent."""

    def read(name):
        path = REAL_DATA / f"{name}.geojson"
        if not path.is_file():
            pytest.skip(f"real data {name}.geojson is not beside the project")
        areas = gpd.read_file(path)
        return areas.set_geometry(boundaries.repair(areas.geometry.to_numpy()), crs=areas.crs)

    return read


@pytest.fixture(scope="session")
def coverage():
    """300 polygons without gaps or overlaps, about 30 km wide, near 36° N."""
    rng = np.random.default_rng(7)
    seeds = np.vstack([rng.normal(0, 0.04, (150, 2)), rng.uniform(-0.15, 0.15, (150, 2))])
    seeds = np.clip(seeds, -0.15, 0.15) + np.array([103.8, 36.0])
    frame = shapely.box(103.63, 35.83, 103.97, 36.17)
    pieces = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=frame)
    polygons = shapely.intersection(shapely.get_parts(pieces), frame)
    # Clipping gave each border its own last bits: one grid makes them one again.
    return np.asarray(shapely.coverage_clean(polygons), dtype=object)


@pytest.fixture(scope="session")
def real_rows():
    """Reader of a real incident file, named like ``merseyside/street_2018``; skips if absent."""

    def read(name, columns):
        path = REAL_DATA / f"{name}.parquet"
        if not path.is_file():
            pytest.skip(f"real data {name}.parquet is not beside the project")
        return pd.read_parquet(path, columns=columns)

    return read
