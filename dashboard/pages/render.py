"""Draw a page: language and look from the address, the account menu, the watermark, the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from flask import Response, current_app, g, redirect, request, url_for
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboard.forms import FIELD
from dashboard.guard import current_scope
from dashboard.text import Words
from dashboard.watermark import watermark_style, watermark_text
from data.access import decide
from data.permissions import WALL, matrix

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.pages.context import PageContext
    from data.access import Scope

LANGUAGES: Final = ("zh", "en")
THEMES: Final = ("auto", "light", "dark")
LANGUAGE_NAMES: Final = {"zh": "language_zh", "en": "language_en"}

MENU: Final = (
    ("phone", "report_event", "phone_menu"),
    ("users", "users_read", "menu_users"),
    ("audit", "audit", "menu_audit"),
    ("settings", "settings_read", "menu_settings"),
    ("upload", "upload", "menu_upload"),
)
"""Pages of the menu: endpoint, action of the permission matrix, key of the title."""

REPORT: Final = ("weekly", "report", "nav_weekly")
"""Entry of the weekly report, as in `MENU`; it comes right after the desk's own."""

LETTERS: Final = ("letters", "letters", "nav_letters")
"""Entry of the letters, after that of the report."""

COMMAND: Final = ("command", "warnings", "nav_command")
"""Entry of the desk of the command centre, after the letters."""

DESK: Final = tuple(
    (name, "/" if name == "map" else f"/{name}")
    for name in ("map", "areas", "hotspots", "index", "forecast", "data")
)
"""The map and the pages beside it, in the order of its own navigation; all ask for one action."""

SPECIAL: Final = ("special", "warnings", "nav_special")
FACILITIES: Final = ("facilities", "warnings", "nav_facilities")
"""Entries after the desk: special periods, inspection points."""

IN_BAR: Final = 9
"""Entries that stand in the bar; those after them are behind its last one."""

_templates = Environment(
    loader=PackageLoader("dashboard.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Link(NamedTuple):
    """One entry of a menu."""

    text: str
    href: str
    is_here: bool


def language() -> str:
    """Language of the answer: Chinese unless the address asks for English."""
    return "en" if request.args.get("lang") == "en" else "zh"


def words() -> Words:
    """The catalogue in the language of the answer."""
    return Words(language())


def theme() -> str:
    """Look of the answer; anything unknown follows the browser."""
    asked = request.args.get("theme", "auto")
    return asked if asked in THEMES else "auto"


def _look() -> dict[str, str]:
    look = {"lang": language(), "theme": theme()}
    return {name: value for name, value in look.items() if value not in ("zh", "auto")}


def address(endpoint: str, **values: Any) -> str:
    """Address of a page in the language and look of this one."""
    return url_for(endpoint, **{**_look(), **values})


def map_address(search: str = "/") -> str:
    """Address of the map, or of a page that was asked for, in this language and look."""
    look = {name: value for name, value in _look().items() if f"{name}=" not in search}
    return f"{search}{'&' if '?' in search else '?'}{urlencode(look)}" if look else search


def home_of(scope: Scope) -> str:
    """Where an account begins: the map, or the first page that its role is for."""
    if WALL in scope.roles:
        return "/screen"
    if decide(scope, "map").is_allowed:
        return map_address()
    for link in _menu(scope):
        if link.href:
            return link.href
    return address("account")


def go(where: str) -> Response:
    """Send the browser on after a form, so that reloading repeats nothing."""
    answer = redirect(where, 303)
    return Response(answer.get_data(), headers=answer.headers, status=303)


def page(context: PageContext, template: str, *, status: int = 200, **values: Any) -> Response:
    """
    Draw a template as an answer that no cache keeps.

    Parameters
    ----------
    values
        What the template shows; every text in it is escaped there.
    """
    scope, told = current_scope(), words()
    city = context.city()
    text = _templates.get_template(template).render(
        w=told,
        lang=language(),
        theme=theme(),
        scope=scope,
        is_demo=context.is_demo,
        city=told.pick(city.name_zh, city.name_en),
        url=address,
        map_href=home_of(scope) if scope.user else address("signin"),
        keep_look=_look_fields,
        menu=_menu(scope),
        in_bar=IN_BAR,
        roles=role_titles(scope.roles, told),
        languages=_switches("lang", LANGUAGES),
        themes=_switches("theme", THEMES),
        watermark=_watermark(context, scope),
        token_field=lambda: _token_field(context),
        time=lambda moment: local_time(context, moment),
        **values,
    )
    answer = Response(text, status=status, mimetype="text/html")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def local_time(context: PageContext, moment: dt.datetime | None) -> str:
    """Print a moment in the city's time, to the second."""
    if moment is None:
        return ""
    return f"{moment.astimezone(context.city().zone):%Y-%m-%d %H:%M:%S}"


def role_titles(names: tuple[str, ...], told: Words) -> list[str]:
    """Titles of roles, in the order of the matrix."""
    roles = [role for role in matrix().roles.values() if role.name in names]
    return [told.pick(role.title_zh, role.title_en) for role in roles]


def _menu(scope: Scope) -> list[Link]:
    """Pages that the scope may open, of those that this application has."""
    told = words()
    links: list[Link] = []
    if g.get("must_change", False) or WALL in scope.roles:
        return links  # nothing else is open before that, or to a wall at all
    if decide(scope, "map").is_allowed:
        links += [
            Link(told(f"nav_{name}"), map_address(path), is_here=False) for name, path in DESK
        ]
    for endpoint, action, key in (REPORT, LETTERS, COMMAND, SPECIAL, FACILITIES, *MENU):
        if endpoint in current_app.view_functions and decide(scope, action).is_allowed:
            path = url_for(endpoint)
            here = request.path == path or request.path.startswith(f"{path}/")
            links.append(Link(told(key), address(endpoint), here))
    # Last: nobody's work begins with it.
    if "methods" in current_app.view_functions:
        here = request.path == url_for("methods")
        links.append(Link(told("menu_methods"), address("methods"), here))
    return links


def _switches(name: str, choices: tuple[str, ...]) -> list[Link]:
    """Links to this page in each language or look; a page that only a form reaches has none."""
    told, now = words(), {"lang": language(), "theme": theme()}
    links = []
    for choice in choices:
        kept = {**{key: request.args[key] for key in request.args}, **now, name: choice}
        query = {key: value for key, value in kept.items() if value not in ("zh", "auto")}
        told_as = told(LANGUAGE_NAMES[choice]) if name == "lang" else told(f"theme_{choice}")
        links.append(Link(told_as, _with_query(query), now[name] == choice))
    return links


def _with_query(query: dict[str, str]) -> str:
    return f"?{urlencode(query)}" if query else request.path


def _watermark(context: PageContext, scope: Scope) -> str:
    if not scope.user:
        return ""
    now = context.clock().astimezone(context.city().zone)
    return watermark_style(watermark_text(scope, now))


def _look_fields() -> Markup:
    """Language and look for a form whose fields make the next address."""
    field = Markup('<input type="hidden" name="{}" value="{}">')
    return Markup("").join(field.format(name, value) for name, value in _look().items())


def _token_field(context: PageContext) -> Markup:
    # A token is hexadecimal digits, and the name is ours.
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, context.forms.token())
