"""The rules for passwords, and what is wrong with one, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.accounts.policy import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboard.text import Words
    from data.accounts.policy import Policy


def rules(policy: Policy, told: Words) -> list[str]:
    """Tell the rules before a password is chosen."""
    found = [
        told("rule_length", n=policy.min_length),
        told("rule_classes", n=policy.min_classes),
        told("rule_weak"),
    ]
    if policy.history:
        found.append(told("rule_history", n=policy.history))
    return found


def fault_words(policy: Policy, faults: Iterable[str], told: Words) -> list[str]:
    """Tell each fault of a chosen password."""
    values = {
        "too_short": {"n": policy.min_length},
        "too_long": {"n": LONGEST},
        "too_few_classes": {"n": policy.min_classes},
        "reused": {"n": policy.history},
    }
    return [told(f"fault_{fault}", **values.get(fault, {})) for fault in faults]
