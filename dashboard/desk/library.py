"""
The grid's library, kept out of the map's page: it is larger than all that the map needs.

Dash would put the script of every imported library into the page. Marked as lazy it is served but
not loaded; `assets/desk.js` fetches it before the first page with a table. The enterprise edition
and the source maps are of no use here and are not served.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import dash_ag_grid
from dash import fingerprint

SCRIPTS: Final = ("dash_ag_grid.min.js", "async-community.js")
"""The component, and the grid that it asks for."""

FOLDER: Final = Path(dash_ag_grid.__file__).parent


def keep_lazy() -> None:
    """Serve the library's scripts without loading them with the page; again is as good as once."""
    library: Any = dash_ag_grid
    library._js_dist = [  # noqa: SLF001 - the attribute that Dash reads
        {"relative_package_path": name, "namespace": "dash_ag_grid", "async": "lazy"}
        for name in SCRIPTS
    ]


def address() -> str:
    """Address of the component's script, with its version, as Dash serves it."""
    name = SCRIPTS[0]
    changed = int((FOLDER / name).stat().st_mtime)
    untyped: Any = fingerprint
    versioned = untyped.build_fingerprint(name, dash_ag_grid.__version__, changed)
    return f"/_dash-component-suites/dash_ag_grid/{versioned}"
