"""Wrong places and times of five true cities: the right reason in every case, no false alarms."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from etl.boundaries import Boundaries
from etl.points import PointFault, check_row_points
from etl.times import parse_times
from geo import crs
from geo.boundaries import repair

TRUE_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "lanzhou"
CITIES = {
    # CGCS2000, three-degree zone without its number in the east coordinate.
    "lanzhou": "EPSG:4544",
    "jiuquan": "EPSG:4542",
    "jiayuguan": "EPSG:4542",
    "tianjin": "EPSG:4548",
    "chongqing": "EPSG:4545",
}
ROWS = 200
CLEAN_ROWS = 20_000


@pytest.fixture(scope="module", params=list(CITIES))
def city(request):
    path = TRUE_DATA / f"{request.param}_city.geojson"
    if not path.is_file():
        pytest.skip("the true polygons are not beside this repository")
    found = pyogrio.read_dataframe(path)
    shape = repair(crs.geometries_to_wgs84(found.geometry.to_numpy(), frame="GCJ-02"))
    built = Boundaries(pd.DataFrame(), {"city": shape}, "")
    lng, lat = points_in(shape[0], CLEAN_ROWS)
    return SimpleNamespace(
        shape=shape[0], limits=built.limits, lng=lng, lat=lat, zone=CITIES[request.param]
    )


def points_in(shape, count):
    rng = np.random.default_rng(14)
    west, south, east, north = shapely.bounds(shape)
    shapely.prepare(shape)
    lng, lat = rng.uniform(west, east, 40 * count), rng.uniform(south, north, 40 * count)
    inside = np.flatnonzero(shapely.contains_xy(shape, lng, lat))[:count]
    assert len(inside) == count
    return lng[inside], lat[inside]


def written(lng, lat, frame):
    """WGS 84 as an office would write it in its own frame."""
    if frame in ("GCJ-02", "BD-09"):
        lng, lat = crs.wgs84_to_gcj02(lng, lat)
    if frame == "BD-09":
        lng, lat = crs.gcj02_to_bd09(lng, lat)
    if frame.startswith("EPSG:45"):
        to_zone = pyproj.Transformer.from_crs("EPSG:4326", frame, always_xy=True)
        lng, lat = to_zone.transform(lng, lat)
    return lng, lat


def texts(values, form="{:.6f}"):
    return [form.format(value) for value in values]


def wide(text):
    """Digits as some input methods type them."""
    return "".join(chr(ord(sign) + 0xFEE0) for sign in text)


def both(change):
    """Apply one change to each coordinate."""
    return lambda lng, lat: (change(lng), change(lat))


# Name: frame that the source declares, what stands in the row instead of the right numbers, fault.
CASES = {
    # Right numbers are never complained of.
    "wgs84": ("EPSG:4326", None, PointFault.FINE),
    "cgcs2000": ("EPSG:4490", None, PointFault.FINE),
    "gcj02": ("GCJ-02", None, PointFault.FINE),
    "bd09": ("BD-09", None, PointFault.FINE),
    "zone": ("zone", None, PointFault.FINE),
    "text": ("EPSG:4326", both(texts), PointFault.FINE),
    "text with spaces": ("GCJ-02", both(lambda v: texts(v, " {:.6f} ")), PointFault.FINE),
    # The two coordinates changed places.
    "swapped wgs84": ("EPSG:4326", lambda lng, lat: (lat, lng), PointFault.SWAPPED),
    "swapped cgcs2000": ("EPSG:4490", lambda lng, lat: (lat, lng), PointFault.SWAPPED),
    "swapped gcj02": ("GCJ-02", lambda lng, lat: (lat, lng), PointFault.SWAPPED),
    "swapped bd09": ("BD-09", lambda lng, lat: (lat, lng), PointFault.SWAPPED),
    "swapped zone": ("zone", lambda lng, lat: (lat, lng), PointFault.SWAPPED),
    "swapped text": ("GCJ-02", lambda lng, lat: (texts(lat), texts(lng)), PointFault.SWAPPED),
    # A form that was never filled in.
    "zero": ("EPSG:4326", both(np.zeros_like), PointFault.ZERO),
    "zero gcj02": ("GCJ-02", both(np.zeros_like), PointFault.ZERO),
    "zero bd09": ("BD-09", both(np.zeros_like), PointFault.ZERO),
    "zero zone": ("zone", both(np.zeros_like), PointFault.ZERO),
    "zero text": ("BD-09", both(lambda v: ["0.000000"] * len(v)), PointFault.ZERO),
    "minus zero": ("EPSG:4326", both(lambda v: -np.zeros(len(v))), PointFault.ZERO),
    "nothing": ("EPSG:4326", both(lambda v: [None] * len(v)), PointFault.NONE_GIVEN),
    # No number, or only one.
    "only lng": ("EPSG:4326", lambda lng, lat: (lng, [None] * len(lat)), PointFault.BAD),
    "only lat": ("GCJ-02", lambda lng, lat: ([None] * len(lng), lat), PointFault.BAD),
    "words": ("EPSG:4326", lambda lng, lat: (["不详"] * len(lng), texts(lat)), PointFault.BAD),
    "unit sign": ("EPSG:4326", both(lambda v: texts(v, "{:.6f}°")), PointFault.BAD),
    "minutes": ("EPSG:4326", both(lambda v: texts(v, "{:.0f}°30′")), PointFault.BAD),
    "full width": ("EPSG:4326", both(lambda v: [wide(x) for x in texts(v)]), PointFault.BAD),
    "infinite": ("EPSG:4326", lambda lng, lat: (np.full(len(lng), np.inf), lat), PointFault.BAD),
    "empty text": ("BD-09", both(lambda v: [""] * len(v)), PointFault.BAD),
    # Numbers of somewhere else.
    "far county": ("GCJ-02", lambda lng, lat: (lng - 12.5, lat + 1.5), PointFault.OUTSIDE),
    "other hemisphere": ("EPSG:4326", lambda lng, lat: (-lng, lat), PointFault.OUTSIDE),
    "south": ("EPSG:4326", lambda lng, lat: (lng, -lat), PointFault.OUTSIDE),
    "lost point": ("EPSG:4326", both(lambda v: v * 1e6), PointFault.OUTSIDE),
    "lost digit": ("EPSG:4326", lambda lng, lat: (lng / 10, lat), PointFault.OUTSIDE),
    "one zero": ("EPSG:4326", lambda lng, lat: (lng, np.zeros(len(lat))), PointFault.OUTSIDE),
    "same twice": ("EPSG:4326", lambda lng, _: (lng, lng), PointFault.OUTSIDE),
    "metres as degrees": ("EPSG:4326", "zone", PointFault.OUTSIDE),
    "degrees as metres": ("zone", "EPSG:4326", PointFault.OUTSIDE),
}


def checked(city, name):
    frame, wrong, _ = CASES[name]
    frame = city.zone if frame == "zone" else frame
    stands = frame
    if isinstance(wrong, str):
        stands = city.zone if wrong == "zone" else wrong
    lng, lat = written(city.lng[:ROWS], city.lat[:ROWS], stands)
    if callable(wrong):
        lng, lat = wrong(lng, lat)
    return check_row_points(pd.Series(lng), pd.Series(lat), frame=frame, limits=city.limits)


@pytest.mark.parametrize("name", list(CASES))
def test_every_wrong_point_gets_its_reason(city, name):
    lng, lat, fault = checked(city, name)
    wanted = CASES[name][2]
    assert np.bincount(fault, minlength=6)[wanted] == ROWS, np.bincount(fault, minlength=6)
    if wanted == PointFault.FINE:
        metres = np.hypot(lng - city.lng[:ROWS], lat - city.lat[:ROWS]) * 111_195
        assert metres.max() < 0.2
    else:
        assert np.isnan(lng).all()
        assert np.isnan(lat).all()


@pytest.mark.parametrize("frame", ["EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09", "zone"])
def test_clean_points_raise_no_alarm(city, frame):
    frame = city.zone if frame == "zone" else frame
    lng, lat = written(city.lng, city.lat, frame)
    found = check_row_points(pd.Series(lng), pd.Series(lat), frame=frame, limits=city.limits)
    assert (found[2] != PointFault.FINE).mean() < 0.001


def test_points_on_the_border_raise_no_alarm(city):
    corners = shapely.get_coordinates(city.shape)
    fault = check_row_points(
        pd.Series(corners[:, 0]), pd.Series(corners[:, 1]), frame="EPSG:4326", limits=city.limits
    )[2]
    assert (fault == PointFault.FINE).all()


@pytest.mark.parametrize(("km", "fault"), [(4.0, PointFault.FINE), (7.0, PointFault.OUTSIDE)])
def test_points_near_the_city_are_kept_and_farther_ones_are_not(city, km, fault):
    corners = shapely.get_coordinates(city.shape)
    top = corners[corners[:, 1].argmax()]
    found = check_row_points(
        pd.Series([top[0]]),
        pd.Series([top[1] + km / 111.195]),
        frame="EPSG:4326",
        limits=city.limits,
    )[2]
    assert found.tolist() == [fault]


def test_a_wrong_frame_shows_only_as_a_shift(city):
    # No row can tell that GCJ-02 was declared as WGS 84: all stay, each off by hundreds of metres.
    lng, lat = written(city.lng[:ROWS], city.lat[:ROWS], "GCJ-02")
    found_lng, found_lat, fault = check_row_points(
        pd.Series(lng), pd.Series(lat), frame="EPSG:4326", limits=city.limits
    )
    assert (fault == PointFault.FINE).all()
    metres = pyproj.Geod(ellps="WGS84").inv(city.lng[:ROWS], city.lat[:ROWS], found_lng, found_lat)[
        2
    ]
    assert metres.min() > 20
    assert metres.max() < 800


def source(*formats, zone="Asia/Shanghai"):
    return SimpleNamespace(time_format=formats, time_zone=zone)


DAY = "%Y-%m-%d %H:%M"
NO_TIME = None
# Name: what stands there, formats of the source, UTC that is meant (None = no time can be read).
TIMES = {
    "naive": ("2026-07-01 08:00", (DAY,), "2026-07-01T00:00Z"),
    "naive past midnight": ("2026-01-01 00:30", (DAY,), "2025-12-31T16:30Z"),
    "with its zone": ("2026-07-01 08:00+0900", (f"{DAY}%z",), "2026-06-30T23:00Z"),
    "zone promised, none given": ("2026-07-01 08:00", (f"{DAY}%z",), NO_TIME),
    "second format": ("20260701080000", (DAY, "%Y%m%d%H%M%S"), "2026-07-01T00:00Z"),
    "spaces": (" 2026-07-01 08:00 ", (DAY,), "2026-07-01T00:00Z"),
    "future": ("2031-05-01 08:30", (DAY,), "2031-05-01T00:30Z"),
    "leap day": ("2024-02-29 12:00", (DAY,), "2024-02-29T04:00Z"),
    "no leap day": ("2025-02-29 12:00", (DAY,), NO_TIME),
    "thirteenth month": ("2026-13-01 12:00", (DAY,), NO_TIME),
    "day and month turned": ("2026-31-12 12:00", (DAY,), NO_TIME),
    "words": ("二月三十日", (DAY,), NO_TIME),
    "empty": ("", (DAY,), NO_TIME),
    "nothing": (None, (DAY,), NO_TIME),
    # China had summer time from 1986 to 1991.
    "summer 1988": ("1988-07-01 12:00", (DAY,), "1988-07-01T03:00Z"),
    "winter 1988": ("1988-12-01 12:00", (DAY,), "1988-12-01T04:00Z"),
    "hour left out 1986": ("1986-05-04 02:30", (DAY,), "1986-05-03T18:00Z"),
    "hour shown twice 1986": ("1986-09-14 01:30", (DAY,), "1986-09-13T16:30Z"),
    "last summer 1991": ("1991-09-15 12:00", (DAY,), "1991-09-15T04:00Z"),
    "after 1991": ("1992-07-01 12:00", (DAY,), "1992-07-01T04:00Z"),
}


@pytest.mark.parametrize("name", list(TIMES))
def test_every_time_is_the_meant_one_or_none(name):
    stands, formats, meant = TIMES[name]
    found = parse_times(pd.Series([stands], dtype="str"), source(*formats))
    assert str(found.dtype) == "datetime64[us, UTC]"
    if meant is None:
        assert found.isna().all()
    else:
        assert found[0] == pd.Timestamp(meant)


def test_typed_times_are_of_the_source_s_zone():
    naive = pd.Series(pd.to_datetime(["2026-07-01 08:00", "1988-07-01 12:00"]))
    found = parse_times(naive, source(DAY))
    assert found.tolist() == [pd.Timestamp("2026-07-01T00:00Z"), pd.Timestamp("1988-07-01T03:00Z")]
    aware = naive.dt.tz_localize("Asia/Shanghai")
    assert parse_times(aware, source(DAY)).tolist() == found.tolist()


def test_every_minute_of_two_years_is_read():
    wall = pd.Series(pd.date_range("2024-11-18", periods=CLEAN_ROWS, freq="53min"))
    found = parse_times(wall.dt.strftime(DAY).astype("str"), source(DAY))
    assert (found == (wall - pd.Timedelta(hours=8)).dt.tz_localize("UTC")).all()
