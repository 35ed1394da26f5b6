"""The permission matrix: what each role may do, read from `reference/permissions.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal, NamedTuple, cast, get_args

Reach = Literal["-", "self", "own", "wider", "all"]
"""
How far a right goes.

`-` not at all; `self` what belongs to the account; `own` exact figures of the areas that the role
was given for; `wider` the protected edition of figures beyond them; `all` no area is involved.
"""

PUBLIC: Final = "public"
"""Role of whoever opens a shared link; no account holds it."""

WALL: Final = "wall"
"""Role of a wall screen, which its token gives (`data.screens`); no account holds it."""

NOT_HELD: Final = (PUBLIC, WALL)
"""Roles that cannot be given to an account."""

ADMINISTRATORS: Final = ("system_admin", "security_admin", "audit_admin")
"""Three separate posts: an account holds at most one of them, and no other role beside it."""


class Right(NamedTuple):
    """One cell of the matrix."""

    reach: Reach
    needs_reason: bool


DENIED: Final = Right("-", needs_reason=False)


@dataclass(frozen=True)
class RoleEntry:
    """A role; `level` is the one that it is mostly given for, "" where it has no area."""

    name: str
    title_zh: str
    title_en: str
    level: str


@dataclass(frozen=True)
class Matrix:
    """Every action × role."""

    actions: dict[str, tuple[str, str]]
    """Action to its Chinese and English title."""
    roles: dict[str, RoleEntry]
    rights: dict[tuple[str, str], Right]
    """(action, role) to the right."""

    def right(self, action: str, role: str) -> Right:
        """
        Right of a role; a role that the matrix does not name has none.

        Raises
        ------
        KeyError
            The matrix has no such action: that is a fault of the program.
        """
        if action not in self.actions:
            raise KeyError(f"the permission matrix has no action {action!r}")
        return self.rights.get((action, role), DENIED)


@cache
def matrix() -> Matrix:
    """
    Read the matrix of the product.

    Raises
    ------
    ValueError
        A cell holds no known reach.
    """
    roles = {
        row["role"]: RoleEntry(row["role"], row["title_zh"], row["title_en"], row["level"])
        for row in _rows("roles.csv")
    }
    actions, rights = {}, {}
    for row in _rows("permissions.csv"):
        action = row["action"]
        actions[action] = (row["title_zh"], row["title_en"])
        for role in roles:
            rights[action, role] = _right(row[role], f"{action}, {role}")
    return Matrix(actions, roles, rights)


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("data").joinpath("reference", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _right(cell: str, where: str) -> Right:
    reach = cell.removesuffix("+")
    if reach not in get_args(Reach):
        raise ValueError(f"permission matrix, {where}: {cell!r} is no reach")
    return Right(cast("Reach", reach), needs_reason=cell.endswith("+"))
