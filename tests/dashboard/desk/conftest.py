"""Pages drawn for a scope, and what they say."""

import dash_ag_grid
import pytest

from dashboard.desk import answer
from tests.dashboard.squares import CITY, COUNTY


def walk(node):
    """Every component of a tree, and every text."""
    yield node
    for name in getattr(node, "_prop_names", ()):
        value = getattr(node, name, None)
        if name == "children":
            for child in value if isinstance(value, list | tuple) else [value]:
                if child is not None:
                    yield from walk(child)
    if isinstance(node, list | tuple):
        for child in node:
            yield from walk(child)


class Drawn:
    """One page as it was answered."""

    def __init__(self, scope, snapshot, address) -> None:
        self.parts = answer.draw_page(scope, snapshot, address=address)
        self.nodes = list(walk(self.parts["page"]))

    @property
    def text(self):
        return " ".join(str(node) for node in self.nodes if isinstance(node, str | int | float))

    def grid(self, name):
        """Rows of a table, by their id."""
        (found,) = [
            node
            for node in self.nodes
            if isinstance(node, dash_ag_grid.AgGrid) and node.id == f"grid-{name}"
        ]
        return {row["id"]: row for row in found.rowData}

    def columns(self, name):
        (found,) = [node for node in self.nodes if getattr(node, "id", "") == f"grid-{name}"]
        return [
            column["field"] for one in found.columnDefs for column in one.get("children", [one])
        ]

    @property
    def links(self):
        told = [getattr(node, "href", None) for node in self.nodes]
        told += [
            row.get(key)
            for node in self.nodes
            if isinstance(node, dash_ag_grid.AgGrid)
            for row in node.rowData
            for key in ("href", "map")
        ]
        return [href for href in told if href]


@pytest.fixture(scope="session")
def city(snapshot):
    return lambda address: Drawn(CITY, snapshot, address)


@pytest.fixture(scope="session")
def county(snapshot):
    return lambda address: Drawn(COUNTY, snapshot, address)


@pytest.fixture(scope="session")
def drawn(snapshot):
    return lambda scope, address: Drawn(scope, snapshot, address)
