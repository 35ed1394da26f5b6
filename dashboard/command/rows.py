"""The lines of the queue, and the counts beside its filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from dashboard.command import naming
from dashboard.command.filters import SIZE, STAGES
from dashboard.command.kept import kind_of, kinds
from data.warnings import life, queue, rights
from data.warnings.queue import DUE, ORDERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from dashboard.command.evidence import Evidence
    from dashboard.command.filters import Filters
    from dashboard.pages.area_names import AreaNames
    from dashboard.text import Words
    from data.access import Scope
    from data.warnings.kinds import AreaWarning, Place
    from data.warnings.queue import Tally
    from data.warnings.store import Warnings

UNITS: Final = 40
"""Units that the filter offers, those with the most warnings."""


class Choice(NamedTuple):
    """One link of a filter with its count; None = none is told."""

    text: str
    filters: Filters
    n: int | None
    is_here: bool


@dataclass(frozen=True)
class Line:
    """One warning of the queue in words."""

    warning: AreaWarning
    colour: str
    why: str
    brief: str
    group: str
    area: str
    unit: str
    state: str
    clock: str
    left: str
    is_late: bool
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Teller:
    """Writes warnings as lines for one reader."""

    scope: Scope
    kept: Warnings
    names: AreaNames
    evidence: Evidence
    words: Words
    now: dt.datetime

    def line(self, one: AreaWarning) -> Line:
        """Write one warning."""
        words, kind = self.words, kind_of(self.kept, one.rule)
        return Line(
            warning=one,
            colour=naming.colour(one.colour, words),
            why=words(f"phone_why_{kind}"),
            brief=self.evidence.brief(kind, one),
            group=self.evidence.group(one.group),
            area=naming.area(self.names, self.scope, (one.level, one.code), words),
            unit=naming.unit(self.names, one.owner, words),
            state=words(f"warning_state_{one.state}"),
            clock=words(f"warning_clock_{one.due_clock}") if one.due_clock else "",
            left=naming.clock(one.due_at, self.now, words),
            is_late=one.is_overdue(self.now),
            steps=rights.choices(self.scope, one),
        )

    def page(self, filters: Filters, known: Iterable[Tally], place: Place | None) -> list[Line]:
        """Lines of one page of the queue."""
        found = queue.page(
            self.kept,
            self.scope,
            filters.wanted(known, kinds(self.kept), place),
            order=filters.sort,
            start=(int(filters.page) - 1) * SIZE,
            limit=SIZE,
            now=self.now,
        )
        return [self.line(one) for one in found]

    def choices(self, filters: Filters, known: list[Tally]) -> dict[str, list[Choice]]:
        """Links of every filter with what each would show."""
        rules = kinds(self.kept)

        def count(field: str, value: str) -> int:
            other = filters.but(**{field: value})
            return sum(one.n for one in known if other.fits(one, rules))

        def links(field: str, values: Iterable[str], name: Callable[[str], str]) -> list[Choice]:
            now = getattr(filters, field)
            counted = [(value, count(field, value)) for value in values]
            return [
                Choice(name(value), filters.but(**{field: value}), n, value == now)
                for value, n in counted
                if n or value in {"", now, "open", "all"}
            ]

        words = self.words
        present = dict.fromkeys(rules.get(one.rule, "other") for one in known)
        states = [one for one in STAGES if one not in life.STATES or self._has(known, one)]
        return {
            "due": links("due", ("", *DUE), lambda one: words(f"command_due_{one or 'any'}")),
            "colour": links(
                "colour", ("", "4", "3", "2", "1"),
                lambda one: naming.colour(int(one), words) if one else words("command_any"),
            ),
            "kind": links(
                "kind", ("", *present),
                lambda one: words(f"phone_why_{one}") if one else words("command_any"),
            ),
            "stage": links(
                "stage", states,
                lambda one: words(f"warning_state_{one}")
                if one in life.STATES else words(f"command_stage_{one}"),
            ),
            "sort": [
                Choice(words(f"command_sort_{one}"), filters.but(sort=one), None,
                       one == filters.sort)
                for one in ORDERS
            ],
        }  # fmt: skip

    def units(self, filters: Filters, known: list[Tally]) -> list[tuple[str, str, int]]:
        """Value, name and count of each owner, those with the most first."""
        rules = kinds(self.kept)
        counts: dict[str, int] = {}
        for one in known:
            if filters.fits(one, rules, but="unit"):
                value = ":".join(one.owner)
                counts[value] = counts.get(value, 0) + one.n
        most = sorted(counts, key=lambda value: (-counts[value], value))[:UNITS]
        if filters.unit and filters.unit not in most:
            most.insert(0, filters.unit)
        owners = {":".join(one.owner): one.owner for one in known}
        return [
            (value, naming.unit(self.names, owners[value], self.words), counts.get(value, 0))
            for value in most
            if value in owners
        ]

    def total(self, filters: Filters, known: list[Tally]) -> int:
        """How many the queue holds."""
        rules = kinds(self.kept)
        return sum(one.n for one in known if filters.fits(one, rules))

    @staticmethod
    def _has(known: list[Tally], state: str) -> bool:
        return any(one.state == state for one in known)
