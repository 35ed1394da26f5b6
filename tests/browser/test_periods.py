"""Windows of time, as a user chooses them: by the calendar, from a week on, and on the chart."""

import re

import pytest
from playwright.sync_api import Locator, expect

from data.periods import label, shift
from data.store import Snapshot
from tests.browser.opened import PAINT_MS, App

pytestmark = pytest.mark.browser
expect.set_options(timeout=PAINT_MS)


def trend(app: App) -> Locator:
    """The trend, drawn and ready to be dragged over."""
    chart = app.page.locator(".chart:has(.chart-plot svg path)").first
    chart.scroll_into_view_if_needed()
    return chart


def shaded(app: App) -> list[str]:
    """Weeks whose points lie in the shade of the trend, as it is drawn."""
    found: list[str] = trend(app).evaluate(
        """({ chart }) => {
          const shade = chart.svg.querySelector('.shade');
          const [left, wide] = ['x', 'width'].map((name) => Number(shade.getAttribute(name)));
          return chart.figure.sets.values.filter(
            (_, at) => left < chart.frame.xs[at] && chart.frame.xs[at] < left + wide);
        }"""
    )
    return found


def spot(chart: Locator, label: str) -> dict[str, float]:
    """Where the point of a week is, from the corner of the plot."""
    found: dict[str, float] = chart.evaluate(
        """({ chart }, label) => ({
          x: chart.frame.xs[chart.figure.sets.values.indexOf(label)], y: chart.frame.height / 2 })""",
        label,
    )
    return found


def weeks(snapshot: Snapshot, count: int) -> list[str]:
    """Labels of the newest weeks, the oldest first."""
    last = snapshot.manifest.last_period
    return [label(shift(last, 1 - count + at, grain="week"), grain="week") for at in range(count)]


def drag(app: App, chart: Locator, first: str, last: str) -> None:
    """Drag over the points of two weeks, from a little before the one to a little after the other."""
    box = chart.locator(".chart-plot").bounding_box()
    assert box
    left, right = (box["x"] + spot(chart, label)["x"] for label in (first, last))
    mouse, left, right, y = app.page.mouse, left - 3, right + 3, box["y"] + box["height"] / 2
    mouse.move(left, y)
    mouse.down()
    mouse.move((left + right) / 2, y, steps=4)
    mouse.move(right, y + 2, steps=4)
    mouse.up()


def test_a_part_of_the_calendar_keeps_its_meaning_while_its_end_moves(app: App) -> None:
    app.open()
    app.page.locator("#periods input[value='year']").click()
    expect(app.page).to_have_url(re.compile(r"span=year"))
    expect(app.page.locator("#map-note")).to_contain_text("本年：")
    expect(app.page.locator("#start")).to_contain_text("-W01")
    app.page.locator("#earlier").click()
    expect(app.page).to_have_url(re.compile(r"span=year&end="))
    expect(app.page.locator("#start")).to_contain_text("-W01")


def test_the_first_week_is_chosen_by_the_keyboard(app: App, snapshot: Snapshot) -> None:
    app.open()
    wanted = weeks(snapshot, 7)[0]
    app.page.locator("#start").focus()
    app.page.keyboard.press("Enter")
    options = app.page.locator(".dash-dropdown-options input")
    for name in weeks(snapshot, 7)[3::-1]:  # from the first of the default four, back by three
        expect(options.and_(app.page.locator(f"[value='{name}']"))).to_be_focused()
        app.page.keyboard.press("ArrowDown" if name != wanted else "Enter")
    expect(app.page).to_have_url(re.compile(rf"start={wanted}(&|$)"))
    expect(app.page.locator("#periods .selected")).to_have_count(0)
    app.page.reload()
    expect(app.page.locator("#start")).to_contain_text(wanted)


def test_a_drag_over_the_trend_is_the_window_and_a_double_click_lets_go(
    app: App, snapshot: Snapshot
) -> None:
    app.open()
    first, *_, last = weeks(snapshot, 20)[:9]
    chart = trend(app)
    drag(app, chart, first, last)
    expect(app.page).to_have_url(re.compile(rf"start={first}&end={last}"))
    expect(app.page.locator("#start")).to_contain_text(first)
    expect(app.page.locator(".window-reset")).to_be_visible()
    expect(chart.locator(".drag")).to_have_count(0)  # the figures of the new window are there
    assert shaded(app) == weeks(snapshot, 20)[:9]
    expect(chart).to_be_in_viewport()
    chart.locator(".chart-plot").dblclick(position={"x": 150, "y": 40})
    expect(app.page).not_to_have_url(re.compile(r"start=|end="))
    expect(app.page.locator(".window-reset")).to_have_count(0)


def test_a_click_on_the_trend_ends_the_window_there(app: App, snapshot: Snapshot) -> None:
    app.open("?periods=1")
    chart = trend(app)
    wanted = weeks(snapshot, 11)[0]
    chart.locator(".chart-plot").click(position=spot(chart, wanted))
    expect(app.page).to_have_url(re.compile(rf"end={wanted}"))
    app.page.locator(".window-reset").click()
    expect(app.page).not_to_have_url(re.compile(r"periods=|end="))


def test_the_band_of_15_weeks_and_the_year_before_are_coloured(app: App) -> None:
    app.open("?level=township")
    for name, value in (("常态带", "band15"), ("同比", "change_year")):
        app.page.locator(".measures").get_by_text(name, exact=True).click()
        expect(app.page).to_have_url(re.compile(rf"measure={value}"))
        expect(app.page.locator(".measures .current")).to_have_text(name)
        app.painted("areas:township")
