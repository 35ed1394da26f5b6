"""The page of images keeps the rules of every export."""

import subprocess
import sys

import pytest

from dashboard.app import create_app
from dashboard.images.fonts import FontError
from dashboard.images.turns import turn
from dashboard.pages import image
from data.access import Grant, Scope
from data.audit import AuditError, AuditLog
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import COUNTY, FixedProvider, client

TOWNSHIP = Scope("zb-01", frozenset({Grant("township", "township", "9902006")}), unit="值班室")
ASKED = {"format": "png", "size": "screen", "reason": "周例会使用"}
MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF-"}


def app_of(home, scope):
    return create_app(Settings(home=home), Store(home), provider=FixedProvider(scope))


@pytest.fixture
def township(drawn_home):
    return app_of(drawn_home, TOWNSHIP)


def asked(browser, address="/image", **changed):
    page = browser.get("/image").get_data(as_text=True)
    token = page.rpartition('name="form_token" value="')[2].partition('"')[0]
    return browser.post(address, data={"form_token": token, **ASKED, **changed})


@pytest.mark.parametrize("size", ["screen", "a4", "slide", "strip"])
def test_the_file_is_given_and_recorded_before(township, size):
    answer = asked(client(township), "/image?level=grid&overlays=much", size=size)
    assert answer.status_code == 200
    assert answer.data.startswith(MAGIC["png"])
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="pingan-map-2026')
    assert answer.headers["Content-Disposition"].endswith('.png"')
    assert answer.headers["Cache-Control"] == "private, no-store"
    last = township.server.extensions["pingan_audit"].search(limit=1)[0]
    assert (last.user, last.action, last.result, last.detail) == (
        "zb-01", "export", "ok", "周例会使用",
    )  # fmt: skip
    assert last.target.startswith(f"png image {size} level=grid&overlays=much snapshot 2026")


@pytest.mark.parametrize("kind", MAGIC)
def test_each_kind_says_what_it_is(township, kind):
    answer = asked(client(township), format=kind)
    assert answer.data.startswith(MAGIC[kind])
    assert answer.content_type == image.KINDS[kind]


def test_the_account_and_the_time_stand_on_it(township):
    text = asked(client(township), format="svg").get_data(as_text=True)
    assert "导出：zb-01 值班室 20" in text


@pytest.mark.parametrize("changed", [{"reason": " ab "}, {"form_token": "x"}, {"format": "exe"},
                                     {"size": "wall"}, {"format": ""}])  # fmt: skip
def test_a_form_that_lacks_something_is_refused(township, changed):
    answer = asked(client(township), **changed)
    assert answer.status_code == 400
    assert "Content-Disposition" not in answer.headers


def test_an_address_that_means_nothing_shows_the_usual_view(township):
    answer = asked(client(township), "/image?area=../x&level=%00&compare=known.x&end=never")
    assert answer.status_code == 200


def test_a_grid_chief_takes_nothing_away(drawn_home):
    browser = client(
        app_of(drawn_home, Scope("c", frozenset({Grant("grid_chief", "grid", "9904086")})))
    )
    assert browser.get("/image").status_code == 403
    assert browser.post("/image", data=ASKED).status_code == 403


def test_a_right_to_export_does_not_reach_into_areas_of_another_role(drawn_home):
    grants = {Grant("grid_chief", "grid", "9904200"), Grant("township", "township", "9902006")}
    browser = client(app_of(drawn_home, Scope("u", frozenset(grants))))
    text = asked(browser, "/image?area=9904200&level=grid", format="svg").get_data(as_text=True)
    assert "township区5" in text  # the township of the export instead
    assert "grid区199" not in text


def test_without_a_record_there_is_no_file(township, monkeypatch):
    browser = client(township)
    browser.get("/image")

    def fail(self, **row):
        raise AuditError("full")

    page = browser.get("/image").get_data(as_text=True)
    token = page.rpartition('name="form_token" value="')[2].partition('"')[0]
    monkeypatch.setattr(AuditLog, "write", fail)
    answer = browser.post("/image", data={"form_token": token, **ASKED})
    assert answer.status_code == 503
    assert "Content-Disposition" not in answer.headers


def test_who_has_to_wait_too_long_is_told_so(township, monkeypatch):
    monkeypatch.setattr(image, "turn", lambda: turn(wait_s=0.01))
    with turn():
        answer = asked(client(township))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "请稍后再试" in answer.get_data(as_text=True)


def test_without_a_chinese_font_the_page_says_what_to_do(township, monkeypatch):
    from dashboard.images import map_image

    def fail(*_args, **_more):
        raise FontError("none")

    monkeypatch.setattr(map_image, "draw", fail)
    answer = asked(client(township))
    assert answer.status_code == 503
    assert "fonts-wqy-microhei" in answer.get_data(as_text=True)


def test_the_map_leads_to_the_image_of_its_view(drawn):
    from dashboard.map.drawn import draw_map

    def links(scope):
        answer = draw_map(scope, drawn, search="?level=grid", fragment="", resolution=None)
        wanted = "choice map-image"
        return [part for part in answer["legend"] if getattr(part, "className", "") == wanted]

    (link,) = links(COUNTY)
    assert link.href == "/image?level=grid"
    assert not links(Scope("c", frozenset({Grant("grid_chief", "grid", "9904086")})))


def test_the_start_does_not_load_what_draws():
    code = "import sys, dashboard.app; print(sorted(m for m in sys.modules if m.startswith('matplotlib')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
