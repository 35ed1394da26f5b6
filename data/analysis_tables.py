"""Stored tables of the analysis: rows, columns, units and keys. See docs/methods.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from data.base_tables import BASE_TABLES
from data.deadline_tables import DEADLINE_TABLES
from data.hotspot_tables import HOTSPOT_TABLES
from data.index_tables import INDEX_TABLES
from data.signal_tables import SIGNAL_TABLES

if TYPE_CHECKING:
    from data.columns import Table

ANALYSIS_TABLES: Final[dict[str, Table]] = {
    **DEADLINE_TABLES,
    **BASE_TABLES,
    **HOTSPOT_TABLES,
    **SIGNAL_TABLES,
    **INDEX_TABLES,
}
"""Table name to its description; each analysed period is a file of its own."""
