"""One table for all benchmarks: what, budget, ours, the peer, their ratio."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Row:
    """One measured quantity: its rounds, its budget (upper limit), the peer's rounds."""

    what: str
    unit: str
    budget: float | None
    ours: list[float]
    peer: list[float] = field(default_factory=list)
    floor: bool = False
    """Whether the peer is a lower bound: the ratio is then ours / peer."""

    def cells(self):
        """What, budget, median, least–most, peer's median, ratio, verdict."""
        ours = statistics.median(self.ours)
        spread = f"{shown(min(self.ours))}–{shown(max(self.ours))}" if len(self.ours) > 1 else ""
        theirs = statistics.median(self.peer) if self.peer else None
        verdict = "" if self.budget is None else ("met" if ours <= self.budget else "missed")
        return [
            self.what,
            "" if self.budget is None else f"≤ {self.budget:,g} {self.unit}".strip(),
            f"{shown(ours)} {self.unit}".strip(),
            spread,
            "" if theirs is None else f"{shown(theirs)} {self.unit}".strip(),
            self.ratio(ours, theirs),
            verdict,
        ]

    def ratio(self, ours, theirs):
        if not theirs or not ours:
            return ""
        return f"{ours / theirs:.1f}" if self.floor else f"{theirs / ours:.1f}"


HEAD = ["what", "budget", "median", "least–most", "Plotly", "ratio", "budget is"]


def shown(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def print_rows(rows, *, markdown=False, head=HEAD):
    lines = [row.cells() for row in rows]
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
