"""Warnings (预警): each has an area, an owner unit, clocks and a life; see docs/warnings.md."""

from data.warnings.kinds import AreaWarning, NotVisibleError, StaleError, StepError, Tracked, Unit
from data.warnings.store import Warnings

__all__ = [
    "AreaWarning",
    "NotVisibleError",
    "StaleError",
    "StepError",
    "Tracked",
    "Unit",
    "Warnings",
]
