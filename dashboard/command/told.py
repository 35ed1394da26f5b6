"""What became of a press, carried by the address to the page that tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.command import naming
from data.access import NotVisibleError
from data.warnings import life

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboard.command.rows import Teller
    from data.access import Scope
    from data.warnings.store import Outcome

DONE: Final = ""
MARKS: Final = {DONE: "d", "stale": "s", "step": "t", "denied": "n", "unknown": "u"}
_NAMES: Final = {mark: name or "done" for name, mark in MARKS.items()}
_TOLD: Final = re.compile(rf"({'|'.join(life.STEPS)})((?:\.[dstnu]\d{{1,9}}){{1,100}})")


@dataclass(frozen=True)
class Line:
    """What became of one warning; `detail` is who was faster and how it stands."""

    id: int
    outcome: str
    name: str
    detail: str


def written(step: str, outcomes: Iterable[Outcome]) -> str:
    """Outcomes as an address carries them."""
    return step + "".join(f".{MARKS[one.error]}{one.id}" for one in outcomes)


def read(text: str, teller: Teller) -> tuple[str, list[Line]]:
    """Step and outcomes from an address; nothing where it is not one of ours."""
    found = _TOLD.fullmatch(text)
    if found is None:
        return "", []
    pairs = [(part[0], int(part[1:])) for part in found[2].split(".")[1:]]
    return found[1], [_line(mark, number, teller) for mark, number in pairs]


def _line(mark: str, number: int, teller: Teller) -> Line:
    outcome, words = _NAMES[mark], teller.words
    try:
        one = teller.line(teller.kept.get(teller.scope, number))
    except NotVisibleError:
        return Line(number, "unknown", words("warning_number", n=number), "")
    detail = ""
    if outcome in {"stale", "step", "denied"}:
        detail = words(
            "warning_faster" if outcome == "stale" else "warning_stands",
            state=one.state, unit=one.unit, last=_last(teller.scope, number, teller),
        )  # fmt: skip
    return Line(number, outcome, words("warning_named", area=one.area, why=one.why), detail)


def _last(scope: Scope, number: int, teller: Teller) -> str:
    step = teller.kept.steps(scope, number)[-1]
    ago = naming.span(teller.now - step.at, teller.words)
    return teller.words("warning_last", step=teller.words(f"warning_step_{step.step}"), ago=ago)
