"""`warnings.toml`: read strictly, every fault at once; routes, units and the ladder."""

import shutil

import pytest

from data.warnings import settings as reading
from data.warnings.kinds import Unit
from data.warnings.settings import WarningSettingsError, read_warning_settings
from tests.data.warnings.town import CITY, COMMUNITY, COUNTY, TOWNSHIP, TREE

DEFAULT = reading.Path(str(reading.resources.files("data"))) / "reference" / reading.FILE


@pytest.fixture
def change(tmp_path):
    """Replace a piece of the default and read it as a city's own."""
    shutil.copy(DEFAULT, tmp_path / reading.FILE)

    def changed(*pairs):
        path = tmp_path / reading.FILE
        text = path.read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        return read_warning_settings(tmp_path)

    return changed


def test_the_default_has_the_clocks_of_the_regulations():
    found = read_warning_settings(None)
    assert found.clocks.stages == {"assign": 1, "sign": 2, "handle": 3, "archive": 7}
    assert found.clocks.risks == {"high": 1, "medium": 3, "low": 7}
    assert found.urgencies == {4: "high", 3: "medium", 2: "low", 1: "low"}
    assert {one.kind for one in found.rules} == set(reading.KINDS)


def test_a_citys_own_file_replaces_the_default(change):
    found = change(
        ('days = "calendar"', 'days = "working"'),
        ('work_from = "00:00"', 'work_from = "08:30"'),
        ('work_until = "00:00"', 'work_until = "17:30"'),
    )
    assert (found.clocks.days, f"{found.clocks.start:%H:%M}") == ("working", "08:30")


def test_a_folder_without_the_file_has_the_default(tmp_path):
    assert read_warning_settings(tmp_path) == read_warning_settings(None)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('days = "calendar"', 'days = "lunar"', "`days` is 'lunar'"),
        ('work_from = "00:00"', 'work_from = "9 Uhr"', '`work_from` must be a time as "09:00"'),
        ('work_from = "00:00"', 'work_from = "09:00"\nwork_to = "x"', "unknown key `work_to`"),
        ("repeat_days = 31", "repeat_days = 0", "`repeat_days` must be 1 to 366"),
        ("assign = 1", "assign = 0", "`assign` must be days above 0"),
        ("high = 1", "high = nan", "`high` must be days above 0"),
        ("archive = 7", "", "[stages]: `archive` is missing"),
        ('red = "high"', 'red = "now"', "`red` is 'now'"),
        ('grid = "grid_chief"', 'grid = "leader"', "[units] `grid` is 'leader'"),
        ('measure = "notice"', 'measure = "shout"', "[[ladder]] 1: `measure` is 'shout'"),
        ("repeats = 3", "repeats = 5", "[[ladder]] must rise"),
        ("tiers = 1", "tiers = 4", "[[ladder]] must rise"),
        ('kind = "index"', 'kind = "mood"', "[[rule]] 1: `kind` is 'mood'"),
        ('name = "index_red"', 'name = "Index"', "[[rule]] 1: `name` must be"),
        ('name = "index_red"', 'name = "person"', "none may be `person`"),
        ('name = "index_red"', 'name = "signal"', "rule names must differ"),
        ('levels = ["county", "township"]', 'levels = ["village"]', "`levels` must be of city"),
        ("threshold = 4", "threshold = -1", "`threshold` must be above 0"),
        ("share = 0.12\ncolour = 3", "share = 0.12\ncolour = 0", "`colour` must be 1 to 4"),
        ("share = 0.12", "share = 1.2", "`share` is for `overdue` alone, and must be 0 to 1"),
        ("colours = [4]", "colours = [true]", "`colours` must be of 4, 3, 2, 1"),
        ("groups = []", 'groups = ["x y"]', "`groups` must be names"),
        ('owner = "county"', 'owner = "moon"', "[[route]] 1: `owner` is 'moon'"),
        ("levels = []\ngroups = []\ncolours = []", "colours = [2]", "must fit everything"),
        ("[[ladder]]", "[ladder]", "is no TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(change, old, new, said):
    with pytest.raises(WarningSettingsError) as error:
        change((old, new))
    assert said in str(error.value)


def test_all_faults_come_at_once(change):
    with pytest.raises(WarningSettingsError) as error:
        change(('days = "calendar"', 'days = "x"'), ("sign = 2", "sign = -2"))
    assert "`days`" in str(error.value)
    assert "`sign`" in str(error.value)


GRID = TREE.path("grid", "G1")


@pytest.mark.parametrize(
    ("places", "colour", "repeats", "owner"),
    [
        (GRID, 4, 1, COUNTY),
        (GRID, 3, 1, TOWNSHIP),
        (GRID, 2, 1, Unit("grid_chief", "grid", "G1")),
        (TREE.path("community", "C1"), 2, 1, COMMUNITY),
        (TREE.path("township", "T1"), 3, 1, TOWNSHIP),
        (TREE.path("county", "11"), 4, 1, COUNTY),
        (TREE.path("city", "1"), 4, 1, CITY),
        # Without a township the next unit above owns it.
        ((GRID[0], GRID[3], GRID[4]), 3, 1, COUNTY),
        # The ladder: 3 running one unit higher, 4 two, 5 three, and never above the city.
        (GRID, 2, 2, Unit("grid_chief", "grid", "G1")),
        (GRID, 2, 3, COMMUNITY),
        (GRID, 2, 4, TOWNSHIP),
        (GRID, 2, 5, COUNTY),
        (GRID, 2, 9, COUNTY),
        (GRID, 4, 5, CITY),
    ],
)
def test_routes_and_the_ladder_find_the_owner(places, colour, repeats, owner):
    assert read_warning_settings(None).owner(places, "all", colour, repeats) == owner


def test_a_route_can_ask_for_a_group(change):
    found = change(("groups = []\ncolours = [4]", 'groups = ["hazards"]\ncolours = [4]'))
    assert found.owner(GRID, "hazards", 4, 1) == COUNTY
    assert found.owner(GRID, "police", 4, 1) == Unit("grid_chief", "grid", "G1")


@pytest.mark.parametrize(
    ("repeats", "measure"), [(1, ""), (2, ""), (3, "notice"), (4, "talk"), (5, "further"), (8, "further")]
)  # fmt: skip
def test_the_ladder_asks_for_measures(repeats, measure):
    assert read_warning_settings(None).rung(repeats).measure == measure


def test_above_a_unit_is_that_of_the_area_around_and_nothing_above_the_city():
    found = read_warning_settings(None)
    chain = [Unit("grid_chief", "grid", "G1")]
    while (above := found.above(chain[-1], GRID)) is not None:
        chain.append(above)
    assert chain[1:] == [COMMUNITY, TOWNSHIP, COUNTY, CITY]
    below = Unit("grid_chief", "grid", "G2")
    assert found.above(below, TREE.path("community", "C1")) == COMMUNITY
