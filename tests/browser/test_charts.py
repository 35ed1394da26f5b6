"""Charts as they are drawn: their values, how they are read, and what they choose."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from data.periods import label, shift
from data.store import Snapshot
from tests.browser.opened import PAINT_MS, App

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)

ODD = {
    "kind": "time", "height": 240, "from": "2026-01-05", "step": 7,
    "tick": "%d %b", "hover": "week from %d %b %Y", "format": "count", "none": "no data",
    "keys": "Figures", "shade": [4, 5],
    "series": [
        {"name": "Now", "style": "main", "values": [3, None, 5, 4, None, 2],
         "open": 1, "open_name": "Still open"},
        {"name": "Before", "style": "thin", "values": [None, 1, 2, None, None, None]},
        {"name": "Usual", "style": "band",
         "low": [1, 1, None, 1, 1, 1], "high": [4, 5, None, 4.5, 4, 4]},
    ],
    "sets": {"control": "end", "values": ["a", "b", None, "d", "e", "f"], "marks": "range"},
}  # fmt: skip
"""Two gaps, a value between gaps, a range with a gap, one period still to be reported."""

PUT = """([figure, width]) => {
  window.told = [];
  window.dash_clientside.set_props = (id, what) => told.push([id, what.value ?? what.data]);
  const box = document.createElement('div');
  box.className = 'chart';
  box.id = 'put';
  box.style.cssText = `position:fixed;inset:0 auto auto 0;z-index:99;background:white;` +
    `width:${width}px;height:${figure.height}px`;
  box.setAttribute('data-chart', JSON.stringify(figure));
  document.body.append(box);
}"""


@pytest.fixture
def page(app: App) -> Page:
    app.open()
    return app.page


def put(page: Page, figure: dict[str, object], width: int = 500) -> Locator:
    """A chart of one's own over the page."""
    page.evaluate(PUT, [figure, width])
    chart = page.locator("#put")
    expect(chart.locator("svg > *, .row").first).to_be_attached()
    return chart


def xs(chart: Locator) -> list[float]:
    found: list[float] = chart.evaluate("({ chart }) => chart.frame.xs")
    return found


def told(page: Page) -> list[list[object]]:
    found: list[list[object]] = page.evaluate("told")
    return found


def test_a_line_has_its_values_and_its_gaps(page: Page) -> None:
    chart = put(page, ODD)
    drawn = chart.evaluate(
        """(box) => {
          const value = (y) => Math.round(10 * (box.chart.frame.bottom - y) /
            (box.chart.frame.bottom - box.chart.frame.y(1))) / 10;
          const points = (look) => [...box.querySelectorAll('svg:not(.sign) > ' + look)].flatMap(
            (path) => path.getAttribute('d').split('M').slice(1).map((part) =>
              part.replace('Z', '').split(/[LHV]/).map((pair) => pair.split(',')).map(
                (pair) => [box.chart.frame.xs.indexOf(Number(pair[0])), value(pair[1])])));
          return { main: points('.line.main:not(.open)'), open: points('.line.open'),
            before: points('.line.thin'), spots: box.querySelectorAll('svg > .spot').length,
            hollow: box.querySelectorAll('svg:not(.sign) > .hollow').length,
            band: points('.band').length };
        }"""
    )
    assert drawn["main"] == [[[2, 5], [3, 4]]]
    assert drawn["open"] == []  # nothing is known from which it could go on
    assert drawn["before"] == [[[1, 1], [2, 2]]]
    assert (drawn["spots"], drawn["hollow"], drawn["band"]) == (1, 1, 2)


@pytest.mark.parametrize("width", [300, 700])
def test_nothing_is_cut_and_no_label_lies_on_another(page: Page, width: int) -> None:
    chart = put(page, ODD, width)
    boxes = chart.evaluate(
        """(box) => [...box.querySelectorAll('text, .chart-legend li')].map((one) => {
          const is = one.getBoundingClientRect();
          return [one.textContent, is.left, is.right, is.top, is.bottom];
        })"""
    )
    assert all(
        left >= 0 and right <= width and bottom <= 240 for _, left, right, _, bottom in boxes
    )
    assert not [
        (one[0], other[0])
        for at, one in enumerate(boxes)
        for other in boxes[at + 1 :]
        if one[1] < other[2] and other[1] < one[2] and one[3] < other[4] and other[3] < one[4]
    ]
    ticks = [text for text, *_ in boxes if text.isdigit()]
    assert ticks == ["0", "1", "2", "3", "4", "5"]


def test_the_pointer_reads_every_series_of_a_period(page: Page) -> None:
    chart = put(page, ODD)
    plot, tip = chart.locator(".chart-plot"), chart.locator(".chart-tip")
    for at, shown in ((0, ["Now3", "Beforeno data", "Usual1–4"]),
                      (2, ["Now5", "Before2", "Usualno data"]),
                      (5, ["Still open2", "Beforeno data", "Usual1–4"])):  # fmt: skip
        plot.hover(position={"x": xs(chart)[at] + 2, "y": 60})
        assert tip.locator("div").all_text_contents() == shown
    expect(tip.locator("strong")).to_have_text("week from 09 Feb 2026")
    page.mouse.move(700, 500)
    expect(tip).to_be_hidden()


def test_a_click_a_drag_and_a_double_click_choose(page: Page) -> None:
    chart = put(page, ODD)
    box = chart.locator(".chart-plot").bounding_box()
    assert box
    at = [box["x"] + x for x in xs(chart)]
    y = box["y"] + 60
    page.mouse.click(at[2], y)  # stands for nothing
    page.mouse.click(at[3], y)
    page.wait_for_function("() => told.length === 1")
    page.mouse.move(at[4] + 3, y)
    page.mouse.down()
    page.mouse.move(at[0] - 3, y + 5, steps=5)
    expect(chart.locator(".drag")).to_have_count(1)
    page.mouse.up()
    page.mouse.dblclick(at[1], y)
    page.wait_for_function("() => told.length === 3")
    first, dragged, doubled = told(page)
    assert first == ["end", "d"]
    assert dragged == ["range", {"first": "a", "last": "e", "counter": 1}]
    assert doubled == ["range", {"reset": True, "counter": 2}]
    expect(chart.locator(".drag")).to_have_count(0)


def test_the_keys_read_and_choose(page: Page) -> None:
    chart = put(page, ODD)
    plot = chart.get_by_role("slider")
    expect(plot).to_have_attribute("aria-valuenow", "6")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuenow", "4")
    expect(plot).to_have_attribute(
        "aria-valuetext", "week from 26 Jan 2026, Now 4, Before no data, Usual 1–4.5"
    )
    expect(chart.locator(".cursor")).to_have_count(1)
    page.keyboard.press("Enter")
    assert told(page) == [["end", "d"]]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuenow", "1")
    page.keyboard.press("Escape")
    expect(chart.locator(".cursor")).to_have_count(0)
    page.keyboard.press("End")
    expect(plot).to_have_attribute("aria-valuenow", "6")


def test_a_chart_is_drawn_anew_in_place(page: Page) -> None:
    chart = put(page, ODD)
    chart.get_by_role("slider").focus()
    page.keyboard.press("Home")
    before = xs(chart)
    chart.evaluate("(box) => { box.style.width = '300px'; }")
    page.wait_for_function("() => document.querySelector('#put').chart.frame.width === 300")
    assert xs(chart)[-1] < before[-1]
    changed = ODD | {"shade": [0, 0]}
    chart.evaluate("(box, told) => { box.dataset.chart = JSON.stringify(told); }", changed)
    shade = chart.locator(".shade")
    expect(shade).to_have_attribute("x", str(chart.evaluate("({ chart }) => chart.frame.left")))
    expect(chart.get_by_role("slider")).to_be_focused()
    expect(chart.locator(".cursor")).to_have_count(1)


def test_stacked_bars_stand_on_each_other(page: Page) -> None:
    bars = [
        {"name": name, "style": "bar", "tint": tint, "values": values}
        for name, tint, values in (("red", "#ff0000", [1, 0, 2]), ("grey", "#888888", [3, 4, 0]))
    ]
    chart = put(page, {**ODD, "series": bars, "shade": None, "sets": None})
    ends = chart.evaluate(
        """(box) => [...box.querySelectorAll('svg:not(.sign) > .bar')].map((bar) =>
          bar.getAttribute('d').split('M').slice(1).map((part) => {
            const [, x, bottom, top] = part.match(/^([\\d.]+),([\\d.]+)h[\\d.]+V([\\d.]+)/);
            const one = box.chart.frame.bottom - box.chart.frame.y(1);
            return [bottom, top].map((y) => Math.round((box.chart.frame.bottom - y) / one));
          }))"""
    )
    assert ends == [[[0, 1], [0, 2]], [[1, 4], [0, 4]]]
    assert chart.locator("svg:not(.sign) > .bar").first.evaluate("(bar) => bar.style.fill")


def test_rows_have_names_as_text_and_bars_by_their_counts(page: Page) -> None:
    name = "<img src=x onerror=window.hit=1>"
    rows = {"kind": "rows", "height": 100, "names": ["Now", "Before"], "none": "no data",
            "rows": [[name, 200, 50], ["Others", 100, None]],
            "sets": {"control": "category", "values": ["", None]}}  # fmt: skip
    chart = put(page, rows, 300)
    assert chart.locator(".row-name").all_text_contents() == [name, "Others"]
    assert chart.locator("img").count() == 0
    sizes = chart.locator("li > .row .row-bar").evaluate_all(
        "(all) => all.map((b) => b.style.width)"
    )
    assert sizes == ["100%", "50%"]
    marks = chart.locator("li > .row .row-mark").evaluate_all(
        "(all) => all.map((m) => m.style.left)"
    )
    assert marks == ["25%"]
    assert chart.locator(".row").last.text_content() == "Others Now 100 Before no data"
    button = chart.get_by_role("button")
    expect(button).to_have_count(1)
    expect(button).to_have_attribute("aria-pressed", "true")
    button.focus()
    page.keyboard.press("Enter")
    assert told(page) == [["category", ""]]
    chart.evaluate(
        "(box, told) => { box.dataset.chart = JSON.stringify(told); }",
        rows | {"sets": {"control": "category", "values": ["10", None]}},
    )
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_be_focused()


def test_the_trend_shows_the_stored_counts_and_the_keys_move_the_window(
    app: App, page: Page, snapshot: Snapshot
) -> None:
    counts = snapshot.read("area_counts_city")
    weeks = counts[counts["area_index"] == 0].groupby("period_start")["count"].sum()
    plot = page.locator("#charts").get_by_role("slider")
    plot.focus()
    last = snapshot.manifest.last_period
    for back in range(3):
        expected = f"{int(weeks.loc[weeks.index.astype(str).str[:10] == str(shift(last, -back, grain='week'))].sum()):,}"  # fmt: skip
        expect(page.locator(".chart-tip b").first).to_have_text(expected)
        page.keyboard.press("ArrowLeft")
    wanted = label(shift(last, -3, grain="week"), grain="week")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"end={wanted}"))
    expect(plot).to_be_focused()
    expect(plot).to_have_attribute("aria-valuetext", re.compile("."))


def test_paper_gets_the_charts_no_wider_than_the_sheet(page: Page) -> None:
    plot = page.locator("#charts .chart-plot")
    expect(plot.locator("svg path").first).to_be_attached()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 400, "height": 700})
    wide = plot.locator("> svg").bounding_box()
    assert wide
    assert 0 < wide["width"] <= 400
    height = plot.locator("> svg").evaluate("(svg) => svg.viewBox.baseVal.height")
    assert wide["height"] <= height + 1
