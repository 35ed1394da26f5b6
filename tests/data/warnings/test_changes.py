"""What has changed since a step: of the reader's own warnings alone."""

import pytest

from data.access import DeniedError, Scope
from data.warnings import changes
from tests.data.warnings.town import COMMUNITY, LEADER, OUTSIDER, TOWNSHIP, act, opened, post


def test_every_step_is_told_once_to_who_sees_the_warning(warnings):
    database = warnings.database
    assert changes.newest_step(database) == 0
    assert changes.standing(database, LEADER) == (0, 0)
    first, second = opened(warnings), opened(warnings, "b")
    newest = changes.newest_step(database)
    assert changes.standing(database, LEADER) == (newest, 2)
    assert changes.changed(database, LEADER, since=0) == [first.id, second.id]
    act(warnings, COMMUNITY, first, "sign")
    assert changes.changed(database, LEADER, since=newest) == [first.id]
    assert changes.standing(database, post(TOWNSHIP)) == (newest + 1, 2)
    assert changes.changed(database, LEADER, since=newest + 1) == []


def test_nobody_is_told_of_what_lies_elsewhere(warnings):
    opened(warnings)
    assert changes.standing(warnings.database, OUTSIDER) == (0, 0)
    assert changes.changed(warnings.database, OUTSIDER, since=0) == []
    with pytest.raises(DeniedError):
        changes.standing(warnings.database, Scope("x", frozenset()))


def test_a_closed_warning_is_no_longer_open(warnings):
    first = opened(warnings)
    act(warnings, COMMUNITY, act(warnings, COMMUNITY, first, "sign"), "close", reason="settled")
    assert changes.standing(warnings.database, LEADER).open == 0
