"""
The elements of `dash.html`, and Dash's link, made without the checks that Dash repeats for each.

A click draws about nine hundred elements. Dash's own constructor compares every argument with lists
that it makes anew each time, twenty times the cost of the element itself. Here the arguments are
checked by the type checker alone, against Dash's signatures; the elements are Dash's in all else.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import dash.html
from dash import dcc

_GIVEN: Final = ("children", "href")
"""What an instance is given, and its class does not keep."""


class Light:
    """Mixed into a class of Dash's: what is given is all that an instance holds."""

    _type: str
    _namespace: str

    def __init__(self, children: Any = None, **given: Any) -> None:
        given["children"] = children
        self.__dict__ = given

    def to_plotly_json(self) -> dict[str, Any]:
        """What Dash sends."""
        return {"props": dict(vars(self)), "type": self._type, "namespace": self._namespace}


def _light(full: Any, **needed: str) -> Any:
    # One instance tells what the generated constructor sets on each.
    told = {key: value for key, value in vars(full(**needed)).items() if key not in _GIVEN}
    # Dash registers a class by these.
    told |= {key: getattr(full, key) for key in ("_namespace", "_children_props")}
    return type(full)(full.__name__, (Light, full), {"__module__": full.__module__, **told})


if TYPE_CHECKING:
    from dash import html as html  # noqa: PLC0414 - given on under the same name
    from dash.dcc import Link as Link  # noqa: PLC0414
else:
    names = vars(dash.html)["__all__"]
    html = SimpleNamespace(**{name: _light(getattr(dash.html, name)) for name in names})
    Link = _light(dcc.Link, href="")
