"""Layers that GDAL reads: GeoPackage files, and the parts shared with shapefiles."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from data.intake import RawChunk
from etl.sources.chunks import (
    SourceError,
    check_crs,
    check_headings,
    our_columns,
    regroup,
    wanted_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from data.source import Source

_BATCH_ROWS: Final = 65_536
_SQLITE: Final = b"SQLite format 3\0"


def read_chunks(source: Source, path: Path, *, rows: int) -> Iterator[RawChunk]:
    """Chunks of a layer; see `etl.sources.read_chunks`."""
    return regroup(_pieces(source, path), rows)


def headings(source: Source, path: Path) -> list[str]:
    """Fields of the layer."""
    return [str(name) for name in _layer(source, path)["fields"]]


def _pieces(source: Source, path: Path) -> Iterator[RawChunk]:
    layer = _layer(source, path)
    check_headings(source, [str(name) for name in layer["fields"]])
    read = 0
    with pyogrio.open_arrow(
        path,
        layer=layer["layer_name"],
        columns=wanted_columns(source),
        read_geometry=needs_points(source, layer),
        batch_size=_BATCH_ROWS,
        use_pyarrow=True,
    ) as (meta, reader):
        for batch in reader:
            rows = pa.Table.from_batches([batch])
            numbers = np.arange(read + 1, read + len(rows) + 1)
            read += len(rows)
            points = read_points(rows, meta) if needs_points(source, layer) else None
            yield RawChunk(our_columns(source, _own_clock(rows, source), numbers, points))
    # GDAL ends at a damaged page as if the layer ended there.
    if read != layer["features"]:
        raise SourceError(f"gives {read:,} of its {layer['features']:,} rows; export it again")


def _own_clock(rows: pa.Table, source: Source) -> pa.Table:
    """
    Times as they are written, without the zone that the format forces on them.

    GeoPackage has no local times: GDAL and QGIS write them with a Z all the same. The clock is
    therefore the source's (`time_zone`), unless its `time_format` says that zones are given.
    """
    if any("%z" in form for form in source.time_format):
        return rows
    fields = [
        field.with_type(pa.timestamp(field.type.unit))
        if pa.types.is_timestamp(field.type)
        else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))


def needs_points(source: Source, layer: dict[str, Any]) -> bool:
    """Whether points come from geometries; their frame is then checked."""
    if layer["geometry_type"] is None or "lng" in source.columns:
        return False
    check_crs(source, layer["crs"])
    return True


def read_points(rows: pa.Table, meta: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    """`lng` and `lat` of point geometries, also of groups of one; else not-a-number."""
    column = meta["geometry_name"] or "wkb_geometry"
    shapes = shapely.from_wkb(rows.column(column).to_numpy(), on_invalid="ignore")
    # Coordinates that are no numbers make an empty point, which has none at all.
    alone = (shapely.get_num_geometries(shapes) == 1) & ~shapely.is_empty(shapes)
    shapes = np.where(alone, shapely.get_geometry(shapes, 0), None)
    # Of anything but a point these are not-a-number.
    return {"lng": shapely.get_x(shapes), "lat": shapely.get_y(shapes)}


def _layer(source: Source, path: Path) -> dict[str, Any]:
    """What GDAL says of the source's layer, the first one where it names none."""
    with path.open("rb") as stream:
        if stream.read(len(_SQLITE)) != _SQLITE:
            raise SourceError("is no GeoPackage; export it again")
    with warnings.catch_warnings():
        # A layer without a row count or frame is worth no warning: both are looked at here.
        warnings.simplefilter("ignore", RuntimeWarning)
        names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if not names:
            raise SourceError("holds no layer; export it again")
        if source.sheet and source.sheet not in names:
            raise SourceError(
                f"has no layer {source.sheet!r}; it has {', '.join(names)}; correct `sheet`"
            )
        info: dict[str, Any] = pyogrio.read_info(
            path, layer=source.sheet or names[0], force_feature_count=True
        )
    return info
