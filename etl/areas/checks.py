"""Checks of a level's polygons: tiling, nesting, frame, repairs, and what the ledger says."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyproj
import shapely
from pyproj.aoi import AreaOfInterest
from pyproj.transformer import TransformerGroup

from etl.areas.report import Finding, listed, located
from geo import boundaries, crs, tiling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from etl.areas.read import AreaFile
    from geo.tiling import Places

FRAMES: Final = ("WGS84", "GCJ-02", "BD-09")
"""Frames that a file in degrees is tried under."""

_SUSPICIOUS: Final = 0.5
"""Another frame is suspected where it leaves less than this part of the ground outside."""
_WORTH_KM2: Final = 0.01
_FRAME_SAMPLE: Final = 2_000
_FAR_DEGREES: Final = 0.001
_STATED_TOLERANCE: Final = 0.05
_SAME_DATUM: Final = ("China 2000", "World Geodetic System 1984 ensemble")
_HOUSEHOLDS: Final = (300.0, 500.0)


@dataclass(frozen=True)
class Parents:
    """Level above, as valid on the date of the load: its name, codes and polygons."""

    level: str
    codes: NDArray[np.object_]
    polygons: NDArray[np.object_]

    def index_of(self, named: NDArray[np.object_]) -> NDArray[np.int64]:
        """Position of each parent code, -1 for none or an unknown one."""
        position = {code: index for index, code in enumerate(self.codes)}
        return np.array([position.get(code, -1) for code in named], dtype=np.int64)


def check_shapes(file: AreaFile) -> list[Finding]:
    """Empty, repaired, holed and many-part polygons, and areas beside the stated ones."""
    rows = file.rows
    shapes, names = rows.geometry.to_numpy(), _names(file)
    empty = np.flatnonzero(shapely.is_empty(shapes))
    repaired = [f"{names[row]}: {reason}" for row, reason in file.faults.items()]
    parts, owner = shapely.get_parts(shapes, return_index=True)
    holed = np.unique(owner[shapely.get_num_interior_rings(parts) > 0])
    many = np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
    stated = rows["area_km2"].to_numpy()
    measured = boundaries.area_km2(shapes)
    off = np.flatnonzero(np.abs(measured - stated) > _STATED_TOLERANCE * stated)
    return [
        *listed("no_area", [names[row] for row in empty]),
        *listed("repaired", repaired),
        *listed(
            "stated_area",
            [f"{names[row]} {measured[row]:.4f} ≠ {stated[row]:.4f} km²" for row in off],
        ),
        *listed("holes", [names[row] for row in holed]),
        *listed("multi_part", [names[row] for row in many]),
    ]


def check_households(file: AreaFile) -> list[Finding]:
    """Grids whose households lie outside the usual 300-500."""
    households = file.rows["households"].to_numpy()
    least, most = _HOUSEHOLDS
    odd = np.flatnonzero((households < least) | (households > most))
    names = _names(file)
    return listed("households", [f"{names[row]} {households[row]:,.0f}" for row in odd])


def check_tiling(file: AreaFile, parents: Parents | None) -> list[Finding]:
    """Overlaps, gaps, parts outside the parent, and slivers of all three."""
    shapes, names = file.rows.geometry.to_numpy(), _names(file)
    kinds: dict[str, tuple[Places, Callable[[int, int], tuple[str, ...]]]] = {
        "overlap": (
            tiling.overlaps(shapes),
            lambda first, second: (names[first], names[second]),
        )
    }
    if parents is None and len(shapes) > 1:
        # A single polygon tiles nothing: its holes are its own.
        kinds["gap"] = (tiling.holes(shapes), lambda _first, _second: ("–",))
    if parents is not None:
        index, above = parents.index_of(file.rows["parent_code"].to_numpy()), parents.codes
        kinds["gap"] = (
            tiling.gaps(shapes, parents.polygons, index),
            lambda first, _second: (str(above[first]),),
        )
        kinds["outside_parent"] = (
            tiling.spills(shapes, parents.polygons, index),
            lambda first, second: (names[first], str(above[second])),
        )
    findings = []
    for kind, (places, owners) in kinds.items():
        for name, chosen in (
            (kind, places.only(~places.slivers)),
            ("sliver", places.only(places.slivers)),
        ):
            pairs = zip(chosen.first.tolist(), chosen.second.tolist(), strict=True)
            codes = [owners(first, second) for first, second in pairs]
            if name == "sliver":
                codes = [(kind, *code) for code in codes]
            findings += located(name, chosen, codes)
    return findings


def check_within_city(file: AreaFile, city: shapely.Geometry | None) -> list[Finding]:
    """Areas outside the city, and areas with vertices about 100 m or more outside it."""
    if city is None:
        return []
    shapes, names = file.rows.geometry.to_numpy(), _names(file)
    wide = shapely.buffer(city, _FAR_DEGREES)
    shapely.prepare([city, wide])
    apart = ~shapely.intersects(city, shapes) & ~shapely.is_empty(shapes)
    beyond = ~shapely.covers(wide, shapes) & ~apart
    return [
        *listed("outside_city", [names[row] for row in np.flatnonzero(apart)]),
        *listed("beyond_city", [names[row] for row in np.flatnonzero(beyond)]),
    ]


def frame_shares(file: AreaFile, parents: Parents | None) -> dict[str, float]:
    """
    Share of the areas' ground inside their parents, were the file in each frame.

    Returns
    -------
    shares
        Frame to share, of at most 2,000 areas spread over the file; the stated frame first.
        Empty where no area has a known parent.
    """
    if parents is None:
        return {}
    index = parents.index_of(file.rows["parent_code"].to_numpy())
    rows = np.flatnonzero((index >= 0) & ~shapely.is_missing(file.degrees))
    rows = rows[:: max(1, -(-len(rows) // _FRAME_SAMPLE))]
    if not len(rows):
        return {}
    return {
        frame: _share_inside(file.degrees[rows], parents.polygons[index[rows]], frame)
        for frame in dict.fromkeys((_degree_frame(file.frame), *FRAMES))
    }


def check_frame(file: AreaFile, shares: Mapping[str, float], ground_km2: float) -> list[Finding]:
    """Whether the areas would nest much better under another frame."""
    if not shares:
        return []
    stated = _degree_frame(file.frame)
    best = max(shares, key=lambda frame: (shares[frame], frame == stated))
    outside, least = 1 - shares[stated], 1 - shares[best]
    if least >= outside * _SUSPICIOUS or (outside - least) * ground_km2 < _WORTH_KM2:
        return []
    told = f"{file.frame} {shares[stated]:.2%} < {best} {shares[best]:.2%}"
    return [Finding("wrong_frame", 1, (told,))]


def check_datum(file: AreaFile) -> list[Finding]:
    """
    Whether PROJ knows how the frame's datum lies to WGS 84.

    Beijing 1954, Xian 1980 and cities' own frames have no published parameters: PROJ then takes
    their degrees for WGS 84 without a word. For CGCS2000 that is right to centimetres.
    """
    if not file.frame.startswith("EPSG:"):
        return []
    frame = pyproj.CRS.from_user_input(file.frame)
    if frame.datum is None or frame.datum.name in _SAME_DATUM:
        return []
    west, south, east, north = file.rows.total_bounds
    with warnings.catch_warnings():
        # A finer grid file may be missing; what is known serves to a few metres.
        warnings.simplefilter("ignore", UserWarning)
        ways = TransformerGroup(
            frame,
            "EPSG:4326",
            always_xy=True,
            area_of_interest=AreaOfInterest(west, south, east, north),
        ).transformers
    known = any("Ballpark" not in way.description for way in ways)
    return [] if known else [Finding("unknown_shift", 1, (f"{file.frame} {frame.name}",))]


def _degree_frame(frame: str) -> str:
    """Frame of a file's degrees: projected coordinates are WGS 84 once they are degrees."""
    return frame if frame in ("GCJ-02", "BD-09") else "WGS84"


def _share_inside(degrees: NDArray[np.object_], above: NDArray[np.object_], frame: str) -> float:
    shapes = boundaries.repair(crs.geometries_to_wgs84(degrees, frame=frame))
    inside = boundaries.area_km2(shapely.intersection(shapes, above)).sum()
    total = boundaries.area_km2(shapes).sum()
    return float(inside / total) if total else 0.0


def _names(file: AreaFile) -> list[str]:
    return [code or f"feature {row + 1}" for row, code in enumerate(file.rows["code"])]
