"""What of the queue is shown, as a value: read from the address strictly, written to it again."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from data.warnings import life
from data.warnings.kinds import Unit
from data.warnings.queue import DUE, ORDERS, Wanted, is_due

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.warnings.kinds import Place
    from data.warnings.queue import Tally

OPEN, ALL = "open", "all"
STAGES: Final = (OPEN, *life.STATES, ALL)
SIZE: Final = 50
"""Warnings of a page."""

LONGEST: Final = 600
_CODE: Final = r"[0-9A-Za-z*][0-9A-Za-z._-]{0,39}"
_FORMS: Final = {
    "colour": re.compile(r"[1-4]"),
    "kind": re.compile(r"[a-z_]{1,32}"),
    "unit": re.compile(rf"[a-z_]{{1,32}}:[a-z]{{1,16}}:{_CODE}"),
    "stage": re.compile("|".join(STAGES)),
    "due": re.compile("|".join(DUE)),
    "area": re.compile(rf"[a-z]{{1,16}}\.{_CODE}"),
    "sort": re.compile("|".join(ORDERS)),
    "page": re.compile(r"[1-9]\d{0,3}"),
}


@dataclass(frozen=True)
class Filters:
    """
    One queue; every field has its default left out of the address.

    Attributes
    ----------
    unit
        `role:level:code`.
    area
        `level.code`.
    """

    colour: str = ""
    kind: str = ""
    unit: str = ""
    stage: str = OPEN
    due: str = ""
    area: str = ""
    sort: str = "clock"
    page: str = "1"

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filters:
        """Read an address; what cannot be keeps its default."""
        return cls(
            **{
                name: args[name]
                for name, form in _FORMS.items()
                if name in args and form.fullmatch(args[name])
            }
        )

    @classmethod
    def of_query(cls, text: str) -> Filters:
        """Read what a form brought back."""
        return cls.read(dict(parse_qsl(text[:LONGEST])))

    def query(self) -> dict[str, str]:
        """Fields that differ from their default."""
        usual = asdict(Filters())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    def but(self, **changed: str) -> Filters:
        """Return the same with something otherwise, at its first page."""
        return replace(self, **{"page": "1", **changed})

    @property
    def owner(self) -> Unit | None:
        """Unit that is asked for."""
        return Unit(*self.unit.split(":")) if self.unit else None

    @property
    def place(self) -> Place | None:
        """Area that is asked for."""
        level, _, code = self.area.partition(".")
        return (level, code) if code else None

    def states(self) -> tuple[str, ...]:
        """States of the stage."""
        return {OPEN: life.OPEN, ALL: life.STATES}.get(self.stage, (self.stage,))

    def fits(self, one: Tally, kinds: Mapping[str, str], *, but: str = "") -> bool:
        """Whether warnings belong to the queue, one filter left aside."""
        checks = {
            "colour": not self.colour or one.colour == int(self.colour),
            "kind": not self.kind or kinds.get(one.rule, "other") == self.kind,
            "unit": not self.unit or one.owner == self.owner,
            "stage": one.state in self.states(),
            "due": not self.due or is_due(one.due, self.due),
        }
        return all(held for name, held in checks.items() if name != but)

    def wanted(
        self, known: Iterable[Tally], kinds: Mapping[str, str], place: Place | None
    ) -> Wanted:
        """Return what the data layer is asked for; `place` is the area as warnings name it."""
        rules = {one.rule for one in known if kinds.get(one.rule, "other") == self.kind}
        return Wanted(
            rules=rules if self.kind else None,
            colours={int(self.colour)} if self.colour else None,
            states=self.states(),
            owner=self.owner,
            area=place,
            due=self.due or None,
        )
