"""The desk of the command centre in a real browser: keys, filters, batches, races, renewal."""

import datetime as dt
import secrets
import shutil

import pytest

from data.state.database import open_state
from data.warnings.store import Warnings
from data.warnings.tree import AreaTree
from tests.browser import served_app
from tests.browser.test_accessible import AXE, RULES
from tests.browser.test_phone import CITY, WIDER, City

pytestmark = pytest.mark.browser

SMALL = """() => [...document.querySelectorAll("a, button, select, summary, .pick label")]
    .filter(one => one.checkVisibility() && !one.matches(".skip, svg a, .small a"))
    .map(one => [one.outerHTML.slice(0, 90), Math.round(one.getBoundingClientRect().height)])
    .filter(([, height]) => height < 44)"""
SIZES = ((1920, 1080), (1366, 768), (390, 844))


class Room(City):
    """The served city with four warnings that the command centre of the city may act on."""

    def changing(self, work):
        database = open_state("", self.home)
        try:
            return work(Warnings(database, tree=lambda: AreaTree(self.snapshot.areas)))
        finally:
            database.close()

    def begin(self):
        """Open warnings of the grids of the demonstration's community."""
        grant = next(iter(self.accounts["grid_chief"].grants))
        name, now = secrets.token_hex(4), dt.datetime.now(dt.UTC)
        return [
            self.changing(
                lambda kept, at=at: kept.open(
                    fingerprint=f"{name}{at}", rule="index_red", level="grid", code=grant.code,
                    group="all", colour=at, evidence={"risk": 20.0 + at}, snapshot="s",
                    now=now - dt.timedelta(hours=at),
                )
            )
            for at in (2, 3, 4)
        ]  # fmt: skip

    def escalate(self, one):
        """Another account takes a step."""
        self.changing(
            lambda kept: kept.act(
                self.accounts["command"], one.id, step="escalate", version=one.version,
                key=secrets.token_hex(16), reason="repeated", now=dt.datetime.now(dt.UTC),
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def room(demo_home, tmp_path_factory):
    home = shutil.copytree(demo_home, tmp_path_factory.mktemp("command") / "home")
    with served_app.serve(home, PINGAN_CITY=str(CITY)) as address:
        yield Room(home, address)


@pytest.fixture
def desk(browser, room):
    """Open a page as the command centre; nothing may go wrong on it."""
    contexts, complaints = [], []

    def open_desk(path="command", *, is_live=True, **look):
        context = browser.new_context(reduced_motion="reduce", locale="zh-CN", **look)
        contexts.append(context)
        context.add_cookies([{"name": "pingan_demo", "value": "command", "url": room.address}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not is_live:
            page.route("**/live?*", lambda route: route.abort())
        page.goto(room.address + path)
        if is_live and path.startswith("command"):
            page.wait_for_selector("#queue[data-renewed]")
        return page

    yield open_desk
    for context in contexts:
        context.close()
    assert complaints == []


def row(page, one):
    return page.locator(f"#w{one.id}")


def test_the_queue_is_walked_and_acted_on_by_keys(desk, room):
    room.begin()
    page = desk()
    ids = page.locator("#lines tr").evaluate_all("rows => rows.map(row => row.id)")
    page.keyboard.press("j")
    page.keyboard.press("j")
    at = page.evaluate("document.activeElement.closest('tr').id")
    assert at == ids[1]
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert "2" in page.locator("#selected").inner_text()
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.id") == "to"
    page.locator("#show-keys").focus()
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('#queue-sieves') !== null")
    page.locator(f"#{ids[0]} .go").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#evidence")
    assert page.url.rstrip("/").endswith(f"/warnings/{ids[0][1:]}")


def test_a_filter_is_an_address_and_back_leads_to_the_one_before(desk, room):
    room.begin()
    page = desk()
    page.locator(".sieve a", has_text="红色").click()
    page.wait_for_url("**colour=4*")
    page.wait_for_selector("#queue[data-renewed]")
    assert page.locator("#lines tr:not(.w4)").count() == 0
    page.go_back()
    page.wait_for_selector("#lines tr.w3")


def test_a_batch_tells_who_was_faster(desk, room):
    first, second, _ = room.begin()
    page = desk(is_live=False)
    row(page, first).locator("input").check()
    row(page, second).locator("input").check()
    room.escalate(second)
    page.select_option("#to", "level:township")
    page.locator("#batch button[value=assign]").click()
    told = page.locator(".told")
    told.wait_for()
    assert "2 条中完成 1 条" in told.inner_text()
    assert "已有人先办" in told.inner_text()
    assert room.state(first) == "assigned"
    assert room.state(second) == "escalated"


def test_a_step_of_another_account_renews_the_queue_alone(desk, room):
    first, second, _ = room.begin()
    page = desk()
    row(page, first).locator("input").check()
    row(page, first).locator(".go").focus()
    page.evaluate("document.getElementById('situation').dataset.same = 'yes'")
    room.escalate(second)
    page.wait_for_selector(f"#w{second.id}.is-changed")
    assert "已升级" in row(page, second).inner_text()
    assert row(page, first).locator("input").is_checked()
    assert page.evaluate("document.activeElement.closest('tr').id") == f"w{first.id}"
    assert page.locator("#situation[data-same=yes]").count() == 1


def test_a_range_is_selected_with_shift(desk, room):
    room.begin()
    page = desk()
    boxes = page.locator("#lines input[name=id]")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert page.locator("#lines input:checked").count() == 3
    page.locator("#select-all").check()
    assert page.locator("#lines input:checked").count() == boxes.count()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: run make test")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["command", "warnings", "warnings/open?q=a&lang=en"])
def test_it_fits_and_axe_finds_nothing(desk, room, path, theme):
    one, *_ = room.begin()
    path = f"warnings/{one.id}" if path == "warnings" else path
    page = desk(f"{path}{'&' if '?' in path else '?'}theme={theme}")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(WIDER) <= 0, width
        assert page.evaluate(SMALL) == [], width
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, { runOnly: rules }).then(r => r.violations.flatMap("
        "v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary])))",
        RULES,
    )
    assert found == []
