"""A letter in a real browser: drafted, edited, signed and taken away, without any script."""

import io
import re
import shutil
import threading

import docx
import pytest
from werkzeug.serving import make_server

from data.state.database import open_state
from data.state.migrate import upgrade
from tests.browser.test_accessible import AXE, RULES
from tests.browser.test_pages import SIZES, SMALL, WIDER, sign_in, visit
from tests.dashboard.letters.made import MeasuredStore
from tests.dashboard.pages import issued
from tests.dashboard.pages.conftest import Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("letters")
    database = open_state("", folder)
    upgrade(database)
    database.close()
    site = Site(folder, store=MeasuredStore())
    issued.issue(folder)
    site.person("leader", ("leader", "city", "*"))
    site.person("east", ("command", "county", "9901001"))
    server = make_server("127.0.0.1", 0, site.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    site.database.close()
    shutil.rmtree(folder, ignore_errors=True)


def check_look(page, at):
    """It fits every size, can be touched, and axe finds nothing."""
    page.wait_for_load_state("load")  # with its style sheets
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(WIDER) <= 0, (at, width)
        assert page.evaluate(SMALL) == [], (at, width)
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(
            "rules => axe.run(document, { runOnly: rules }).then(r => r.violations.flatMap("
            "v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary])))",
            RULES,
        )
        assert found == [], at


@pytest.mark.parametrize(("theme", "login"), [("light", "leader"), ("dark", "east")])
def test_from_the_finding_to_the_file(browser, place, theme, login):
    context, page, said = visit(browser, theme)
    outside = []
    page.on("request", lambda asked: outside.append(asked.url))
    sign_in(page, place, login)
    page.goto(f"{place}/letters")
    check_look(page, "list")
    page.locator(".findings form button").first.click()
    page.wait_for_url(re.compile(r"/letters/[0-9a-f]{12}\?told=drafted"))
    check_look(page, "draft")
    page.fill("#title_zh", "关于加强防范工作的函")
    page.locator("#edit button").click()
    page.wait_for_url(re.compile("told=saved"))
    assert page.locator(".paper-title").inner_text() == "关于加强防范工作的函"
    page.fill("#reason", "经主要负责同志审定")
    page.locator("#sign button").click()
    page.wait_for_url(re.compile("told=signed"))
    number = page.locator(".paper-number").inner_text()
    assert re.fullmatch(r"平安\w+〔2026〕\d+号", number)
    assert page.locator("textarea").count() == 0
    check_look(page, "signed")
    page.locator(".head a.act").click()
    page.wait_for_url(re.compile("/file"))
    page.fill("#reason", "存档备查用")
    with page.expect_download() as taken:
        page.locator("form .button.primary").click()
    file = docx.Document(io.BytesIO(taken.value.path().read_bytes()))
    texts = [one.text for one in file.paragraphs]
    assert number in texts
    assert "关于加强防范工作的函" in texts
    context.close()
    assert [line for line in said if "404" not in line] == []
    assert [url for url in outside if not url.startswith((place, "data:"))] == []
