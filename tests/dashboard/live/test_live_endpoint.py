"""`GET /live` through the whole application: the gate, 204, the audit, the share of its own."""

import pytest

from dashboard.app import create_app
from dashboard.audited import _LOG
from dashboard.limits import Limits
from dashboard.live.route import revision
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import CITY, COUNTY, EMPTY, FixedProvider, client, publish


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    publish(folder)
    return folder


def app_of(home, scope, **options):
    return create_app(Settings(home=home), Store(home), provider=FixedProvider(scope), **options)


def test_the_answer_and_then_nothing(home):
    app = app_of(home, CITY)
    browser = client(app)
    answer = browser.get("/live?lang=en")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "private, no-store"
    told = answer.get_json()
    assert set(told) == {
        "cursor", "at", "day", "snapshot", "incidents", "removed", "is_whole", "has_more", "counts",
        "warnings", "units", "crowds", "code",
    }  # fmt: skip
    assert told["code"] == revision()
    later = browser.get("/live", query_string={"after": told["cursor"], "lang": "en"})
    assert (later.status_code, later.get_data()) == (204, b"")


def test_what_is_given_is_in_the_audit_and_nothing_else(home):
    app = app_of(home, COUNTY)
    log, browser = app.server.extensions[_LOG], client(app)
    before = len(log.search(limit=50))
    cursor = browser.get("/live").get_json()["cursor"]
    for _ in range(3):
        assert browser.get("/live", query_string={"after": cursor}).status_code == 204
    rows = log.search(limit=50)
    assert len(rows) == before + 1
    assert (rows[0].user, rows[0].action, rows[0].target) == ("chief", "query", "live")


def test_a_page_asks_which_snapshot_is_shown_and_nothing_is_written_down(home):
    app = app_of(home, COUNTY)
    log, browser = app.server.extensions[_LOG], client(app)
    before = len(log.search(limit=50))
    assert browser.get("/live?only=snapshot").get_json() == {"snapshot": Store(home).current().id}
    assert len(log.search(limit=50)) == before
    assert client(app_of(home, EMPTY)).get("/live?only=snapshot").status_code == 403


def test_who_may_not_read_the_map_gets_nothing(home):
    assert client(app_of(home, EMPTY)).get("/live").status_code == 403
    assert client(app_of(home, None)).get("/live").status_code in (302, 401)


def test_polls_have_a_share_of_their_own(home):
    used = iter(range(100_000))
    limits = Limits(burst=1.0, per_second=0.0, used=lambda: float(next(used)))
    browser = client(app_of(home, CITY, limits=limits))
    assert browser.get("/live").status_code == 200
    assert browser.get("/live").status_code == 429
    # What polls have used up is not taken from the clicks, and the other way round.
    assert browser.get("/names/b1/city.json").status_code == 200
    assert browser.get("/names/b1/city.json").status_code == 429


def test_without_a_snapshot_it_waits(tmp_path):
    app = app_of(tmp_path, CITY)
    assert client(app).get("/live").status_code == 503


def test_the_map_does_not_load_the_script_at_its_start(home):
    browser = client(app_of(home, CITY))
    assert b"live_feed" not in browser.get("/").get_data()
    with browser.get("/assets/live_feed.js") as script:
        assert b"pinganLive" in script.get_data()
