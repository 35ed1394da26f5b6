"""
The demonstration's accounts: one for each role, on this machine only, without passwords.

They live in no database. Whoever sits at the machine may take any of them; the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.auth import is_direct_local
from data.access import Grant, Scope
from data.manifest import SnapshotError
from data.permissions import NOT_HELD, matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from flask import Request

    from data.store import Snapshot, Store

COOKIE: Final = "pingan_demo"
FIRST: Final = "leader"
"""Account of a visitor who has not chosen one."""


@dataclass(frozen=True)
class DemoAccount:
    """One account: what it is called and the area that it was given, in both languages."""

    name: str
    title_zh: str
    title_en: str
    scope: Scope
    note_zh: str
    note_en: str


class DemoProvider:
    """Signs a direct request from this machine in with the account that its cookie names."""

    can_sign_in: Final = True

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[str, dict[str, Scope]] = ("", {})

    def admits(self, request: Request) -> bool:
        """Nobody but this machine, whatever is asked for."""
        return is_direct_local(request)

    def scope(self, request: Request) -> Scope | None:
        """Scope of the chosen account; None for everybody else than this machine."""
        if not self.admits(request):
            return None
        scopes = self._scopes()
        return scopes.get(request.cookies.get(COOKIE, FIRST), scopes[FIRST])

    def _scopes(self) -> dict[str, Scope]:
        try:
            snapshot = self._store.current()
        except SnapshotError:
            return {FIRST: Scope(FIRST, frozenset({Grant(FIRST)}))}
        if self._known[0] != snapshot.id:
            found = {account.name: account.scope for account in demo_accounts(snapshot)}
            self._known = (snapshot.id, found)
        return self._known[1]


def demo_accounts(snapshot: Snapshot) -> list[DemoAccount]:
    """One account for each role: those with areas get a line down through the city."""
    line = dict(_line_down(snapshot.areas))
    accounts = []
    for role in matrix().roles.values():
        if role.name in NOT_HELD:
            continue
        area = line.get(role.level)
        if role.level and role.level != "city" and area is None:
            continue  # the city lacks this level
        grant = Grant(role.name)
        note_zh = note_en = ""
        if area is not None:
            name = str(area["name"])
            note_zh, note_en = name, str(area["name_en"] or name)
            if role.level != "city":
                grant = Grant(role.name, role.level, str(area["code"]))
        accounts.append(
            DemoAccount(
                role.name,
                role.title_zh,
                role.title_en,
                Scope(f"demo-{role.name}", frozenset({grant}), unit=role.title_zh),
                note_zh,
                note_en,
            )
        )
    return accounts


def _line_down(areas: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """From the top down, at each level the area with the most exposure in the one above."""
    above: int | None = None
    for level, rows in areas.groupby("level", sort=False):
        valid = rows[rows["valid_to"].isna()]
        inside = valid if above is None else valid[valid["parent_index"] == above]
        if inside.empty:
            return
        chosen = inside.sort_values(["exposure", "code"], ascending=[False, True]).iloc[0]
        above = int(chosen["area_index"])
        yield str(level), chosen
