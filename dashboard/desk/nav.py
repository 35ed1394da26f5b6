"""The navigation that map and pages share, and the box that the pages are drawn into."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.desk import library
from dashboard.desk.registry import PAGES
from dashboard.markup import attributes
from dashboard.text import Words


def skip_link() -> html.A:
    """The first stop of the keyboard: past bar and filters."""
    return html.A(both("skip_to_content"), href=f"#{ids.PAGE}", className="skip-link")


def navigation(*, has_report: bool, has_letters: bool, has_command: bool) -> html.Nav:
    """
    Links to every page; `assets/desk.js` marks the current one and keeps the query in each.

    Parameters
    ----------
    has_report, has_letters, has_command
        They are among them; the browser's code knows the links in any case.
    """
    hidden = {"display": "none"}
    links = [
        dcc.Link(both("nav_map"), href="/", id=ids.nav("map")),
        *(dcc.Link(both(page.title), href=page.path, id=ids.nav(page.name)) for page in PAGES),
        # Pages of their own, not of this application.
        html.A(
            both("nav_weekly"),
            href="/weekly",
            id=ids.nav("weekly"),
            style={} if has_report else hidden,
        ),
        html.A(
            both("nav_letters"),
            href="/letters",
            id=ids.nav("letters"),
            style={} if has_letters else hidden,
        ),
        html.A(
            both("nav_command"),
            href="/command",
            id=ids.nav("command"),
            style={} if has_command else hidden,
        ),
        html.A(both("nav_methods"), href="/methods", id=ids.nav("methods")),
    ]
    labels = [Words(lang)("nav_label") for lang in ("zh", "en")]
    return html.Nav(links, className="site-nav", **attributes(aria_label=" / ".join(labels)))


def page_box() -> html.Main:
    """Where the pages are drawn; it tells the browser where the library of the tables is."""
    waiting = [html.Div(className=f"skeleton {kind}") for kind in ("head", "wide", "wide")]
    return html.Main(
        waiting,
        id=ids.PAGE,
        className="desk",
        tabIndex=-1,
        **attributes(
            data_library=library.address(),
            data_grids=" ".join(page.path for page in PAGES if page.has_grid),
            aria_busy="true",
        ),
    )


def both(key: str) -> list[Any]:
    """Text in both languages; the style sheet shows that of the page."""
    return [html.Span(Words(lang)(key), lang=lang, className="in-" + lang) for lang in ("zh", "en")]
