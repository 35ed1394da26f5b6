import pandas as pd
import pytest

from data.access import (
    NOBODY,
    WHOLE_CITY,
    DeniedError,
    Grant,
    Scope,
    decide,
    narrowed,
    require,
    visible_areas,
)

AREAS = pd.DataFrame(
    [
        ("city", 0, "99", -1),
        ("county", 0, "9901", 0),
        ("county", 1, "9902", 0),
        ("grid", 0, "990101", 0),
        ("grid", 1, "990102", 0),
        ("grid", 2, "990201", 1),
        ("grid", 3, "stray", -1),
        ("grid", 4, "9901", 1),
    ],
    columns=["level", "area_index", "code", "parent_index"],
)


def scope_of(*grants, user="u"):
    return Scope(user=user, grants=frozenset(Grant(*grant) for grant in grants))


def seen(*grants):
    return AREAS.index[visible_areas(scope_of(*grants), AREAS)].tolist()


def test_a_scope_covers_its_subtree_and_nothing_else():
    assert seen(("township", "county", "9901")) == [1, 3, 4]
    assert seen(("grid_chief", "grid", "990201")) == [5]
    assert seen(("leader", "county", "9902"), ("grid_chief", "grid", "990101")) == [2, 3, 5, 7]


def test_two_levels_with_one_code_are_two_areas():
    assert seen(("grid_chief", "grid", "9901")) == [7]
    assert seen(("leader", "county", "9901")) == [1, 3, 4]


def test_the_city_covers_all_but_what_hangs_nowhere():
    assert seen(("leader", "city", "99")) == [0, 1, 2, 3, 4, 5, 7]
    assert seen(("leader", "city", WHOLE_CITY)) == AREAS.index.tolist()


def test_nobody_and_unknown_codes_see_nothing():
    assert not visible_areas(NOBODY, AREAS).any()
    assert (
        seen(("leader", "county", "9901 "), ("leader", "county", "990"), ("leader", "x", "9901"))
        == []
    )


@pytest.mark.parametrize(
    "role", ["public", "system_admin", "security_admin", "audit_admin", "king"]
)
def test_a_role_without_a_map_sees_no_area_whatever_it_was_given(role):
    assert seen((role, "county", "9901"), (role, "city", WHOLE_CITY)) == []


def test_equal_rights_give_equal_cache_keys_whatever_the_name():
    one = scope_of(("leader", "county", "9902"), ("leader", "county", "9901"), user="a")
    two = scope_of(("township", "county", "9901"), ("command", "county", "9902"), user="b")
    other = scope_of(("leader", "county", "9901"), user="a")
    assert one.cache_key == two.cache_key != other.cache_key
    public = scope_of(("public", "city", "*"))
    assert public.cache_key != NOBODY.cache_key


def test_only_what_needs_a_reason_everywhere_needs_one():
    assert decide(scope_of(("leader",)), "export").needs_reason
    assert not decide(scope_of(("leader",)), "map").needs_reason


def test_a_right_of_one_role_does_not_reach_into_the_areas_of_another():
    both = scope_of(("grid_chief", "grid", "990201"), ("township", "county", "9901"))
    assert decide(both, "export").areas == {("county", "9901")}
    assert visible_areas(narrowed(both, "export"), AREAS).nonzero()[0].tolist() == [1, 3, 4]


def test_an_edition_is_public_only_where_nothing_else_was_given():
    assert decide(scope_of(("public",)), "compare").edition == "public"
    assert (
        decide(scope_of(("public",), ("grid_chief", "grid", "1")), "compare").edition == "internal"
    )
    assert decide(scope_of(("audit_admin",)), "compare").edition == ""


def test_what_is_not_allowed_is_refused_and_an_unknown_action_is_a_fault():
    with pytest.raises(DeniedError, match="u may not users_change"):
        require(scope_of(("leader",)), "users_change")
    with pytest.raises(KeyError, match="has no action"):
        decide(scope_of(("leader",)), "fly")
