"""What an account may do, in words: its roles with their areas, and the actions they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from data.access import WHOLE_CITY, decide
from data.permissions import matrix

if TYPE_CHECKING:
    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.access import Grant, Scope

OF_EVERYBODY: Final = ("account", "views")


class RightInWords(NamedTuple):
    """One action that is given, and how far."""

    title: str
    reach: str
    needs_reason: bool
    is_main: bool
    """Whether it tells one role from another."""


def rights_of(scope: Scope, told: Words) -> list[RightInWords]:
    """Every action that the scope includes, in the order of the matrix."""
    rights = []
    for action, (title_zh, title_en) in matrix().actions.items():
        decision = decide(scope, action)
        if not decision.is_allowed:
            continue
        if decision.is_own_only:
            reach = "reach_self"
        elif decision.areas and decision.edition:
            reach = "reach_both"
        elif decision.areas:
            reach = "reach_own"
        elif decision.edition:
            reach = "reach_wider"
        else:
            reach = "reach_all"
        is_main = action not in OF_EVERYBODY and not decision.is_own_only
        title = told.pick(title_zh, title_en)
        rights.append(RightInWords(title, told(reach), decision.needs_reason, is_main))
    return rights


def grant_words(context: PageContext, grant: Grant, told: Words) -> tuple[str, str]:
    """Title of a role, and the area that it was given for ("" where it has none)."""
    role = matrix().roles.get(grant.role)
    title = told.pick(role.title_zh, role.title_en) if role else grant.role
    if role is not None and not role.level:
        return title, ""
    if grant.code == WHOLE_CITY:
        return title, told("whole_city")
    return title, context.names.name(grant.level, grant.code, told.lang)
