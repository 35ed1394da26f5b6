"""Kinds of letters and slips, what state one is in, and which slip may follow which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.letters.models import Letter

LETTERS: Final = ("reminder", "risk_letter", "notice")
"""工作提示函, 风险预警函, 预警通知书."""

SLIPS: Final = ("acceptance", "assignment", "supervision", "feedback")
"""四单: 受理单, 交办单, 督办单, 反馈单, in their order."""

KINDS: Final = (*LETTERS, *SLIPS)

DRAFT, SIGNED, WITHDRAWN = "draft", "signed", "withdrawn"
STATUSES: Final = (DRAFT, SIGNED, WITHDRAWN)

REASONS: Final = ("wrong_data", "wrong_addressee", "repeated", "settled")
"""Why one is withdrawn; fixed, so that the audit can be counted."""

_FOLLOWS: Final = {
    **dict.fromkeys(LETTERS, ("acceptance",)),
    "acceptance": ("assignment",),
    "assignment": ("supervision", "feedback"),
    "supervision": ("supervision", "feedback"),
    "feedback": (),
}


def following(chain: Sequence[Letter]) -> tuple[str, ...]:
    """
    Kinds of slips that may be drafted next in a chain.

    Parameters
    ----------
    chain
        All of a chain, the letter that it began with first.

    Returns
    -------
    kinds
        None while one of it is a draft, or where the letter itself is not signed.
    """
    if not chain or chain[0].status != SIGNED or any(one.status == DRAFT for one in chain):
        return ()
    done = [one.kind for one in chain if one.status == SIGNED]
    return _FOLLOWS[done[-1]]
