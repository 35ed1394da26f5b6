"""The permission matrix, cell by cell: what the product promises, written out a second time."""

import pytest

from data.access import Grant, Scope, decide
from data.permissions import ADMINISTRATORS, DENIED, matrix

# fmt: off
EXPECTED = {
    #                public   wall     chief    community township command leader   analyst  system  security audit
    "map":           "wider   own      own      own      own      own     own      own      -       -        -",
    "cells":         "-       own      own      own      own      own     own      own      -       -        -",
    "points":        "-       -        own      own      own      own     own      own      -       -        -",
    "compare":       "wider   wider    wider    wider    wider    wider   wider    wider    -       -        -",
    "export":        "-       -        -        -        own+     own+    own+     own+     -       -        -",
    "report":        "-       -        -        -        own      own     own      own      -       -        -",
    "letters":       "-       -        own      own      own      own     own      own      -       -        -",
    "letters_change": "-      -        -        -        own+     own+    own+     -        -       -        -",
    "report_event":  "-       -        own      own      own      -       -      -        -       -        -",
    "share":         "-       -        -        -        own+     own+    own+     -        -       -        -",
    "warnings":      "-       own      own      own      own      own     own      own      -       -        -",
    "warnings_act":  "-       -        own      own      own      own     -        -        -       -        -",
    "views":         "-       -        self     self     self     self    self     self     -       -        -",
    "account":       "-       -        self     self     self     self    self     self     self    self     self",
    "upload":        "-       -        -        -        -        -       -        -        all+    -        -",
    "users_read":    "-       -        -        -        -        -       -        -        -       all      all",
    "users_change":  "-       -        -        -        -        -       -        -        -       all+     -",
    "settings_read": "-       -        -        -        -        -       -        -        all     all      all",
    "settings_change": "-     -        -        -        -        -       -        -        -       all+     -",
    "audit":         "-       -        self     self     self     self    self     self     self    self     all",
}
# fmt: on
ROLES = (
    "public",
    "wall",
    "grid_chief",
    "community",
    "township",
    "command",
    "leader",
    "analyst",
    *ADMINISTRATORS,
)  # fmt: skip
CELLS = [
    (action, role, cell)
    for action, cells in EXPECTED.items()
    for role, cell in zip(ROLES, cells.split(), strict=True)
]


def test_the_matrix_has_these_actions_and_roles_and_no_others():
    assert set(matrix().actions) == set(EXPECTED)
    assert tuple(matrix().roles) == ROLES


@pytest.mark.parametrize(("action", "role", "cell"), CELLS)
def test_each_cell_decides_as_promised(action, role, cell):
    grant = Grant(role, "township", "9901")
    decision = decide(Scope("u", frozenset({grant})), action)
    reach = cell.removesuffix("+")
    assert decision.is_allowed == (reach != "-")
    assert decision.areas == ({("township", "9901")} if reach == "own" else set())
    assert bool(decision.edition) == (reach == "wider")
    assert decision.needs_reason == cell.endswith("+")
    assert decision.is_own_only == (reach == "self")


def test_an_unknown_role_has_no_right():
    assert matrix().right("map", "emperor") == DENIED


def test_every_name_stands_in_both_languages():
    for action, titles in matrix().actions.items():
        assert all(titles), action
    assert all(role.title_zh and role.title_en for role in matrix().roles.values())
