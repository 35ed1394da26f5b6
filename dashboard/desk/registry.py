"""The pages beside the map: where each is, who may open it, what draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboard.desk import areas, data, forecast, hotspots, index

if TYPE_CHECKING:
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Draw = Callable[["Scope", "Snapshot", "View", "Words"], list[Any]]


@dataclass(frozen=True)
class Page:
    """
    One page.

    Attributes
    ----------
    action
        Action of the permission matrix that opens it.
    has_grid
        It shows tables that need the grid's library.
    """

    name: str
    draw: Draw
    action: str = "map"
    has_grid: bool = True

    @property
    def path(self) -> str:
        """Path of its address; the query is that of the map."""
        return f"/{self.name}"

    @property
    def endpoint(self) -> str:
        """Name of its route."""
        return f"desk_{self.name}"

    @property
    def title(self) -> str:
        """Key of its name in the catalogue."""
        return f"nav_{self.name}"


PAGES: Final = (
    Page("areas", areas.draw, has_grid=False),
    Page("hotspots", hotspots.draw),
    Page("index", index.draw),
    Page("forecast", forecast.draw),
    Page("data", data.draw),
)
"""In the order of the navigation."""


def page_of(path: str) -> Page | None:
    """Page at a path; None = there is none."""
    return next((page for page in PAGES if page.path == path), None)
