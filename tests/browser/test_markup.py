"""A city whose every name is an attack, in a real browser: nothing runs, nothing is asked of others."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import served_app
from tests.browser.probes import RENDERERS
from tests.redteam import marked

pytestmark = pytest.mark.browser

PAINT_MS = 60_000
LISTEN = """
window.violated = [];
document.addEventListener('securitypolicyviolation',
  event => window.violated.push(event.violatedDirective + ' ' + event.blockedURI));
"""
MADE = f"""() => {{
  const made = [...document.querySelectorAll('*')].filter(one => one.localName.includes('{marked.MARK}')
    || one.getAttributeNames().some(name => name.includes('{marked.MARK}') || /^on/.test(name))
    || (one.localName === 'a' && /^(javascript|data):/.test(one.href))
    || (one.localName === 'a' && one.host !== '' && one.host !== location.host)
    || one.localName === 'iframe' || one.localName === 'object' || one.localName === 'embed');
  const ran = Object.keys(window).filter(name => name.startsWith('{marked.MARK}'));
  return made.map(one => one.outerHTML.slice(0, 200)).concat(ran);
}}"""
"""Elements, attributes, addresses and variables that only a payload could have made."""


class Watched:
    """One page, and everything that a payload could have done on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.violations: list[str] = []
        page.set_default_timeout(PAINT_MS)
        page.add_init_script(LISTEN)
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._hear(request.url))

    def _hear(self, url: str) -> None:
        if url.startswith(("http", "ws")) and not url.startswith(self.address):
            self.outside.append(url)

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def paint(self, path: str) -> None:
        self.open(path)
        self.page.wait_for_selector("#map[data-painted]", state="attached")

    def check(self) -> None:
        self.violations += self.page.evaluate("() => window.violated")
        assert self.page.evaluate(MADE) == []
        assert (self.dialogs, self.errors, self.outside, self.violations) == ([], [], [], [])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("marked") / "home"
    marked.publish(home, is_drawn=True)
    with served_app.serve(home) as url:
        yield url


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    found = Watched(context.new_page(), address)
    yield found
    context.close()


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map_runs_nothing(watched: Watched, lang: str, renderer: str) -> None:
    page = watched.page
    watched.paint(f"?lang={lang}&renderer={renderer}")
    page.wait_for_selector(f"#map[data-renderer='{renderer}']", state="attached")
    box = page.locator(".map-canvas").bounding_box()
    assert box
    for step in range(5):  # hovers over several counties, and asks what stands there
        page.mouse.move(box["x"] + box["width"] * (0.3 + step / 10), box["y"] + box["height"] / 2)
    page.wait_for_selector("#map-hover-card", state="visible")
    assert marked.MARK in page.locator("#map-hover-card").inner_text()
    watched.check()
    page.locator("#area-search").fill(marked.MARK)
    page.wait_for_selector("#area-search-results :text('zq9x')")
    watched.check()
    page.wait_for_selector("#charts .row-name", state="attached")
    watched.check()


@pytest.mark.parametrize(
    ("account", "path"),
    [("leader", "?area=9901002"), ("leader", "?layer=cells"), ("township", ""), ("grid_chief", "")],
)
def test_every_post_and_depth_runs_nothing(watched: Watched, account: str, path: str) -> None:
    cookie = {"name": "pingan_demo", "value": account, "url": watched.address}
    watched.page.context.add_cookies([cookie])
    watched.paint(path)
    watched.page.wait_for_selector("#charts .chart-plot", state="attached")
    if account != "leader":  # the whole city has nothing to be compared with
        watched.page.wait_for_selector("#comparison *", state="attached")
    assert marked.MARK in watched.page.content()
    watched.check()


def test_pages_run_nothing(watched: Watched) -> None:
    for payload in marked.PAYLOADS[::8]:
        asked = "".join(f"%{byte:02x}" for byte in payload.encode())
        for path in (f"account?told={asked}", f"views?area={asked}", f"export?{asked}", f"share?{asked}",
                     f"?area={asked}&lang={asked}#camera={asked}"):  # fmt: skip
            watched.open(path)
            watched.check()


def test_the_watch_sees_what_it_must(watched: Watched) -> None:
    watched.open("account")
    watched.page.evaluate(
        "() => document.body.insertAdjacentHTML('beforeend', '<a href=javascript:1>x</a>')"
    )
    with pytest.raises(AssertionError, match="javascript"):
        watched.check()


def test_names_are_shown_whole(watched: Watched) -> None:
    """Escaped once, not twice: a reader sees the very text that is stored."""
    watched.paint("?lang=zh")
    watched.page.wait_for_selector("#charts .row-name", state="attached")
    drawn = " ".join(watched.page.locator("#charts .row-name").all_text_contents())
    assert "<script>" in drawn
    assert "&lt;" not in drawn
