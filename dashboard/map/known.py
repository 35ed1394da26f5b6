"""The time machine: a view as it was known in an earlier snapshot, and what has changed since."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from dashboard import queries
from dashboard.elements import html
from dashboard.map.compared import KNOWN
from dashboard.view import settle
from data.access import NotVisibleError

if TYPE_CHECKING:
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.archive import Kept
    from data.store import Snapshot

MOST_CHANGES: Final = 4
"""Categories whose change is named one by one."""


class Archive(Protocol):
    """Earlier snapshots of the one that is shown."""

    def earlier(self, now: Snapshot) -> tuple[Kept, ...]:
        """Those that are kept, the newest first."""

    def open(self, now: Snapshot, snapshot_id: str) -> Snapshot:
        """One of them; LookupError where there is none."""


@dataclass(frozen=True)
class Then:
    """A view in an earlier snapshot."""

    snapshot: Snapshot
    view: View


def then(scope: Scope, archive: Archive | None, now: Snapshot, view: View) -> Then | None:
    """
    View of an earlier snapshot that the address names; None where none is asked for or kept.

    The protected tier has none: what was released stays as it was.
    """
    kind, _, name = view.state.compare.partition(".")
    if kind != KNOWN or archive is None or scope.is_protected:
        return None
    try:
        snapshot = archive.open(now, name)
        plain = replace(view.state, compare="", overlays="")
        found = settle(scope, snapshot, plain.to_address())
    except (LookupError, NotVisibleError):
        return None
    is_same = found.level == view.level and found.selection.window == view.selection.window
    return Then(snapshot, found) if is_same else None


def on_offer(
    scope: Scope, archive: Archive | None, now: Snapshot, words: Words
) -> list[tuple[str, str]]:
    """Earlier snapshots: values of `state.compare` with their words."""
    if archive is None or scope.is_protected:
        return []
    return [
        (f"{KNOWN}.{kept.id}", words("known_at", day=kept.made_at.date(), as_of=kept.as_of))
        for kept in archive.earlier(now)
    ]


def title(snapshot: Snapshot, words: Words) -> str:
    """What tells one of two snapshots from the other."""
    raw = snapshot.manifest.raw
    made = dt.datetime.fromisoformat(raw["created_at"])
    as_of = dt.date.fromisoformat(raw["periods"]["as_of"])
    return words("known_title", made=made, as_of=as_of)


def changes(scope: Scope, now: Snapshot, view: View, earlier: Then, words: Words) -> list[Any]:
    """Say how the count of the area in view has changed since, and through which categories."""
    before = _counts(scope, earlier.snapshot, earlier.view)
    after = _counts(scope, now, view)
    was, is_now = sum(before.values()), sum(after.values())
    lines = [words("known_sum", was=f"{was:,d}", now=f"{is_now:,d}", change=f"{is_now - was:+,d}")]
    moved = {code: after.get(code, 0) - before.get(code, 0) for code in before | after}
    largest = sorted((code for code in moved if moved[code]), key=lambda code: -abs(moved[code]))
    names = {row.code: words.pick(row.name_zh, row.name_en) for row in now.categories.itertuples()}
    told = [f"{names.get(code, code)} {moved[code]:+,d}" for code in largest[:MOST_CHANGES]]
    if told:
        lines.append(words("known_categories", list=words("assess_list").join(told)))
    if was == is_now and told:
        lines.append(words("known_reclassified"))
    if earlier.snapshot.manifest.boundary_version != now.manifest.boundary_version:
        lines.append(words("known_boundaries"))
    return [html.P(line, className="legend-note") for line in lines]


def _counts(scope: Scope, snapshot: Snapshot, view: View) -> dict[str, int]:
    """Incidents of the area in view by the code of their category."""
    found = queries.category_counts(scope, snapshot, view.subject, view.selection)
    labels = queries.category_labels(scope, snapshot)
    return {labels[index].code: count for index, count in found.items()}
