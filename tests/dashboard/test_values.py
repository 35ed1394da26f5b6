import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dashboard import queries
from dashboard.map import values as map_values
from dashboard.map.measures import measured
from dashboard.text import Words
from dashboard.view import settle
from data.rates import SMALL_SAMPLE
from tests.dashboard.drawing import drawn_values
from tests.dashboard.squares import CITY, read_numbers, read_pairs


@given(hnp.arrays(np.int64, st.integers(0, 50), elements=st.integers(0, 2**31 - 1)))
def test_numbers_are_read_as_they_were_written(numbers):
    assert read_numbers(map_values.written(numbers)).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("number", "text"), [(0, "A"), (3, "D"), (31, "f"), (32, "hA"), (35, "hD"), (1024, "hgA")]
)
def test_digits_stand_highest_first(number, text):
    assert map_values.written(np.array([number])) == text


@given(hnp.arrays(np.uint8, st.integers(0, 50), elements=st.integers(0, 7)))
def test_pairs_are_read_as_they_were_written(bands):
    assert read_pairs(map_values.paired(bands), len(bands)).tolist() == bands.tolist()


@pytest.mark.parametrize(("most", "how"), [(7, "pairs"), (8, "bands")])
def test_bands_without_counts_go_in_pairs_where_eight_suffice(most, how):
    bands = np.array([0, most, 1], dtype=np.uint8)
    assert how in map_values.packed(bands)
    assert "bands" in map_values.packed(bands, bands.astype(np.int64))


def test_small_samples_follow_from_counts(snapshot):
    view = settle(CITY, snapshot, "?level=grid&periods=1")
    packed = drawn_values(CITY, snapshot, "?level=grid&periods=1")
    bands, counts = read_numbers(packed["bands"]), read_numbers(packed["counts"])
    rates = queries.level_rates(CITY, snapshot, "grid", view.selection)
    shown = (bands > 0) & (bands < map_values.OUTSIDE)
    assert packed["small"] == SMALL_SAMPLE
    assert shown.any()
    np.testing.assert_array_equal((counts < packed["small"])[shown], rates.small_sample[shown])
    assert rates.small_sample[shown].any()


def test_the_version_follows_the_content(snapshot):
    def version(search):
        return drawn_values(CITY, snapshot, search)["version"]

    assert version("?level=grid") == version("?level=grid&lang=en")
    assert version("?level=grid") != version("?level=grid&periods=1")


def test_without_counts_a_small_sample_is_told_by_its_band(snapshot):
    view = settle(CITY, snapshot, "?level=grid&periods=1")
    found = measured(CITY, snapshot, view, "rate", Words("zh"))
    whole = map_values.area_values(CITY, snapshot, view, found)
    short = map_values.area_values(CITY, snapshot, view, found, is_counted=False)
    bands, counts = read_numbers(whole["bands"]), read_numbers(whole["counts"])
    is_small = (bands > 0) & (bands < map_values.OUTSIDE) & (counts < whole["small"])
    assert "counts" not in short
    assert is_small.any()
    assert read_numbers(short["bands"]).tolist() == (bands + 16 * is_small).tolist()


def test_levels_of_many_areas_send_no_counts(snapshot, monkeypatch):
    monkeypatch.setattr(map_values, "MOST_COUNTED", 4)
    assert "counts" not in drawn_values(CITY, snapshot, "?level=grid&periods=9")
    beside = drawn_values(CITY, snapshot, "?level=grid&periods=9&compare=before")
    assert "counts" in beside
    assert "counts" in beside["other"]
