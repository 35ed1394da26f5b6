"""Who is signed in, and the pages and actions that this account may open from the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dash import dcc

from dashboard.elements import html
from dashboard.forms import FIELD
from dashboard.markup import attributes
from data.access import decide
from data.permissions import matrix

if TYPE_CHECKING:
    from dashboard.text import Words
    from data.access import Scope

PAGES: Final = (
    ("account", "account", "/account"),
    ("upload", "upload", "/upload"),
    ("users", "users_read", "/users"),
    ("audit", "audit", "/audit"),
    ("settings", "settings_read", "/settings"),
)
"""Pages beside the map: name in the catalogue, action of the permission matrix, address."""

VIEW_PAGES: Final = (
    ("export", "export", "/export"),
    ("image", "export", "/image"),
    ("share", "share", "/share"),
    ("views", "views", "/views"),
)
"""Pages about the view that is open; its address goes along."""


def account_menu(
    scope: Scope, words: Words, *, search: str, is_demo: bool, token: str
) -> list[Any]:
    """
    The menu at the right of the bar.

    Parameters
    ----------
    search
        Query of the view that is open.
    token
        Form token of this browser, for signing out.
    """
    look = "?lang=en" if words.lang == "en" else ""
    links = [
        (words(f"menu_{name}"), f"{path}{search}")
        for name, action, path in VIEW_PAGES
        if decide(scope, action).is_allowed
    ]
    links += [
        (words(f"menu_{name}"), f"{path}{look}")
        for name, action, path in PAGES
        if decide(scope, action).is_allowed
    ]
    if is_demo:
        links.append((words("menu_switch"), f"/signin{look}"))
    out = html.Form(
        [
            dcc.Input(type="hidden", name=FIELD, value=token),
            html.Button(words("menu_sign_out"), type="submit", className="menu-item"),
        ],
        action="/signout",
        method="post",
    )
    title = ", ".join(words.pick(*_titles(name)) for name in scope.roles)
    return [
        html.Details(
            [
                html.Summary(
                    [html.Span(title), html.Small(words("menu_demo") if is_demo else scope.user)]
                ),
                html.Nav(
                    [
                        html.Div(f"{scope.user} {scope.unit}".strip(), className="menu-who"),
                        *(html.A(text, href=href, className="menu-item") for text, href in links),
                        *([] if is_demo else [out]),
                    ],
                    className="menu-box",
                    **attributes(aria_label=words("menu_title")),
                ),
            ],
            className="account-menu",
        )
    ]


def _titles(role: str) -> tuple[str, str]:
    entry = matrix().roles[role]
    return entry.title_zh, entry.title_en
