"""The grid chief's page on a phone: the real product, a real browser, and no network at times."""

import datetime as dt
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import shapely

from dashboard.areas import hierarchy
from dashboard.images.shapes import level_shapes
from dashboard.signin.demo import demo_accounts
from data.intake import Intake
from data.state.database import open_state
from data.store import Store
from data.warnings.kinds import Unit
from data.warnings.store import Warnings
from data.warnings.tree import AreaTree
from tests.browser import served_app
from tests.browser.opened import wait_until
from tests.browser.test_accessible import AXE, RULES

pytestmark = pytest.mark.browser

CITY = Path(__file__).parents[2] / "data" / "cities" / "demo"
PHONE = {"width": 390, "height": 844}
WIDTHS = (320, 390, 600, 820)
QUEUED = 20
SMALL = """() => [...document.querySelectorAll("a, button, select, summary, .severity label")]
    .filter(one => one.checkVisibility() && !one.matches(".skip, svg a"))
    .map(one => [one.outerHTML.slice(0, 90), Math.round(one.getBoundingClientRect().height)])
    .filter(([, height]) => height < 44)"""
WIDER = "() => document.documentElement.scrollWidth - innerWidth"
RADIUS = 6_378_137.0


def says(words):
    """A question to the page: whether it says so when it is fetched anew."""
    return f"async () => (await (await fetch(location.href)).text()).includes('{words}')"


class City:
    """The served city, and what lies where in it."""

    def __init__(self, home, address) -> None:
        self.home, self.address = home, address
        self.snapshot = Store(home).current()
        self.accounts = {one.name: one.scope for one in demo_accounts(self.snapshot)}

    def area(self, account):
        return hierarchy(self.accounts[account], self.snapshot).top()

    def code(self, account):
        (grant,) = self.accounts[account].grants
        return grant.code

    def point(self, account):
        """Degrees of a point in the account's area."""
        area = self.area(account)
        bounds = hierarchy(self.accounts[account], self.snapshot).at(area.level).bounds[area.index]
        shape = level_shapes(self.snapshot, area.level, tuple(bounds.tolist()))[area.index]
        inside = shapely.point_on_surface(shape)
        lat = np.degrees(2 * np.arctan(np.exp(inside.y / RADIUS)) - np.pi / 2)
        return {"longitude": float(np.degrees(inside.x / RADIUS)), "latitude": float(lat)}

    def reports(self):
        return [one for one in Intake(self.home).batches() if one.source == "phone"]

    def warn(self, account, name):
        """Open a warning that the account's unit owns."""
        (grant,) = self.accounts[account].grants
        database = open_state("", self.home)
        opened = Warnings(database, tree=lambda: AreaTree(self.snapshot.areas)).open(
            fingerprint=name, rule="person", level=grant.level, code=grant.code, group="all",
            colour=3, evidence={}, owner=Unit(grant.role, grant.level, grant.code),
            snapshot=self.snapshot.id, now=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        database.close()
        return opened

    def state(self, warning):
        database = open_state("", self.home)
        found = Warnings(database).get(self.accounts["leader"], warning.id)
        database.close()
        return found.state


@pytest.fixture(scope="module")
def city(demo_home, tmp_path_factory):
    home = shutil.copytree(demo_home, tmp_path_factory.mktemp("phone") / "home")
    with served_app.serve(home, PINGAN_CITY=str(CITY)) as address:
        yield City(home, address)


class Phone:
    """One phone: the account that it belongs to, and what went wrong on it."""

    def __init__(self, browser, city, account, **look) -> None:
        self.city = city
        self.context = browser.new_context(
            viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce",
            locale="zh-CN", permissions=["geolocation"], geolocation=city.point("grid_chief"),
            **look,
        )  # fmt: skip
        self.context.add_cookies([{"name": "pingan_demo", "value": account, "url": city.address}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints, self.outside = [], []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request):
        if not request.url.startswith((self.city.address, "data:")):
            self.outside.append(request.url)

    def open(self, path="m", *, kept=True):
        """Open a page and wait until its map is there and, if wanted, it is kept for later."""
        self.page.goto(self.city.address + path)
        self.page.wait_for_selector("#phone-map[data-drawn='']")
        if kept:
            # Until the worker has the page, nothing of it feels the cut.
            self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
            wait_until(
                self.page,
                "async () => { const pages = await caches.open('pingan-m-pages');"
                " const found = await pages.keys();"
                " const files = await caches.open('pingan-m-files-1');"
                " const needed = [...document.querySelectorAll('script[src], link[rel=stylesheet]')];"
                " const held = await Promise.all(needed.map(one =>"
                " files.match(one.src || one.href, { ignoreVary: true })));"
                " return found.some(one => one.url.includes('/m/map')) && held.every(Boolean) &&"
                " await pages.match('/m/last-page') !== undefined; }",
            )
        return self.page

    def cut(self):
        """Cut the network, and wait until the worker feels it too."""
        self.context.set_offline(True)
        wait_until(
            self.page,
            "async () => { if (!navigator.serviceWorker.controller) return true;"
            " try { return (await fetch('/m/no-such-page')).status === 503; }"
            " catch (error) { return true; } }",
        )

    def fill(self, *, category=1):
        self.page.select_option("#report-class", index=category)
        self.page.locator("#report-gps").click()
        self.page.wait_for_selector(".pin.set", state="attached")

    def report(self, **chosen):
        """Fill a report in with the phone's place, and send it."""
        self.fill(**chosen)
        self.page.locator("#phone-report button[type=submit]").click()
        self.page.wait_for_function("() => document.getElementById('report-class').value === ''")

    def counts(self, *, waiting, sent):
        self.page.wait_for_selector(
            f"#report-list[data-waiting='{waiting}'][data-sent='{sent}']", state="attached"
        )

    def close(self):
        self.context.close()
        assert self.complaints == []
        assert self.outside == []


@pytest.fixture
def phone(browser, city):
    opened = []

    def open_phone(account="grid_chief", **look):
        opened.append(Phone(browser, city, account, **look))
        return opened[-1]

    yield open_phone
    for one in opened:
        one.close()


@pytest.mark.parametrize("account", ["grid_chief", "community", "township"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_fits_every_phone_and_every_finger(phone, account, lang):
    one = phone(account)
    page = one.open(f"m?lang={lang}", kept=False)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(WIDER) <= 0, width
        assert page.evaluate(SMALL) == [], width


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: run make test")
@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("path", ["m", "m?lang=en&palette=safe", "m?theme=dark&palette=safe"])
def test_axe_finds_nothing(phone, city, path, look):
    city.warn("community", f"axe {path} {look}")
    one = phone("community", color_scheme=look)
    page = one.open(path, kept=False)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, { runOnly: rules }).then(r => r.violations.flatMap("
        "v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary])))",
        RULES,
    )
    assert found == []


def test_the_page_tells_what_a_chief_needs(phone, city):
    page = phone().open(kept=False)
    area = hierarchy(city.accounts["grid_chief"], city.snapshot).at("grid")
    index = city.area("grid_chief").index
    assert page.locator("h1").inner_text() == area.names_zh[index]
    assert page.locator(".why").inner_text()
    for part in ("today", "week", "places", "map", "trend", "report", "warnings"):
        assert page.locator(f"#{part} h2").is_visible(), part
    assert page.locator(".small-map .own").count() == 1
    assert page.locator(".small-map .near").count() > 2
    assert "件" in page.locator("svg.trend").get_attribute("aria-label")


def test_a_head_walks_down_to_a_grid_and_back(phone, city):
    page = phone("community").open(kept=False)
    name = page.locator(".below span").first.evaluate("one => one.firstChild.textContent")
    page.locator(".below a").first.click()
    page.wait_for_url(lambda url: "area=grid." in url)
    assert page.locator("h1").inner_text() == name
    page.locator(".where a").last.click()
    page.wait_for_url(lambda url: "area=community." in url)


def test_another_grid_is_refused_like_one_that_is_not_there(phone, city):
    one = phone()
    grids = hierarchy(city.accounts["leader"], city.snapshot).at("grid").codes
    foreign = next(code for code in grids if code != city.code("grid_chief"))
    said = []
    for code in (foreign, "no-such-grid"):
        for path in (f"m?area=grid.{code}", f"m/map?area=grid.{code}"):
            answer = one.page.goto(city.address + path)
            said.append((answer.status, one.page.locator("main").inner_html()))
    assert {status for status, _ in said} == {403}
    assert len(set(said)) == 1


def test_it_is_readable_offline_and_says_of_when(phone, city):
    one = phone()
    page = one.open()
    before = page.locator("main .why").inner_text()
    assert not page.locator(".kept").is_visible()
    one.cut()
    # The browser may start the worker anew for a page, and cuts its network a moment later.
    for _ in range(20):
        page.reload()
        if page.locator(".kept").is_visible():
            break
    assert page.locator(".kept").is_visible()
    assert re.search(r"\d\d月\d\d日 \d\d:\d\d", page.locator(".kept").inner_text())
    assert page.locator("main .why").inner_text() == before
    page.wait_for_selector("#phone-map[data-drawn='']")
    one.context.set_offline(False)


def test_another_account_never_sees_kept_pages(phone, city):
    one = phone()
    page = one.open()
    page.goto(city.address + "signin")
    page.locator("button[name=account][value=community]").click()
    page.wait_for_load_state()
    one.cut()
    try:
        page.goto(city.address + "m", wait_until="commit")
        told = page.content()
    except Exception as error:  # without its worker the browser says itself that it is offline
        told = str(error)
    assert "ERR_INTERNET_DISCONNECTED" in told or "还没有保存过" in told
    one.context.set_offline(False)


def test_pages_of_an_account_give_way_to_those_of_the_next(phone, city):
    one = phone("community")
    one.open()
    one.context.add_cookies([{"name": "pingan_demo", "value": "grid_chief", "url": city.address}])
    page = one.open("m?lang=en", kept=False)
    wait_until(
        page,
        "async () => { const pages = await caches.open('pingan-m-pages');"
        " const last = await pages.match('/m/last-page');"
        " return last && (await last.text()).includes('Report'); }",
    )
    kept = page.evaluate(
        "async () => { const pages = await caches.open('pingan-m-pages'); let all = '';"
        " for (const one of await pages.matchAll()) all += await one.text(); return all; }"
    )
    assert "demo-grid_chief" in kept
    assert "demo-community" not in kept


def test_twenty_reports_wait_offline_and_each_arrives_once(phone, city):
    one = phone()
    page = one.open()
    before = len(city.reports())
    one.cut()
    for at in range(QUEUED):
        one.report(category=1 + at % 5)
    one.counts(waiting=QUEUED, sent=0)
    assert len(city.reports()) == before
    page.reload()  # the phone was put away meanwhile
    one.counts(waiting=QUEUED, sent=0)
    one.context.set_offline(False)
    one.counts(waiting=0, sent=QUEUED)
    found = city.reports()[before:]
    assert len(found) == QUEUED
    assert all(batch.read == 1 and not batch.refused for batch in found)


def test_an_answer_that_is_lost_makes_no_second_report(phone, city):
    one = phone()
    page = one.open(kept=False)
    before, lost = len(city.reports()), []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)  # it has arrived, and the phone never learns of it
            route.abort()
        else:
            route.continue_()

    page.route("**/m/reports", lose)
    one.report()
    one.counts(waiting=0, sent=1)
    assert lost == [200]
    assert len(city.reports()) == before + 1


def test_a_report_is_tracked_until_it_is_in_the_data(phone, city, monkeypatch, tmp_path):
    # The demonstration's view is a database beside its files.
    view = city.home / "source" / "demo" / "precinct_calls.db"
    monkeypatch.setenv("DEMO_VIEW_URL", f"sqlite:///{view}")
    one = phone()
    page = one.open(kept=False)
    one.report()
    one.counts(waiting=0, sent=1)
    page.locator("#report-list a").first.click()
    page.wait_for_selector(".stages")
    assert "等待纳入" in page.locator(".stages").inner_text()
    tracked = page.url
    stranger = phone("community")
    assert stranger.page.goto(tracked).status == 403
    served_app.pingan(city.home, "build", "--city", str(CITY))  # its data end before today
    wait_until(page, says("未能纳入：时间晚于数据截止日"), seconds=90)
    running = shutil.copytree(CITY, tmp_path / "city")
    told = (running / "city.toml").read_text(encoding="utf-8")
    ended = re.sub(r"^as_of = .*$", "", told, flags=re.MULTILINE)
    assert ended != told
    (running / "city.toml").write_text(ended, encoding="utf-8")
    served_app.pingan(city.home, "build", "--city", str(running))
    wait_until(page, says("已纳入数据"), seconds=90)


def test_a_place_is_chosen_on_the_map_and_must_lie_in_the_own_area(phone, city):
    one = phone()
    page = one.open(kept=False)
    page.locator("#phone-report a[href='#map']").click()
    box = page.locator(".small-map").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + 4)
    page.wait_for_selector(".pin.set", state="attached")
    page.select_option("#report-class", index=1)
    page.locator("#phone-report button[type=submit]").click()
    page.wait_for_selector("#report-list .late")
    assert "不在您的区域内" in page.locator("#report-list .late").inner_text()
    page.locator("#report-list .late button").click()
    one.counts(waiting=0, sent=0)


def test_a_warning_is_signed_taken_in_hand_and_done_in_three_taps(phone, city):
    warning = city.warn("grid_chief", "three taps")
    page = phone().open(kept=False)
    assert page.locator("#warnings .why-warned").all_inner_texts() == ["由人发起"]
    for step, state in (("sign", "signed"), ("start", "in_hand"), ("close", "closed")):
        page.locator(f"button[name=step][value={step}]").click()
        page.wait_for_selector("main .said.good")
        page.wait_for_function(f"() => !document.querySelector('button[name=step][value={step}]')")
        assert city.state(warning) == state
