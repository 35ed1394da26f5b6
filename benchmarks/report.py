"""One table for all benchmarks: what, budget, ours, the peer, their ratio."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Row:
    """One measured quantity: its rounds, its budget, the peer's rounds."""

    what: str
    unit: str
    budget: float | None
    ours: list[float]
    peer: list[float] = field(default_factory=list)
    floor: bool = False
    """Whether the peer is a lower bound: the ratio is then ours / peer."""
    at_least: bool = False
    """Whether the budget is a lower limit."""

    def cells(self):
        """What, budget, median, least–most, peer's median, ratio, verdict."""
        ours = statistics.median(self.ours)
        spread = f"{shown(min(self.ours))}–{shown(max(self.ours))}" if len(self.ours) > 1 else ""
        theirs = statistics.median(self.peer) if self.peer else None
        sign = "≥" if self.at_least else "≤"
        return [
            self.what,
            "" if self.budget is None else f"{sign} {self.budget:,g} {self.unit}".strip(),
            f"{shown(ours)} {self.unit}".strip(),
            spread,
            "" if theirs is None else f"{shown(theirs)} {self.unit}".strip(),
            self.ratio(ours, theirs),
            self.verdict(ours),
        ]

    def verdict(self, ours):
        if self.budget is None:
            return ""
        held = ours >= self.budget if self.at_least else ours <= self.budget
        return "met" if held else "missed"

    def ratio(self, ours, theirs):
        if not theirs or not ours:
            return ""
        return f"{ours / theirs:.1f}" if self.floor else f"{theirs / ours:.1f}"


HEAD = ["what", "budget", "median", "least–most", "Plotly", "ratio", "budget is"]


def shown(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def print_rows(rows, *, markdown=False, head=HEAD):
    """Print a table; columns that no row fills are left out."""
    lines = [row.cells() for row in rows]
    filled = [at for at in range(len(head)) if any(line[at] for line in lines)]
    head, *lines = ([line[at] for at in filled] for line in (head, *lines))
    if markdown:
        print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 2) + "---|")
        for line in lines:
            print("| " + " | ".join(line) + " |")
        return
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]
    for line in [head, *lines]:
        first, *rest = line
        print(
            "  ".join(
                [first.ljust(widths[0])]
                + [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
            )
        )
