"""The wall in a real browser: the stage, the scenes, what arrives, the line, midnight."""

import pytest

pytestmark = pytest.mark.browser

INSIDE = """() => { const map = document.querySelector("[data-situation]");
  const x = Number(map.dataset.west) + 0.5 * map.viewBox.baseVal.width * Number(map.dataset.metres);
  const y = Number(map.dataset.north) - 0.5 * map.viewBox.baseVal.height * Number(map.dataset.metres);
  const degrees = (radians) => radians * 180 / Math.PI;
  return [degrees(x / 6378137), degrees(2 * Math.atan(Math.exp(y / 6378137)) - Math.PI / 2)]; }"""
DOTS = "[data-situation-live] .dot"


class Wall:
    """One open wall."""

    def __init__(self, page, address) -> None:
        self.page, self.address = page, address
        self.complaints, self.outside = [], []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._look)

    def _look(self, request):
        if not request.url.startswith(self.address):
            self.outside.append(request.url)

    def open(self, query=""):
        self.page.goto(f"{self.address}screen{query}")
        self.page.wait_for_selector(".stage.is-fitted")
        self.page.wait_for_selector("[data-scenes][data-now]")

    def tell(self, name, detail):
        self.page.evaluate(
            "([name, detail]) => document.dispatchEvent(new CustomEvent(name, { detail }))",
            [name, detail],
        )

    def arrive(self, seq, lng, lat):
        # The line's own first answer comes before, not after.
        self.page.wait_for_function(
            "() => document.querySelector('[data-today]').textContent !== '–'"
        )
        one = {"seq": seq, "at": "12:34", "class": f"class {seq}", "place": "here",
               "lng": lng, "lat": lat, "severity": 2, "is_new": True}  # fmt: skip
        counts = {"today": 41, "hour": 3, "quarantined": 0}
        self.tell("pingan:live", {"incidents": [one], "counts": counts})

    def scene(self):
        return self.page.get_attribute("[data-scenes]", "data-now")


@pytest.fixture
def make_wall(browser, address):
    opened = []

    def make(width=1366, height=768, motion="reduce"):
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion=motion, locale="zh-CN"
        )
        opened.append(Wall(context.new_page(), address))
        return opened[-1]

    yield make
    for wall in opened:
        assert not wall.complaints
        assert not wall.outside
        wall.page.context.close()


@pytest.mark.parametrize(
    ("size", "query", "stage"),
    [
        ((1366, 768), "", (1920, 1080)),
        ((3840, 1080), "?preset=wide", (3840, 1080)),
        ((3840, 1080), "", (1920, 1080)),
        ((390, 844), "", (1920, 1080)),
    ],
)
def test_the_stage_fits_any_wall_and_nothing_of_it_is_cut(make_wall, size, query, stage):
    wall = make_wall(*size)
    wall.open(query)
    box = wall.page.evaluate(
        "() => { const b = document.querySelector('.stage').getBoundingClientRect();"
        " return [b.left, b.top, b.width, b.height]; }"
    )
    scale = min(size[0] / stage[0], size[1] / stage[1])
    assert box[2] == pytest.approx(stage[0] * scale, abs=1)
    assert box[3] == pytest.approx(stage[1] * scale, abs=1)
    assert box[0] == pytest.approx((size[0] - box[2]) / 2, abs=1)
    assert box[1] == pytest.approx((size[1] - box[3]) / 2, abs=1)
    assert wall.page.evaluate(
        "() => [...document.querySelectorAll('.card, .ticker, .middle .situation-key')]"
        ".every(one => one.scrollHeight <= one.clientHeight + 2)"
    )


@pytest.mark.parametrize("query", ["?lang=zh", "?lang=en", "?preset=wide&lang=en"])
def test_no_line_of_a_card_is_cut(make_wall, query):
    wall = make_wall(1920, 1080)
    wall.open(query)
    assert wall.page.locator(".card .detail").count() >= 6
    assert (
        wall.page.locator(".card :is(h2, .detail, .note)").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
        )
        == []
    )


def test_scenes_turn_by_themselves_and_stand_still_when_paused(make_wall):
    wall = make_wall()
    wall.page.clock.install()
    wall.open("?every=60000")
    first = wall.scene()
    wall.page.clock.run_for(21_000)
    second = wall.scene()
    assert second != first
    assert wall.page.locator(f"[data-go='{second}'][aria-current]").is_visible()
    wall.page.keyboard.press("Space")
    wall.page.clock.run_for(90_000)
    assert wall.scene() == second
    wall.page.keyboard.press("ArrowLeft")
    assert wall.scene() == first
    wall.page.mouse.click(680, 400)  # anywhere: it goes on
    wall.page.clock.run_for(21_000)
    assert wall.scene() == second


def test_what_arrives_is_counted_told_and_drawn_and_no_more_than_so_much_is_kept(make_wall):
    wall = make_wall()
    wall.open("?every=60000")
    lng, lat = wall.page.evaluate(INSIDE)
    wall.arrive(1, lng, lat)
    assert wall.page.locator("[data-today]").inner_text() == "41"
    assert "class 1" in wall.page.locator("[data-ticker] li").first.inner_text()
    assert wall.page.locator(DOTS).count() == 1
    for seq in range(2, 90):
        wall.arrive(seq, lng, lat)
    assert wall.page.locator(DOTS).count() == 60
    assert "class 89" in wall.page.locator("[data-ticker] li").first.inner_text()
    wall.tell("pingan:live", {"removed": [89]})
    assert "class 89" not in wall.page.locator("[data-ticker]").inner_text()
    assert wall.page.locator(DOTS).count() == 59


def test_what_has_arrived_fades_in_steps_and_nothing_goes_on_moving(make_wall):
    """What moves all day costs a machine without a graphics card a whole core."""
    wall = make_wall(motion="no-preference")
    wall.page.clock.install()
    wall.open("?every=60000")
    wall.arrive(1, *wall.page.evaluate(INSIDE))
    assert wall.page.locator(DOTS).get_attribute("opacity") == "1.00"
    assert wall.page.evaluate("() => document.getAnimations().length") > 0
    wall.page.clock.resume()
    wall.page.wait_for_function("() => document.getAnimations().length === 0")
    wall.page.clock.run_for(6 * 60_000)
    assert 0.18 < float(wall.page.locator(DOTS).get_attribute("opacity")) < 1
    wall.page.clock.run_for(6 * 60_000)
    assert wall.page.locator(DOTS).count() == 0


def test_a_lost_line_is_told_with_its_time_and_the_wall_goes_on(make_wall):
    wall = make_wall()
    wall.open("?every=500")
    sign = wall.page.locator("[data-sign]")
    assert sign.is_hidden()
    wall.page.context.set_offline(True)
    sign.wait_for(state="visible")
    assert wall.page.locator(".card").count() > 0
    wall.page.context.set_offline(False)
    sign.wait_for(state="hidden")


def test_a_session_that_ends_leaves_the_picture_and_a_sign(make_wall):
    wall = make_wall()
    wall.open("?every=500")
    closed = ("**/live?*", "**/screen?*part=scenes*")
    for pattern in closed:
        wall.page.route(pattern, lambda route: route.fulfill(status=401, body=""))
    sign = wall.page.locator("[data-sign]")
    wall.page.wait_for_function(
        "() => { const sign = document.querySelector('[data-sign]');"
        " return !sign.hidden && sign.textContent.includes('登录已结束'); }"
    )
    assert wall.page.locator(".card").count() > 0
    for pattern in closed:
        wall.page.unroute(pattern)
    sign.wait_for(state="hidden")


def test_a_new_snapshot_is_fetched_and_swapped_without_a_new_listener(make_wall):
    wall = make_wall()
    wall.page.clock.install()
    wall.open("?every=60000")
    lng, lat = wall.page.evaluate(INSIDE)
    wall.arrive(1, lng, lat)
    wall.page.evaluate("() => { document.querySelector('.board').dataset.old = 'yes'; }")
    wall.tell("pingan:live", {"snapshot": "another"})
    wall.page.clock.run_for(7_000)
    wall.page.clock.resume()
    wall.page.wait_for_selector(".board:not([data-old])", state="attached")
    assert wall.page.locator(DOTS).count() == 1
    assert wall.page.locator("[data-today]").inner_text() == "41"


def test_the_date_rolls_over_at_midnight_and_the_scenes_are_fetched(make_wall):
    wall = make_wall()
    wall.page.clock.install()
    wall.open("?every=60000")
    before = wall.page.locator("[data-date]").inner_text()
    wall.page.evaluate("() => { document.querySelector('.board').dataset.old = 'yes'; }")
    wall.page.clock.fast_forward("24:00:00")
    wall.page.clock.run_for(2_000)
    wall.page.clock.resume()
    wall.page.wait_for_function(
        "before => document.querySelector('[data-date]').textContent !== before", arg=before
    )
    wall.page.wait_for_selector(".board:not([data-old])", state="attached")
