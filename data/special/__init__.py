"""Special periods (安保专表): chosen places, days and checks; see docs/screens.md."""

from data.special.kinds import Check, SpecialError, SpecialPeriod, SpecialPlace, StaleError
from data.special.store import SpecialPeriods

__all__ = [
    "Check",
    "SpecialError",
    "SpecialPeriod",
    "SpecialPeriods",
    "SpecialPlace",
    "StaleError",
]
