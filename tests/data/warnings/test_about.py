"""Warnings about the areas of a list."""

from data.warnings.about import about
from tests.data.warnings.town import LEADER, OUTSIDER, opened

GRID, OTHER = ("grid", "G1"), ("grid", "G2")


def test_the_newest_one_about_each_area_is_found(warnings):
    opened(warnings, "a")
    second = opened(warnings, "b")
    found = about(warnings, LEADER, ["index_red"], [GRID, OTHER])
    assert found == {GRID: second}


def test_other_rules_other_areas_and_other_scopes_find_nothing(warnings):
    opened(warnings)
    assert about(warnings, LEADER, ["facility_overdue"], [GRID]) == {}
    assert about(warnings, LEADER, ["index_red"], [OTHER, ("community", "C1")]) == {}
    assert about(warnings, LEADER, ["index_red"], []) == {}
    assert about(warnings, OUTSIDER, ["index_red"], [GRID]) == {}
