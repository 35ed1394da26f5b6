"""The two levels of categories of one area: an upper one opens to those under it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard import ids, numerals, queries
from dashboard.elements import html
from dashboard.markup import attributes
from dashboard.text import catalogue

if TYPE_CHECKING:
    from dashboard.areas import Area
    from dashboard.queries import CategoryLabel, Selection
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any


@dataclass(frozen=True)
class Branch:
    """
    A category with its incidents in the window and in the one before (None = not covered).

    `children` add up to it, what is not further told among them under the category's own index.
    """

    index: int
    count: int
    previous: int | None
    children: tuple[Branch, ...] = ()


def branches(
    scope: Scope, snapshot: Snapshot, area: Area, selection: Selection
) -> tuple[Branch, ...]:
    """
    Upper categories with any incident now or before, the largest first.

    It asks what the bars ask (`dashboard.trend.bars`), so it costs no query of its own.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    now = queries.category_counts(scope, snapshot, area, selection)
    earlier = selection.earlier(selection.window.periods)
    covered = earlier.window.start >= snapshot.manifest.first_period
    before = queries.category_counts(scope, snapshot, area, earlier) if covered else {}
    labels = queries.category_labels(scope, snapshot)
    groups: dict[int, list[Branch]] = {}
    for index in set(now) | set(before):
        leaf = Branch(index, now.get(index, 0), before.get(index, 0) if covered else None)
        groups.setdefault(labels[index].group, []).append(leaf)
    return _sorted(
        Branch(
            group,
            sum(leaf.count for leaf in leaves),
            sum(leaf.previous or 0 for leaf in leaves) if covered else None,
            _sorted(leaves),
        )
        for group, leaves in groups.items()
    )


def _sorted(found: Any) -> tuple[Branch, ...]:
    return tuple(sorted(found, key=lambda one: (-one.count, one.index)))


def draw(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """The tree behind a fold, as the data that assets/category_tree.js builds it from."""
    found = branches(scope, snapshot, view.subject, view.selection)
    if not found:
        return []
    labels = queries.category_labels(scope, snapshot)
    total = sum(one.count for one in found)
    rows = [
        [*_row(one, labels, total, words), [_leaf(leaf, one, labels, total, words)
                                            for leaf in one.children]]
        for one in found
    ]  # fmt: skip
    template = {name: catalogue()[f"tree_{name}"][words.lang == "en"] for name in ("only", "all")}
    return [
        html.Div(
            className="tree",
            **attributes(
                data_tree=json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
                data_title=words("tree_title", n=len(found)),
                data_only=template["only"],
                data_all=template["all"],
                data_control=ids.CATEGORY,
                data_chosen=view.state.category,
            ),
        )
    ]


def _leaf(
    leaf: Branch, above: Branch, labels: dict[int, CategoryLabel], total: int, words: Words
) -> list[str]:
    """A category under another; what is not further told has no code to filter by."""
    row = _row(leaf, labels, total, words)
    return [words("tree_rest"), row[1], ""] if leaf.index == above.index else row


def _row(one: Branch, labels: dict[int, CategoryLabel], total: int, words: Words) -> list[str]:
    """Name, figures and code."""
    label = labels[one.index]
    _, change = numerals.change(one.count, one.previous, words, to="change")
    share = numerals.share(one.count, total, words)
    figures = words("tree_figures", n=f"{one.count:,d}", share=share, change=change)
    return [words.pick(label.name_zh, label.name_en), figures, label.code]
