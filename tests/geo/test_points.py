import numpy as np
import pytest

from geo.points import check_points, distinct_points


def test_distinct_points_keep_the_order_of_first_appearance():
    lng = np.array([2.0, 1.0, 2.0, np.nan, 1.0, 3.0])
    lat = np.array([5.0, 5.0, 5.0, 5.0, 6.0, np.nan])

    point_lng, point_lat, point_of_row = distinct_points(lng, lat)

    assert point_lng.tolist() == [2.0, 1.0, 1.0]
    assert point_lat.tolist() == [5.0, 5.0, 6.0]
    assert point_of_row.tolist() == [0, 1, 0, -1, 2, -1]


def test_signed_zeros_are_one_point():
    point_lng, _, point_of_row = distinct_points(np.array([0.0, -0.0]), np.array([-0.0, 0.0]))

    assert len(point_lng) == 1
    assert point_of_row.tolist() == [0, 0]


def test_coordinates_outside_the_world_are_named_by_row():
    with pytest.raises(ValueError) as error:
        check_points([10.0, 190.0, 10.0, np.inf], [20.0, 20.0, -91.0, 20.0])

    assert str(error.value) == (
        "points: 3 of 4 rows lie outside ±180, ±90 degrees (rows 1, 2, 3); "
        "check the order lng, lat and the frame of the source"
    )


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"`lng` and `lat` have shapes \(2,\) and \(1,\)"):
        check_points([1.0, 2.0], [1.0])
