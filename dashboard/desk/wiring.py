"""Wiring of the pages: their routes, the callback that draws them, what the browser does alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Input, Output

from dashboard import ids
from dashboard.desk import answer, exported
from dashboard.desk.registry import PAGES
from dashboard.leaf import written

if TYPE_CHECKING:
    from dash import Dash

    from dashboard.chrome import Chrome
    from dashboard.guard import Guard
    from data.access import Scope
    from data.store import Store


def register(app: Dash, guard: Guard, store: Store, chrome: Chrome) -> None:
    """Add routes and callbacks of the pages to an application."""
    server: Any = app.server
    for page in PAGES:
        # Exactly these paths: Dash's own catch-all stays closed.
        server.add_url_rule(page.path, endpoint=page.endpoint, view_func=app.index, methods=["GET"])

    exported.register(server, store)

    @guard.register(
        action="map",
        doing="view",
        output={
            "page": Output(ids.PAGE, "children"),
            # What stands round the map too, which draws it there.
            "markup": Output(ids.PANELS_MARKUP, "data", allow_duplicate=True),
            "watermark": Output(ids.WATERMARK, "style", allow_duplicate=True),
        },
        inputs={"search": (Input(ids.PAGE_ADDRESS, "data"), answer.read_address)},
        prevent_initial_call=True,
    )
    def draw_page(scope: Scope, trigger: str, search: str) -> Any:
        del trigger
        snapshot = store.current()
        drawn = answer.draw_page(scope, snapshot, address=search)
        around = chrome.draw(scope, snapshot, answer.query_of(search))
        said = {
            ids.HEADER: drawn["header"],
            ids.FOOTER: drawn["footer"],
            ids.ACCOUNT: around["account"],
        }
        return {"page": drawn["page"], "markup": written(said), "watermark": around["watermark"]}

    wire: Any = app.clientside_callback
    wire(
        ClientsideFunction("pinganDesk", "address"),
        Output(ids.PAGE_ADDRESS, "data"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
    )
    names = ("map", *(page.name for page in PAGES), "weekly", "letters", "command", "methods")
    wire(
        ClientsideFunction("pinganDesk", "hrefs"),
        [Output(ids.nav(name), "href") for name in names],
        Input(ids.URL, "search"),
    )
