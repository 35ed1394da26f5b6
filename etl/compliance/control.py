"""One control of the compliance table, and what a control is judged by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from data.settings import Settings
    from data.state.database import StateDatabase

State = Literal["pass", "fail", "not applicable", "by hand"]

DEMO: Final = "demo only: no accounts of its own, this machine alone"
NO_STATE: Final = "no state database yet; run `pingan serve` once, or `pingan user add`"

_SHOWN: Final = 5


@dataclass(frozen=True)
class Control:
    """
    One row of the table.

    Attributes
    ----------
    name
        What is controlled.
    source
        Clause that asks for it; those of GB/T 22239-2019 are of level 3.
    detail
        What was found, and what to do where it fails.
    """

    name: str
    source: str
    state: State
    detail: str

    def told(self) -> dict[str, str]:
        """The row for JSON."""
        return {
            "control": self.name,
            "source": self.source,
            "state": self.state,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Installed:
    """
    What is examined.

    Attributes
    ----------
    database
        None where there is none yet.
    key
        The installation's key; None where there is none yet.
    headers
        Security headers that the running map answers with; None where it does not run.
    """

    settings: Settings
    environ: Mapping[str, str]
    now: dt.datetime
    database: StateDatabase | None = None
    trouble: str = NO_STATE
    """Why there is no database to be judged."""
    key: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the state database by name, as they hold."""
    unusable: Sequence[str] = ()
    """Stored settings that cannot be used, each as `name: why`."""

    @property
    def is_demo(self) -> bool:
        """Whether it serves the demonstration."""
        return self.settings.auth == "demo"

    def unusable_of(self, names: Sequence[str]) -> list[str]:
        """Faults of some stored settings; their defaults hold."""
        return [fault for fault in self.unusable if fault.partition(":")[0] in names]

    def without_state(self, name: tuple[str, str]) -> Control:
        """A control that nothing can be said of: the demonstration may lack the database."""
        if self.is_demo and self.trouble == NO_STATE:
            return Control(*name, "not applicable", DEMO)
        return Control(*name, "fail", self.trouble)


def judged(name: str, source: str, faults: Sequence[str], good: str) -> Control:
    """A control that fails with its faults, and passes with a word where there are none."""
    return Control(name, source, "fail" if faults else "pass", "; ".join(faults) or good)


def listed(names: Sequence[str]) -> str:
    """The first five names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
