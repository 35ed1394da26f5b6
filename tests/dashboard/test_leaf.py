"""Components written as markup."""

import pytest
from dash import dcc, html

from dashboard import elements
from dashboard.leaf import to_html
from dashboard.markup import attributes


def test_text_and_values_are_escaped():
    shown = html.A("<b>&", href='/?q="><script>', title="'")
    assert to_html(shown) == (
        '<a href="/?q=&quot;&gt;&lt;script&gt;" title="&#x27;">&lt;b&gt;&amp;</a>'
    )


def test_names_of_attributes_are_those_of_html():
    shown = html.Div(
        [html.Span(1), None, "x"],
        className="a b",
        style={"backgroundColor": "#fff", "width": "2px"},
        tabIndex=-1,
        **attributes(data_choice="layer cells", aria_label="n"),
    )
    assert to_html(shown) == (
        '<div aria-label="n" class="a b" data-choice="layer cells"'
        ' style="background-color:#fff;width:2px" tabindex="-1"><span>1</span>x</div>'
    )


def test_what_is_not_so_is_left_out_and_what_is_stands_alone():
    assert to_html(html.Details("x", open=True)) == "<details open>x</details>"
    assert to_html(html.Div("x", hidden=False, title=None)) == "<div>x</div>"
    assert to_html([html.Br(), 0]) == "<br>0"


def test_a_component_that_needs_dash_is_refused():
    with pytest.raises(TypeError, match="Dropdown"):
        to_html(html.Div(dcc.Dropdown(["x"])))


def test_a_link_and_a_field_are_plain_ones():
    assert to_html(dcc.Link("<b>", href="/?q=1&n=2", className="button")) == (
        '<a class="button" href="/?q=1&amp;n=2" data-link>&lt;b&gt;</a>'
    )
    hidden = dcc.Input(type="hidden", name="token", value='"')
    assert to_html(hidden) == '<input name="token" type="hidden" value="&quot;">'


def test_elements_without_checks_are_written_alike():
    for made in (html, elements.html):
        shown = made.A(["<b>", made.Small("&")], className="a", href="/?q=1&n=2", title='"')
        assert to_html(shown) == (
            '<a class="a" href="/?q=1&amp;n=2" title="&quot;">&lt;b&gt;<small>&amp;</small></a>'
        )
