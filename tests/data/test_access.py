import pandas as pd

from data.access import NOBODY, WHOLE_CITY, Scope, visible_areas

AREAS = pd.DataFrame(
    [
        ("city", 0, "99", -1),
        ("county", 0, "9901", 0),
        ("county", 1, "9902", 0),
        ("grid", 0, "990101", 0),
        ("grid", 1, "990102", 0),
        ("grid", 2, "990201", 1),
        ("grid", 3, "stray", -1),
    ],
    columns=["level", "area_index", "code", "parent_index"],
)


def seen(*codes):
    scope = Scope(user="u", role="r", area_codes=frozenset(codes))
    return AREAS["code"][visible_areas(scope, AREAS)].tolist()


def test_a_scope_covers_its_subtree_and_nothing_else():
    assert seen("9901") == ["9901", "990101", "990102"]
    assert seen("990201") == ["990201"]
    assert seen("9902", "990101") == ["9902", "990101", "990201"]


def test_the_city_covers_all_but_what_hangs_nowhere():
    assert seen("99") == AREAS["code"].tolist()[:-1]
    assert seen(WHOLE_CITY) == AREAS["code"].tolist()


def test_nobody_and_unknown_codes_see_nothing():
    assert not visible_areas(NOBODY, AREAS).any()
    assert seen("99 ", "990") == []


def test_equal_rights_give_equal_cache_keys_whatever_the_name():
    one = Scope(user="a", role="x", area_codes=frozenset({"2", "1"}))
    two = Scope(user="b", role="y", area_codes=frozenset({"1", "2"}))
    other = Scope(user="a", role="x", area_codes=frozenset({"1"}))
    assert one.cache_key == two.cache_key != other.cache_key
