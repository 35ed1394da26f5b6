"""What the pages' callback answers: an address in, a page out; a plain function, tested by call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import dcc

from dashboard import inputs, panels, surroundings
from dashboard.desk import frame
from dashboard.desk.registry import page_of
from dashboard.elements import html
from dashboard.state import ViewState
from dashboard.text import Words
from dashboard.view import settle
from data.access import require

if TYPE_CHECKING:
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot


def read_address(value: object) -> str:
    """
    Read the address of a page, path and query.

    Raises
    ------
    BadInputError
        It is too long, or there is no such page.
    """
    address = inputs.search(value)
    if page_of(address.partition("?")[0]) is None:
        raise inputs.BadInputError("no such page")
    return address


def draw_page(scope: Scope, snapshot: Snapshot, *, address: str) -> dict[str, Any]:
    """
    Draw the page at an address.

    Raises
    ------
    BadInputError
        There is no such page.
    DeniedError
        The scope does not include its action.
    NotVisibleError
        The scope covers no area at all.
    """
    page = page_of(read_address(address).partition("?")[0])
    assert page is not None
    require(scope, page.action)
    view = settle(scope, snapshot, query_of(address))
    words = Words(view.state.lang)
    manifest = snapshot.manifest
    around = {
        "header": surroundings.header(manifest, words, protected=scope.is_protected),
        "footer": surroundings.footer(manifest, words, whole=scope.sees_all),
    }
    if scope.is_protected:
        return around | {"page": [_for_accounts(page.title, words, _look(view))]}
    head = frame.head(scope, snapshot, view, words, path=page.path, title=page.title)
    drawn = [head, *panels.notes(words, view.notes), *page.draw(scope, snapshot, view, words)]
    return around | {"page": drawn}


def query_of(address: str) -> str:
    """Query of an address, with its mark."""
    return "?" + address.partition("?")[2]


def _look(view: View) -> str:
    """Address of the map in the same language and colours, and of no area."""
    return ViewState(lang=view.state.lang, theme=view.state.theme).to_href()


def _for_accounts(title: str, words: Words, back: str) -> html.Div:
    """A shared link shows the map only: what the pages tell is about exact figures."""
    return html.Div(
        [
            html.H1(words(title), className="desk-title"),
            html.Div(
                [
                    html.Strong(words("desk_protected_title")),
                    html.P(words("desk_protected_text")),
                    dcc.Link(words("desk_to_map"), href=back, className="button"),
                ],
                className="empty",
            ),
        ],
        className="desk-only",
    )
