"""What opened a warning: the rule in words, and the figures that were stored with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard import assessment, queries
from dashboard.command import naming
from data.resources.kinds import facility_kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.text import Words
    from data.access import Scope
    from data.shown_settings import ShownSettings
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning, Value
    from data.warnings.settings import Rule, WarningSettings

_DIMENSIONS: Final = ("d1", "d2", "d3", "d4", "d5", "d6")
_BRIEF: Final = {
    "index": ("risk",),
    "signal": ("observed", "expected"),
    "repeat_place": ("count", "days", "category"),
    "same_kind": ("count", "days", "category"),
    "overdue": ("clock", "overdue", "started"),
    "facility_overdue": ("overdue", "total"),
    "source_silent": ("sources",),
    "person": ("reason",),
}
"""Figures that the line in the queue names; without them it tells the kind alone."""


@dataclass(frozen=True)
class Evidence:
    """Writes figures of warnings in words."""

    words: Words
    settings: ShownSettings | None
    categories: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, scope: Scope, snapshot: Snapshot, words: Words) -> Evidence:
        """Evidence in the names of a snapshot."""
        labels = queries.category_labels(scope, snapshot).values()
        return cls(
            words,
            assessment.settings(scope, snapshot),
            {one.code: (one.name_zh, one.name_en) for one in labels},
        )

    def group(self, name: str) -> str:
        """Name of a group of categories."""
        known = self.settings.groups if self.settings else {}
        return self.words.pick(*known[name]) if name in known else self.words("warning_group_all")

    def brief(self, kind: str, warning: AreaWarning) -> str:
        """Return the figures that matter most, in one short sentence; "" where there are none."""
        names = _BRIEF.get(kind, ())
        if not names or any(warning.evidence.get(name) is None for name in names):
            return ""
        values = {name: self.value(name, warning.evidence[name]) for name in names}
        return self.words(f"warning_brief_{kind}", **values)

    def rows(self, warning: AreaWarning) -> list[tuple[str, str]]:
        """Return every stored figure with its name; those that are codes of ours are left out."""
        found = []
        for name, value in warning.evidence.items():
            if value is None or value == "" or name == "cell":
                continue
            if (label := self._label(name)) is not None:
                found.append((label, self.value(name, value)))
        return found

    def rule(self, rule: Rule | None, kind: str, settings: WarningSettings) -> str:
        """Return the rule as it is in force now."""
        if rule is None:
            return self.words(f"phone_why_{kind}")
        values = {
            "n": f"{rule.threshold:g}",
            "colour": naming.colour(min(max(int(rule.threshold), 1), 4), self.words),
            "days": settings.repeat_days,
            "share": self.words("warning_share", p=f"{rule.share:.0%}") if rule.share else "",
        }
        return self.words(f"warning_rule_{kind}", **values)

    def value(self, name: str, value: Value) -> str:
        """One figure as it is printed."""
        codes: dict[str, Callable[[str], str]] = {
            "category": lambda code: self.words.pick(*self.categories.get(code, (code, code))),
            "clock": lambda code: self.words.pick(*self._clock(code)),
            "reason": lambda code: self.words(f"warning_reason_{code}"),
            "kind": self._kind,
            "by": lambda code: self.words(f"assess_by_{code}"),
        }
        if name in codes and isinstance(value, str):
            try:
                return codes[name](value)
            except KeyError:
                return value
        if name == "colour" and isinstance(value, int) and 1 <= value <= 4:
            return naming.colour(value, self.words)
        if isinstance(value, bool):
            return self.words("warning_yes" if value else "warning_no")
        if isinstance(value, float):
            return (
                f"{value:.3g}" if abs(value) < 1 and value else f"{value:,.1f}".removesuffix(".0")
            )
        return f"{value:,d}" if isinstance(value, int) else str(value)

    def _kind(self, code: str) -> str:
        kind = facility_kinds()[code]
        return self.words.pick(kind.name_zh, kind.name_en)

    def _clock(self, code: str) -> tuple[str, str]:
        known = self.settings.clocks if self.settings else {}
        return known.get(code, (code, code))

    def _label(self, name: str) -> str | None:
        if name in _DIMENSIONS:
            at = _DIMENSIONS.index(name)
            known = self.settings.index.dimensions if self.settings else ()
            return (
                self.words.pick(known[at].name_zh, known[at].name_en) if at < len(known) else name
            )
        if name.startswith("source_"):
            return self.words("warning_figure_source")
        try:
            return self.words(f"warning_figure_{name}")
        except KeyError:
            return name
