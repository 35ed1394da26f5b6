"""The time machine: what was known in an earlier snapshot, beside what is known now."""

import pytest
from dash._utils import to_json

from dashboard.app import create_app
from dashboard.map import drawn
from data.archive import Archive
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import CITY, COUNTY, FixedProvider, call, client, publish

LATE = 700
EARLIER = "20261115T000000Z-0badcafe"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A home where 700 incidents came after the first of two snapshots."""
    home = tmp_path_factory.mktemp("two")
    publish(home, made="20261115", late=LATE)
    publish(home)
    return Store(home)


def draw(scope, store, search):
    archive = Archive(store)
    return drawn.draw_map(
        scope, store.current(), search=search, fragment="", resolution=None, archive=archive
    )


def test_the_days_on_offer_are_those_kept(two, store):
    kept = Archive(two).earlier(two.current())
    assert [each.id for each in kept] == [EARLIER]
    assert Archive(store).earlier(store.current()) == ()


def test_the_second_map_is_that_of_the_earlier_snapshot(two, tmp_path):
    publish(tmp_path, made="20261115", late=LATE)
    search = "?level=township&measure=count&periods=52"
    alone = drawn.draw_map(
        CITY, Store(tmp_path).current(), search=search, fragment="", resolution=None
    )
    answer = draw(CITY, two, f"{search}&compare=known.{EARLIER}")
    assert answer["values"]["other"] == alone["values"]
    assert answer["values"]["counts"] != alone["values"]["counts"]
    assert answer["view"]["other"]["boundary"] == alone["view"]["boundary"]
    assert answer["view"]["title"] != answer["view"]["other"]["title"]


def test_the_difference_is_told_as_a_sum_that_closes(two):
    search = "?periods=52&end=2026-W46&lang=en"
    now = two.current()
    counts = now.query("SELECT sum(count)::BIGINT AS n FROM area_counts_city WHERE period_start > DATE '2025-11-10'")["n"][0]  # fmt: skip
    before = two.past(EARLIER).query("SELECT sum(count)::BIGINT AS n FROM area_counts_city WHERE period_start > DATE '2025-11-10' AND area_index = 0")["n"][0]  # fmt: skip
    own = now.query("SELECT sum(count)::BIGINT AS n FROM area_counts_city WHERE period_start > DATE '2025-11-10' AND area_index = 0")["n"][0]  # fmt: skip
    assert counts >= own > before
    legend = to_json(draw(CITY, two, f"{search}&compare=known.{EARLIER}")["legend"])
    assert f"{before:,d} then, {own:,d} now ({own - before:+,d})" in legend


@pytest.mark.parametrize("name", ["20261101T000000Z-0badcafe", "../../etc", "x" * 60, ""])
def test_what_is_not_kept_is_not_opened(two, name):
    answer = draw(CITY, two, f"?compare=known.{name}")
    assert "other" not in answer["view"]
    with pytest.raises(LookupError):
        Archive(two).open(two.current(), name)


def test_a_damaged_one_leaves_the_map_as_it_is(tmp_path):
    publish(tmp_path, made="20261115", late=LATE)
    publish(tmp_path)
    store = Store(tmp_path)
    store.current()
    for file in (tmp_path / "snapshots" / EARLIER).rglob("*.parquet"):
        file.write_bytes(b"damaged")
    assert "other" not in draw(CITY, store, f"?compare=known.{EARLIER}")["view"]


def test_another_process_has_the_tiles_of_what_is_looked_back_on(two, store):
    other = Store(two.home)
    assert Archive(other).of_version(EARLIER).id == EARLIER


def test_a_county_scope_looks_back_on_its_own_area_only(two):
    app = create_app(Settings(home=two.home), two, provider=FixedProvider(COUNTY))
    search = f"?level=township&measure=count&compare=known.{EARLIER}"
    found = call(app, "map-view.data", {"url.search": search}, ["address.data"])
    alone = call(app, "map-view.data", {"url.search": "?level=township&measure=count"}, [])
    own = {i for i, digit in enumerate(alone["map-values"]["data"]["bands"])}
    assert own
    assert found["map-values"]["data"]["other"]["n"] == alone["map-values"]["data"]["n"]
    assert client(app).get(f"/frames{search}").status_code == 200
