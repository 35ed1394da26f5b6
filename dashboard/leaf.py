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

from dash.development.base_component import Component

from dashboard.elements import Light

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Final[Mapping[str, str]] = {"className": "class", "htmlFor": "for", "tabIndex": "tabindex"}
_VOID: Final = frozenset({"br", "hr", "img", "input"})
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
    if shown is None:
        return ""
    if isinstance(shown, str | int | float):
        return plain.escape(str(shown))
    if isinstance(shown, list | tuple):
        return "".join(to_html(part) for part in shown)
    if isinstance(shown, Light):
        return _written(_tag(type(shown).__name__), vars(shown))
    if isinstance(shown, Component) and type(shown).__module__.startswith("dash.html"):
        return _element(shown)
    raise TypeError(f"{type(shown).__name__} cannot be written as markup")


def _element(shown: Component) -> str:
    # What Dash itself would send, hence without what was not set.
    untyped: Any = shown
    told = untyped.to_plotly_json()
    # Dash gives them in the order of a set, which differs from process to process.
    return _written(_tag(str(told["type"])), dict(sorted(told["props"].items())))


@functools.cache
def _tag(name: str) -> str:
    return name.lower()


def _written(tag: str, values: Mapping[str, Any]) -> str:
    attributes = "".join(
        _attribute(name, value) for name, value in values.items() if name not in _NOT_SHOWN
    )
    if tag in _VOID:
        return f"<{tag}{attributes}>"
    return f"<{tag}{attributes}>{to_html(values.get('children'))}</{tag}>"


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, str):
        return f' {_NAMES.get(name, name)}="{plain.escape(value)}"'
    name = _NAMES.get(name, name)
    if value is True:
        return f" {name}"
    if isinstance(value, dict):
        value = ";".join(f"{_dashed(key)}:{one}" for key, one in value.items())
    return f' {name}="{plain.escape(str(value))}"'


def _dashed(name: str) -> str:
    """A property of a style as a style sheet spells it."""
    return re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", name)
