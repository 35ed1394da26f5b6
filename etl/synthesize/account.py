"""The account of a made city, gathered file by file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from etl.synthesize.dirt import REFUSED, REPEATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl.synthesize.ledgers import Ledger, Located
    from etl.synthesize.plan import Ints

_PLACED = (("point", 2), ("code", 1), ("none", 0))


@dataclass
class Account:
    """Rows of each file and what must become of them; the fields are those of `Truth`."""

    files: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    dirty: dict[str, dict[str, int]] = field(default_factory=dict)
    expected: dict[str, dict[str, int]] = field(default_factory=dict)
    located: dict[str, dict[str, int]] = field(default_factory=dict)
    superseded: dict[str, int] = field(default_factory=dict)
    same_events: list[dict[str, str]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    unplaced: Counter[str] = field(default_factory=Counter)

    def add_file(
        self, source: str, file: str, placed: Ints, reasons: Mapping[str, int], *, replaces: int = 0
    ) -> None:
        """
        Add a file.

        Parameters
        ----------
        placed
            How each good row can be placed, as in `Ledger`.
        reasons
            Number of bad rows by reason.
        replaces
            Good rows that are newer versions of rows of an earlier file.
        """
        self.files.setdefault(source, []).append(file)
        self.rows[file] = len(placed) + sum(reasons.values())
        self.dirty[file] = dict(reasons)
        self.expected[file] = {
            "accepted": len(placed),
            "duplicate": reasons.get(REPEATED, 0),
            "quarantined": sum(
                number for reason, number in reasons.items() if reason not in {REPEATED, REFUSED}
            ),
            "refused": reasons.get(REFUSED, 0),
        }
        self.located[file] = {name: int((placed == value).sum()) for name, value in _PLACED}
        if replaces:
            self.superseded[file] = replaces

    def count(self, ledger: Ledger, located: Located, leaves: list[str]) -> None:
        """Count the incidents of a ledger by county and class, or by class alone."""
        used, row = np.unique(ledger.incidents.address, return_inverse=True)
        county, number = np.unique(located.codes["county"][used], return_inverse=True)
        leaf, placed = ledger.incidents.leaf, ledger.placed
        pair = number[row] * len(leaves) + leaf
        tally = np.bincount(pair[placed > 0], minlength=len(county) * len(leaves))
        for position in np.flatnonzero(tally).tolist():
            place, which = divmod(position, len(leaves))
            self.counts[county[place], leaves[which]] += int(tally[position])
        for which, total in enumerate(np.bincount(leaf[placed == 0]).tolist()):
            if total:
                self.unplaced[leaves[which]] += total
