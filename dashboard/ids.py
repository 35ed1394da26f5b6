"""Every component id, one constant each; the layout holds them all from the start."""

from __future__ import annotations

from typing import Final

APP: Final = "app"
URL: Final = "url"
NOTICE: Final = "notice"

MAP: Final = "map"
MAP_VIEW: Final = "map-view"
MAP_VALUES: Final = "map-values"
MAP_EVENT: Final = "map-event"
MAP_HOVER: Final = "map-hover"
MAP_HOVER_DETAIL: Final = "map-hover-detail"
MAP_CAMERA: Final = "map-camera"
MAP_RESOLUTION: Final = "map-resolution"
MAP_PLAY: Final = "map-play"
MAP_NOTE: Final = "map-note"
MAP_APPLIED: Final = "map-applied"
LEGEND_MARKUP: Final = "legend-markup"
LEGEND_APPLIED: Final = "legend-applied"
ADDRESS: Final = "address"
SHOWN: Final = "shown"
PANELS_ADDRESS: Final = "panels-address"
MAP_HOVER_CARD: Final = "map-hover-card"

SEARCH: Final = "area-search"
SEARCH_RESULTS: Final = "area-search-results"
LAYER: Final = "layer"
LEVEL: Final = "level"
PERIODS: Final = "periods"
START: Final = "start"
RANGE: Final = "range"
END: Final = "end"
EARLIER: Final = "earlier"
LATER: Final = "later"
CATEGORY: Final = "category"
SEVERITY: Final = "severity"
LANGUAGE: Final = "language"
THEME: Final = "theme"

HEADER: Final = "header"
FILTERS: Final = "filters"
BREADCRUMB: Final = "breadcrumb"
LEGEND: Final = "legend"
KPIS: Final = "kpis"
CHARTS: Final = "charts"
RANKING: Final = "ranking"
ARITHMETIC: Final = "arithmetic"
FOOTER: Final = "footer"
ACCOUNT: Final = "account"
WATERMARK: Final = "watermark"
COMPARISON: Final = "comparison"

PAGE: Final = "page"
PAGE_ADDRESS: Final = "page-address"


def nav(name: str) -> str:
    """Id of the link to a page in the navigation."""
    return f"nav-{name}"
