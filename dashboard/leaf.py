"""
Parts of a page as plain HTML: one value for Dash, however many elements it holds.

Dash keeps a record of every component and renders each by a message of its own, which for a legend
of a hundred elements takes longer than painting the map. Here they travel as escaped markup.
"""

from __future__ import annotations

import functools
import html as plain
import re
from typing import TYPE_CHECKING, Any, Final

from dash import dcc
from dash.development.base_component import Component

from dashboard.elements import Light, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMES: Final[Mapping[str, str]] = {"className": "class", "htmlFor": "for", "tabIndex": "tabindex"}
_VOID: Final = frozenset({"br", "hr", "img", "input"})
_CORE: Final[Mapping[type, tuple[str, dict[str, Any]]]] = {
    dcc.Link: ("a", {"data-link": True}),
    Link: ("a", {"data-link": True}),
    dcc.Input: ("input", {}),
}
"""Of those with behaviour: `assets/map_panels.js` follows a link, a field is a plain one."""

_NOT_SHOWN: Final = frozenset({"children", "n_clicks", "n_clicks_timestamp", "loading_state"})


def to_html(shown: Any) -> str:
    """
    Markup of components; every text and value in it is escaped.

    Parameters
    ----------
    shown
        `dash.html` components, text, numbers, or lists of them; None is nothing.

    Raises
    ------
    TypeError
        A component needs Dash in the browser.
    """
    parts: list[str] = []
    _write(shown, parts.append)
    return "".join(parts)


def written(parts: Mapping[str, Any]) -> dict[str, str]:
    """Markup of each part."""
    return {name: to_html(part) for name, part in parts.items()}


def _write(shown: Any, add: Callable[[str], None]) -> None:
    kind: Any = type(shown)
    if kind is str:
        add(plain.escape(shown))
    elif kind is list or kind is tuple:
        for part in shown:
            _write(part, add)
    elif isinstance(shown, Light):
        tag, more = _CORE.get(kind, ("", {}))
        _write_element(tag or _tag(kind), vars(shown) | more if more else vars(shown), add)
    elif isinstance(shown, Component):
        _write_component(shown, add)
    elif isinstance(shown, str | int | float):
        add(plain.escape(str(shown)))
    elif shown is not None:
        raise TypeError(f"{kind.__name__} cannot be written as markup")


def _write_component(shown: Component, add: Callable[[str], None]) -> None:
    untyped: Any = shown
    kind: Any = type(shown)
    if kind not in _CORE and not kind.__module__.startswith("dash.html"):
        raise TypeError(f"{kind.__name__} cannot be written as markup")
    # What Dash itself would send, hence without what was not set, in an order of its own: Dash
    # gives it in that of a set, which differs from process to process.
    told = dict(sorted(untyped.to_plotly_json()["props"].items()))
    tag, more = _CORE.get(kind) or (_tag(kind), {})
    _write_element(tag, told | more, add)


@functools.cache
def _tag(kind: Any) -> str:
    return str(kind.__name__).lower()


def _write_element(tag: str, values: Mapping[str, Any], add: Callable[[str], None]) -> None:
    add(f"<{tag}")
    for name, value in values.items():
        if name not in _NOT_SHOWN and value is not None and value is not False:
            add(_attribute(name, value))
    add(">")
    if tag in _VOID:
        return
    children = values.get("children")
    if children is not None:
        _write(children, add)
    add(f"</{tag}>")


def _attribute(name: str, value: Any) -> str:
    name = _NAMES.get(name, name)
    if value is True:
        return f" {name}"
    if isinstance(value, dict):
        value = ";".join(f"{_dashed(key)}:{one}" for key, one in value.items())
    return f' {name}="{plain.escape(str(value))}"'


def _dashed(name: str) -> str:
    """A property of a style as a style sheet spells it."""
    return re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", name)
