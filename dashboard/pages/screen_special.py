"""The special period of today on a wall: places, checks, what is done and what is late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.pages import special_places
from dashboard.pages.special import kept
from data.access import decide
from data.special.reading import READ

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.access import Scope
    from data.special.kinds import Check, SpecialPeriod

ORDER: Final = ("late", "open", "not_done", "done")
"""What a wall lists first."""

PLACES: Final = 9
CHECKS: Final = 11


@dataclass(frozen=True)
class PlaceRow:
    """A place: checks done of all, and how many are late."""

    title: str
    done: int
    of: int
    late: int


@dataclass(frozen=True)
class CheckRow:
    """One check of today."""

    due: str
    title: str
    place: str
    state: str
    said: str


@dataclass(frozen=True)
class Special:
    """The period as a wall shows it; `more` counts what it has no room for."""

    name: str
    days: str
    counts: str
    places: tuple[PlaceRow, ...]
    more_places: int
    checks: tuple[CheckRow, ...]
    more_checks: int


def shown(context: PageContext, scope: Scope, words: Words, now: dt.datetime) -> Special | None:
    """Period of today that the scope sees; None where there is none, or it may not read them."""
    if not decide(scope, READ).is_allowed:
        return None
    period = kept(context).shown(scope, now)
    if period is None:
        return None
    zone = context.city().zone
    checks = sorted(
        ((check, special_places.title(place, words)) for place in period.places
         for check in place.checks),
        key=lambda one: (ORDER.index(one[0].state), one[0].due_at, one[0].id),
    )  # fmt: skip
    return Special(
        name=period.name,
        days=words("special_span", first=period.first_day, last=period.last_day),
        counts=_counts(period, words),
        places=tuple(
            PlaceRow(
                special_places.title(one, words),
                sum(check.state == "done" for check in one.checks),
                len(one.checks),
                sum(check.state == "late" for check in one.checks),
            )
            for one in period.places[:PLACES]
        ),
        more_places=max(0, len(period.places) - PLACES),
        checks=tuple(_row(check, place, words, zone) for check, place in checks[:CHECKS]),
        more_checks=max(0, len(checks) - CHECKS),
    )


def _counts(period: SpecialPeriod, words: Words) -> str:
    return words(
        "special_counts",
        done=period.count("done"),
        total=period.count(),
        late=period.count("late"),
        undone=period.count("not_done"),
    )


def _row(check: Check, place: str, words: Words, zone: dt.tzinfo) -> CheckRow:
    return CheckRow(
        f"{check.due_at.astimezone(zone):%H:%M}",
        words(f"special_check_{check.kind}"),
        place,
        check.state,
        words(f"special_state_{check.state}"),
    )
