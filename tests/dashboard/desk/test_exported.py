"""A table that is written out in the browser leaves a reason and a row, or is not written."""

from collections import Counter

import pytest

from dashboard.app import create_app
from dashboard.audited import _LOG
from tests.dashboard.squares import CITY, EMPTY, FixedProvider, client

ASKED = {"table": "hotspots", "rows": "17", "reason": "周会研判材料"}


@pytest.fixture
def app(settings, store):
    return create_app(settings, store, provider=FixedProvider(CITY))


def exports_of(app):
    rows = app.server.extensions[_LOG].search(limit=20)
    return [(row.action, row.target, row.detail) for row in rows if row.action == "export"]


def test_an_export_is_recorded_with_its_reason(app, snapshot):
    before = Counter(exports_of(app))
    assert client(app).post("/exported", data=ASKED).status_code == 204
    ((action, target, detail),) = Counter(exports_of(app)) - before
    assert action == "export"
    assert target == f"csv table hotspots, 17 rows, snapshot {snapshot.id}"
    assert detail == ASKED["reason"]


@pytest.mark.parametrize(
    "changed", [{"reason": "好"}, {"reason": ""}, {"table": "../x"}, {"rows": "many"}, {"rows": ""}]
)
def test_a_poor_request_is_refused_and_gives_no_leave(app, changed):
    before = len(exports_of(app))
    assert client(app).post("/exported", data=ASKED | changed).status_code == 400
    assert len(exports_of(app)) == before


def test_who_may_not_export_gets_no_leave(settings, store):
    app = create_app(settings, store, provider=FixedProvider(EMPTY))
    assert client(app).post("/exported", data=ASKED).status_code == 403
    assert client(app).get("/exported").status_code in (404, 405)
