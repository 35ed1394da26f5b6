"""What came of a letter: the change in its area against like areas, once enough weeks are over."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the fields of a named tuple
import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from dashboard import assessment
from dashboard.queries import exact
from data import periods
from data.letters.actions import action_id
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from dashboard.text import Words
    from data.access import Scope
    from data.letters.models import Letter
    from data.periods import Grain
    from data.store import Snapshot

REASONS: Final = (
    "too_early", "too_little_history", "too_few_incidents", "too_few_areas", "other_action",
    "area_not_valid",
)  # fmt: skip
"""Why there is no figure at all, as the table `effects` has it."""

WEEKS: Final = 4
"""Whole weeks before which nothing is told, for a snapshot that does not say."""


class Measured(NamedTuple):
    """
    Row of `effects` for a letter.

    Attributes
    ----------
    ratio
        After / before, divided by that of the peers; NaN with a `reason`.
    """

    before: int
    after: int
    before_periods: int
    after_periods: int
    peers: int
    peer_before: int
    peer_after: int
    ratio: float
    lower: float
    upper: float
    verdict: str
    reason: str


class Effect(NamedTuple):
    """
    What can be told of a letter now.

    Attributes
    ----------
    not_before
        Day before which nothing is told.
    is_early
        Whether that day is still to come, or no build has counted up to it.
    found
        None where no snapshot has measured it.
    """

    not_before: dt.date
    is_early: bool
    found: Measured | None


def effect(scope: Scope, snapshot: Snapshot, letter: Letter, *, today: dt.date) -> Effect | None:
    """
    The effect of a signed letter; None for one that was not signed.

    Raises
    ------
    NotVisibleError
        The scope covers no area exactly.
    """
    exact(scope)
    if letter.signed_on is None:
        return None
    day = not_before(scope, snapshot, letter.signed_on)
    found = _row(snapshot, letter) if "effects" in snapshot.tables() else None
    is_early = today < day or found is None or found.reason == REASONS[0]
    return Effect(day, is_early, None if is_early else found)


def not_before(scope: Scope, snapshot: Snapshot, day: dt.date) -> dt.date:
    """First day after as many whole periods as an effect needs, from the one after a day on."""
    grain = snapshot.manifest.grain
    settings = assessment.settings(scope, snapshot)
    share = PERIODS_PER_YEAR[grain] / PERIODS_PER_YEAR["week"]
    usual = max(1, round(WEEKS * share))
    needed = (settings.effect_after if settings else {}).get(grain, usual)
    return periods.shift(first_whole(day, grain=grain), needed, grain=grain)


def first_whole(day: dt.date, *, grain: Grain) -> dt.date:
    """First day of the first period that lies wholly on or after a day."""
    starts = periods.period_starts(np.array([day], dtype="datetime64[D]"), grain=grain)
    start: dt.date = starts[0].astype("datetime64[D]").astype(object)
    return start if start == day else periods.shift(start, 1, grain=grain)


def sentences(scope: Scope, told: Effect, words: Words) -> list[str]:
    """What is to be said of it, one paragraph each; counts of foreign areas are left out."""
    if told.is_early or told.found is None:
        return [words("letter_effect_early", day=told.not_before)]
    found = told.found
    said = [words(f"letter_effect_{found.verdict}")]
    if found.reason in REASONS:
        return [*said, words(f"letter_effect_why_{found.reason}")]
    said.append(
        words(
            "letter_effect_change",
            change=f"{found.ratio - 1:+.1%}",
            lower=f"{found.lower - 1:+.1%}",
            upper=f"{found.upper - 1:+.1%}",
        )
    )
    said.append(
        words(
            "letter_effect_counts",
            after_n=found.after_periods,
            after=f"{found.after:,d}",
            before_n=found.before_periods,
            before=f"{found.before:,d}",
        )
    )
    if scope.sees_all:
        said.append(
            words(
                "letter_effect_peers",
                peers=found.peers,
                after=f"{found.peer_after:,d}",
                before=f"{found.peer_before:,d}",
            )
        )
    return [*said, words("letter_effect_note")]


def _row(snapshot: Snapshot, letter: Letter) -> Measured | None:
    rows = snapshot.rows(
        "SELECT before, after, before_periods, after_periods, peers, peer_before, peer_after, "
        "ratio, lower, upper, verdict, reason FROM effects WHERE action = ? "
        "ORDER BY period_end DESC LIMIT 1",
        [action_id(letter.id)],
    )
    if not rows:
        return None
    *figures, verdict, reason = rows[0]
    whole = (int(one or 0) for one in figures[:7])
    shares = (math.nan if one is None else float(one) for one in figures[7:])
    return Measured._make((*whole, *shares, str(verdict), str(reason or "")))
