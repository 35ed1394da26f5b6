"""
Feeding: look at the log of what was taken in, and hand what is new to the screens.

A round takes the next batches, in order; what they hold and how far the log was read are one
transaction, so that a round that is killed is simply done again. A batch that cannot be read is
told once and counted as failed; the build, which reads the same rows, tells more of it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from data.arrivals import ArrivalStore
from data.arrivals.kinds import KEPT
from data.city import CityError
from data.intake import Intake, IntakeError
from data.seals import DamageError
from data.state.database import StateError
from etl.arriving import rows
from etl.arriving.ground import GroundKeeper

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from data.arrivals import Account, Fed
    from data.intake import Batch
    from data.state.database import StateDatabase
    from etl.arriving.ground import Grounds

MOST_BATCHES: Final = 500
"""Batches of one round."""

_FAULTS: Final = (DamageError, OSError, ValueError, LookupError, TypeError, ArithmeticError)
"""What rows that nobody expected may raise."""


class Feed:
    """Feeds the arrivals of one installation; what it says is said once."""

    def __init__(self, folder: Path, home: Path, database: StateDatabase) -> None:
        self._home = home.resolve()
        self._intake = Intake(self._home)
        self._store = ArrivalStore(database)
        self._keeper = GroundKeeper(folder, self._home)
        self._fault = ""

    def round(self, now: dt.datetime) -> list[str]:
        """
        Feed what is new.

        Returns
        -------
        said
            What there is to say of it: faults, each once.
        """
        try:
            said, self._fault = self._feed(now), ""
        except (CityError, IntakeError, StateError, *_FAULTS) as error:
            fault = f"arrivals: {error}; tried again"
            if fault == self._fault:
                return []
            self._fault = fault
            return [fault]
        return said

    def _feed(self, now: dt.datetime) -> list[str]:
        position = self._store.position() or self._store.begin(self._intake.as_of(now - KEPT))
        waiting = self._intake.batches(after=position.batch, upto=position.batch + MOST_BATCHES)
        if not waiting:
            return []
        said: list[str] = []
        found = self._read(waiting, self._keeper.now(), said)
        self._store.feed(found, after=position.batch, now=now)
        pushed = {one.number for one in waiting if one.kind in rows.PUSHED}
        passed = [one.account for one in found if one.account.passed]
        return said + [_told(one) for one in passed if one.batch in pushed]

    def _read(self, waiting: Sequence[Batch], grounds: Grounds, said: list[str]) -> list[Fed]:
        found: dict[int, Fed] = {}
        for name, group in groupby(sorted(waiting, key=lambda one: one.source), _source):
            batches = list(group)
            source = grounds.source(name)
            large = [one for one in batches if source is None or not rows.is_shown(one)]
            found |= {one.number: rows.alone(one, passed=one.read) for one in large}
            small = [one for one in batches if one not in large]
            if source is None or not small:
                continue
            for fed in self._cleaned(small, grounds, said):
                found[fed.account.batch] = fed
        return [found[one.number] for one in waiting]

    def _cleaned(self, batches: list[Batch], grounds: Grounds, said: list[str]) -> list[Fed]:
        """Clean together what may be; where that fails, each by itself."""
        source = grounds.source(batches[0].source)
        assert source is not None
        try:
            if all(rows.may_join(one, source, self._home) for one in batches):
                return rows.fed(batches, source, grounds, self._home)
        except _FAULTS:
            pass  # the single ones below tell which
        found = []
        for batch in batches:
            try:
                found += rows.fed([batch], source, grounds, self._home)
            except _FAULTS as error:
                said.append(f"arrivals: batch {batch.number} of {batch.source}: {error}")
                found.append(rows.alone(batch, failed=batch.read))
        return found


def _source(batch: Batch) -> str:
    return batch.source


def _told(account: Account) -> str:
    return (
        f"arrivals: batch {account.batch} of {account.source}: {account.passed:,} rows are left to "
        "the build, not shown as they arrive"
    )
