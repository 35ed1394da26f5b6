"""Saved views: addresses that an account keeps under names of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.accounts.duties import AccountError
from data.state.models import SavedView, User

if TYPE_CHECKING:
    import datetime as dt

    from data.state.database import StateDatabase

MOST: Final = 50
LONGEST_NAME: Final = 64
LONGEST_SEARCH: Final = 4_000


class ViewError(AccountError):
    """A view cannot be kept."""


def saved(database: StateDatabase, user_id: int) -> list[SavedView]:
    """Views of an account, by name."""
    asked = sa.select(SavedView).where(SavedView.user_id == user_id).order_by(SavedView.name)
    with database.reading() as session:
        return list(session.scalars(asked))


def save(database: StateDatabase, user_id: int, name: str, search: str, now: dt.datetime) -> None:
    """
    Keep a view; one of the same name is replaced.

    Parameters
    ----------
    search
        The view, as the query of an address.

    Raises
    ------
    ViewError
        The name or the view cannot be kept, or the account keeps 50 already.
    StateError
        The database fails.
    """
    title = name.strip()
    if not 1 <= len(title) <= LONGEST_NAME or not title.isprintable():
        raise ViewError(f"name of a view: use 1 to {LONGEST_NAME} printable characters")
    if len(search) > LONGEST_SEARCH or not search.isprintable():
        raise ViewError(f"a view is the query of an address, {LONGEST_SEARCH:,} characters at most")
    with database.writing() as session:
        # Two that are saved at once wait for each other, or there could be 51.
        session.execute(sa.select(User.id).where(User.id == user_id).with_for_update())
        views = session.scalars(sa.select(SavedView).where(SavedView.user_id == user_id)).all()
        view = next((one for one in views if one.name == title), None)
        if view is None and len(views) >= MOST:
            raise ViewError(f"{MOST} views are kept already; delete one first")
        view = view or SavedView(user_id=user_id, name=title)
        view.search, view.created_at = search, now
        session.add(view)


def delete(database: StateDatabase, user_id: int, name: str) -> bool:
    """Delete a view of an account; False where it has none of that name."""
    if not name.isprintable():
        return False
    mine = sa.delete(SavedView).where(SavedView.user_id == user_id, SavedView.name == name.strip())
    with database.writing() as session:
        return session.execute(mine.returning(SavedView.id)).first() is not None
