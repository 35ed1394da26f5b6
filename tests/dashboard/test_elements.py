"""Elements made without Dash's checks: in all else they are those of Dash."""

import json

from dash import dcc
from dash import html as full
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

from dashboard.elements import Link, html
from dashboard.markup import attributes


def drawn(made):
    return made.Div(
        [made.Span("x", className="a"), None, 3, made.Br()],
        id="box",
        style={"width": "2px"},
        hidden=False,
        **attributes(data_of="y", aria_label="z"),
    )


def test_they_are_sent_as_those_of_dash():
    sent, expected = (
        json.loads(json.dumps(drawn(made), cls=PlotlyJSONEncoder)) for made in (html, full)
    )
    assert sent == expected


def test_a_link_is_sent_as_that_of_dash():
    sent, expected = (
        json.loads(json.dumps(made("x", href="/?a=1", className="b"), cls=PlotlyJSONEncoder))
        for made in (Link, dcc.Link)
    )
    assert sent == expected
    assert isinstance(Link("x", href="/"), dcc.Link)


def test_they_are_components_of_the_same_kind():
    made = drawn(html)
    assert isinstance(made, Component)
    assert isinstance(made, full.Div)
    assert [type(part).__name__ for part in made._traverse() if isinstance(part, Component)] == [
        "Span",
        "Br",
    ]
    assert html.P().children is None


def test_what_is_sent_is_not_what_is_kept():
    made = html.P("x")
    made.to_plotly_json()["props"]["children"] = "y"
    assert made.children == "x"
