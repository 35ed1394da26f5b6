"""The life of a warning: its states, the steps between them, and who may take which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from data.warnings.kinds import StepError

if TYPE_CHECKING:
    from collections.abc import Iterable

NEW, ASSIGNED, SIGNED, IN_HAND = "new", "assigned", "signed", "in_hand"
CLOSED, ARCHIVED, RETURNED, ESCALATED = "closed", "archived", "returned", "escalated"
STATES: Final = (NEW, ASSIGNED, SIGNED, IN_HAND, CLOSED, ARCHIVED, RETURNED, ESCALATED)
OPEN: Final = (NEW, ASSIGNED, SIGNED, IN_HAND, RETURNED, ESCALATED)
"""States in which something is still to be done about the place itself."""

ASSIGN, SIGN, START, CLOSE = "assign", "sign", "start", "close"
ARCHIVE, RETURN, REJECT, ESCALATE = "archive", "return", "reject", "escalate"
STEPS: Final = (ASSIGN, SIGN, START, CLOSE, ARCHIVE, RETURN, REJECT, ESCALATE)
"""What a person may do; `OPENED` and `RAISED` are the program's."""
OPENED, RAISED = "open", "raise"

Standing = Literal["owner", "above"]
"""The unit that owns a warning, or one whose area holds the owner's."""


class Move(NamedTuple):
    """A step from a state: where it leads, and who may take it."""

    to: str
    who: frozenset[str]


_OWNER: Final = frozenset({"owner"})
_ABOVE: Final = frozenset({"above"})
_BOTH: Final = _OWNER | _ABOVE

MOVES: Final[dict[tuple[str, str], Move]] = {
    (NEW, ASSIGN): Move(ASSIGNED, _BOTH),
    (RETURNED, ASSIGN): Move(ASSIGNED, _BOTH),
    (ESCALATED, ASSIGN): Move(ASSIGNED, _BOTH),
    # To another unit, before anybody has signed for it.
    (ASSIGNED, ASSIGN): Move(ASSIGNED, _ABOVE),
    (ASSIGNED, SIGN): Move(SIGNED, _OWNER),
    # The unit that would assign it takes it itself.
    (NEW, SIGN): Move(SIGNED, _OWNER),
    (RETURNED, SIGN): Move(SIGNED, _OWNER),
    (ESCALATED, SIGN): Move(SIGNED, _OWNER),
    (SIGNED, START): Move(IN_HAND, _OWNER),
    (SIGNED, CLOSE): Move(CLOSED, _OWNER),
    (IN_HAND, CLOSE): Move(CLOSED, _OWNER),
    (ASSIGNED, RETURN): Move(RETURNED, _OWNER),
    (SIGNED, RETURN): Move(RETURNED, _OWNER),
    (IN_HAND, RETURN): Move(RETURNED, _OWNER),
    # What was done is looked at by the unit above, which files it or sends it back.
    (CLOSED, ARCHIVE): Move(ARCHIVED, _ABOVE),
    (CLOSED, REJECT): Move(RETURNED, _ABOVE),
    **{(state, ESCALATE): Move(ESCALATED, _BOTH) for state in OPEN},
}
"""(state, step) to what it does; what is not here is not allowed."""

REASONS: Final[dict[str, tuple[str, ...]]] = {
    CLOSE: ("settled", "no_risk", "passed_on", "watched"),
    RETURN: ("not_ours", "wrong_area", "duplicate", "lacks_evidence"),
    REJECT: ("not_verified", "still_there"),
    ESCALATE: ("beyond_means", "cross_border", "repeated"),
}
"""Step to the reasons of which one must be given; other steps have none."""

OVERDUE: Final = "overdue"
"""Reason of an escalation because a clock ran out; the program's alone."""

STAGES: Final[dict[str, str]] = {
    NEW: "received", ASSIGNED: "passed_on", RETURNED: "passed_on", ESCALATED: "passed_on",
    SIGNED: "in_hand", IN_HAND: "in_hand", CLOSED: "done", ARCHIVED: "archived",
}  # fmt: skip
"""What the public is told of a state."""


def move(state: str, step: str) -> Move:
    """
    Tell what a step does in a state.

    Raises
    ------
    StepError
        The life has no such step there.
    """
    found = MOVES.get((state, step))
    if found is None:
        raise StepError(f"a warning that is {state} cannot be taken through {step}")
    return found


def check_states(states: Iterable[str] | None) -> None:
    """
    Refuse states that a warning cannot have.

    Raises
    ------
    StepError
        With every one of them.
    """
    unknown = sorted(set(states or ()) - set(STATES))
    if unknown:
        raise StepError(f"no state: {', '.join(unknown)}; known are {', '.join(STATES)}")


def check_reason(step: str, reason: str | None) -> str:
    """
    Return the reason as it is stored, "" where the step has none.

    Raises
    ------
    StepError
        It is not one of the list, missing, or given where there is none.
    """
    known = REASONS.get(step, ())
    if (reason or "") not in (known or ("",)):
        wanted = f"one of {', '.join(known)}" if known else "no reason"
        raise StepError(f"{step} needs {wanted}")
    return reason or ""


def possible(state: str, standings: frozenset[str]) -> tuple[str, ...]:
    """Steps that are open to a standing in a state, in their order."""
    return tuple(
        step for step in STEPS if (state, step) in MOVES and MOVES[state, step].who & standings
    )
