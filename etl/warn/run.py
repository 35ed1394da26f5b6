"""Run the rules over the published snapshot: plan, then do; a killed run is simply run again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.manifest import NoSnapshotError
from data.store import Store
from data.warnings import Warnings
from data.warnings.episodes import mark
from data.warnings.settings import read_warning_settings
from data.warnings.tree import Trees
from etl.installation import installation
from etl.warn.plan import OPEN, RAISE, Plan, plan

if TYPE_CHECKING:
    from pathlib import Path

    from data.settings import Settings
    from data.store import Snapshot
    from data.warnings import AreaWarning, Unit
    from data.warnings.settings import WarningSettings
    from etl.installation import Installation

EVERY: Final = dt.timedelta(minutes=1)
"""How often clocks are looked at where nothing new was published."""

AGAIN: Final = dt.timedelta(hours=1)
"""Until a run that failed is tried again."""


@dataclass(frozen=True)
class Done:
    """What a run did, or would do."""

    plan: Plan
    escalated: tuple[tuple[AreaWarning, Unit], ...]
    """Warnings whose clock has run out, as they were, and the unit that each goes to."""


def look(snapshot: Snapshot, warnings: Warnings, city: Path | None, now: dt.datetime) -> Done:
    """Tell what a run would do now; nothing is written."""
    return Done(plan(snapshot, warnings, city), tuple(warnings.late(now)))


def run(snapshot: Snapshot, warnings: Warnings, city: Path | None, now: dt.datetime) -> Done:
    """
    Escalate what has run out of time, then open, raise and end what the snapshot asks for.

    Each warning is a transaction of its own, so a run that is killed is simply run again.
    """
    done = look(snapshot, warnings, city, now)
    warnings.escalate_due(now)
    for one in done.plan.wanted:
        warnings.open(
            fingerprint=one.fingerprint,
            rule=one.rule,
            level=one.found.level,
            code=one.found.code,
            group=one.found.group,
            colour=one.colour,
            evidence=one.found.evidence,
            owner=one.owner,
            snapshot=done.plan.snapshot,
            repeats=one.repeats,
            seen_on=one.found.day,
            now=now,
        )
    mark(warnings.database, seen=done.plan.seen, ended=done.plan.ended)
    return done


def warn(chosen: Settings, city: Path | None, now: dt.datetime, *, dry: bool = False) -> Done:
    """
    Run the rules of a city over the published snapshot of an installation.

    Raises
    ------
    NoSnapshotError, WarningSettingsError, StateError, AuditError
        There is nothing to look at, or the rules or the database cannot be used.
    """
    store = Store(chosen.home)
    snapshot = store.current()
    with installation(chosen) as kept:
        warnings = warnings_of(kept, store, city)
        return (look if dry else run)(snapshot, warnings, city, now)


def warnings_of(kept: Installation, store: Store, city: Path | None) -> Warnings:
    """The warnings of an installation, by the rules of a city; every step is audited."""
    zone = str(store.current().manifest.city["time_zone"])
    settings = read_warning_settings(city, time_zone=zone)
    return Warnings(kept.database, settings=settings, tree=Trees(store), audit=kept.audit)


class Round:
    """What `pingan watch` does about warnings at the end of each of its rounds."""

    def __init__(self, chosen: Settings, city: Path) -> None:
        self._chosen, self._city = chosen, city
        self._looked: tuple[str, WarningSettings] | None = None
        self._next: dt.datetime | None = None

    def round(self, now: dt.datetime) -> str:
        """
        Run the rules where there is a new snapshot or rule; else escalate, once a minute.

        Returns
        -------
        said
            What there is to say of it, empty = nothing.
        """
        if self._next is not None and now < self._next:
            return ""
        try:
            said = self._run(now)
        except NoSnapshotError:
            return ""
        except (ValueError, RuntimeError, LookupError, OSError) as error:
            self._next = now + AGAIN
            return f"warnings: {error}; tried again in an hour"
        self._next = now + EVERY
        return said

    def _run(self, now: dt.datetime) -> str:
        store = Store(self._chosen.home)
        with installation(self._chosen) as kept:
            warnings = warnings_of(kept, store, self._city)
            snapshot = store.current()
            looked = (snapshot.id, warnings.settings)
            if looked == self._looked:
                escalated = len(warnings.escalate_due(now))
                return f"warnings: {escalated:,} escalated" if escalated else ""
            done = run(snapshot, warnings, self._city, now)
        self._looked = looked
        return told(done)


def told(done: Done) -> str:
    """What a run did in one line; empty = nothing."""
    actions = Counter(one.action for one in done.plan.wanted)
    counts = {
        "opened": actions[OPEN],
        "raised": actions[RAISE],
        "escalated": len(done.escalated),
        "ended": len(done.plan.ended),
    }
    listed = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f"warnings: {listed}" if listed else ""
