"""Signed letters as marked actions, for the measurement of what came of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from data.actions import Action
from data.letters.kinds import LETTERS, SIGNED
from data.letters.models import Letter
from data.state import migrate
from data.state.database import StateDatabase, state_url

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP: Final = "all"
"""A letter is about an area as a whole."""

PREFIX: Final = "letter-"


def action_id(letter_id: str) -> str:
    """Id of a letter among the marked actions."""
    return PREFIX + letter_id


def signed_letters(home: Path, state: str = "") -> tuple[Action, ...]:
    """
    Letters that were signed and not withdrawn, in the order of signing; slips are none.

    Parameters
    ----------
    state
        Setting of the state database; empty = the file under the home.

    Returns
    -------
    actions
        None where there is no state database yet, or one without letters.

    Raises
    ------
    StateError
        The database fails.
    """
    url = make_url(state_url(state, home))
    # Reading must not make a database.
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return ()
    database = StateDatabase(state_url(state, home))
    try:
        if migrate.revision(database) in {"", "0001"}:
            return ()
        asked = (
            sa.select(Letter)
            .where(Letter.status == SIGNED, Letter.kind.in_(LETTERS))
            .order_by(Letter.signed_at, Letter.id)
        )
        with database.reading() as session:
            return tuple(_action(one) for one in session.scalars(asked))
    finally:
        database.close()


def digest(actions: Sequence[Action]) -> str:
    """Sixteen hexadecimal digits of some actions; empty for none."""
    told = "\n".join(f"{one.id} {one.level} {one.code} {one.day} {one.kind}" for one in actions)
    return hashlib.sha256(told.encode()).hexdigest()[:16] if actions else ""


def _action(letter: Letter) -> Action:
    assert letter.signed_on is not None
    return Action(
        action_id(letter.id),
        letter.level,
        letter.area_code,
        letter.signed_on,
        letter.kind,
        GROUP,
    )
