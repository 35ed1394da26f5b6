"""Live pushes through the whole application: token, strict rows, gate of small crowds."""

import datetime as dt
import json

import pytest

from dashboard import api
from dashboard.app import create_app
from data.resources.live import LiveStore
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store
from data.tokens import TokenStore
from geo import cells
from tests.small_city import PUSHED, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
UNIT = {"unit": "U1", "kind": "patrol_unit", "area_code": "990101", "lng": 120.1, "lat": 30.2}
CELLS = {
    r: cells.assign_cells([120.1, 120.2], [30.2, 30.3], resolution=r).tolist() for r in (9, 10)
}
CROWD = {"cell": CELLS[9][0], "area_code": "990101", "count": 120}


@pytest.fixture
def sent(tmp_path, monkeypatch):
    monkeypatch.setattr(api, "utc_now", lambda: NOW)
    home = tmp_path / "home"
    city = write_city(tmp_path / "city", {"pushed": PUSHED})
    app = create_app(Settings(home=home, city=str(city)), Store(home))
    database = open_state("", home)
    upgrade(database)
    tokens = TokenStore(database)
    _, radio = tokens.create("radio", ["units", "crowds"], now=NOW)
    _, other = tokens.create("other", ["pushed"], now=NOW)
    client = app.server.test_client()
    client.environ_base["REMOTE_ADDR"] = "10.2.3.4"

    def send(what, *rows, secret=radio):
        body = json.dumps({"rows": rows})
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return client.post(
            f"/api/v1/{what}", data=body, headers=headers, content_type="application/json"
        )

    send.other, send.live = other, LiveStore(database)
    yield send
    database.close()


def test_units_and_crowds_are_taken_in(sent):
    told = sent("units", UNIT, UNIT | {"unit": "U2", "ttl_s": 30}).get_json()
    assert (told["taken_in"], told["withheld"]) == (2, 0)
    assert [one.unit for one in sent.live.units(NOW)] == ["U1", "U2"]
    assert [one.unit for one in sent.live.units(NOW + dt.timedelta(seconds=30))] == ["U1"]
    told = sent("crowds", CROWD, CROWD | {"cell": CELLS[9][1], "count": 4}).get_json()
    assert (told["taken_in"], told["withheld"]) == (1, 1)
    assert [one.count for one in sent.live.crowds(NOW)] == [120]


def test_the_frame_of_a_point_is_converted(sent):
    assert sent("units", UNIT | {"frame": "GCJ-02"}).status_code == 200
    (found,) = sent.live.units(NOW)
    assert 0.001 < abs(found.lng - UNIT["lng"]) < 0.02


def test_only_a_token_for_it_may_push(sent):
    assert sent("units", UNIT, secret="").status_code == 401
    assert sent("units", UNIT, secret=sent.other).status_code == 403
    assert not sent.live.units(NOW)


@pytest.mark.parametrize(
    ("what", "row", "said"),
    [
        ("units", UNIT | {"name": "x"}, "keys beside"),
        ("units", UNIT | {"unit": "13812345678"}, "personal"),
        ("units", UNIT | {"unit": "老王"}, "letters, digits"),
        ("units", UNIT | {"kind": "police_post"}, "one of"),
        ("units", UNIT | {"lng": "120"}, "a number"),
        ("units", UNIT | {"lng": 0, "lat": 0}, "no point"),
        ("units", UNIT | {"ttl_s": 1e9}, "ttl_s"),
        ("units", UNIT | {"frame": "moon"}, "frame"),
        ("units", {"unit": "U1"}, "lacks"),
        ("units", [1], "no object"),
        ("crowds", CROWD | {"cell": CELLS[10][0]}, "resolution"),
        ("crowds", CROWD | {"cell": "fffffffffffffff"}, "no H3 cell"),
        ("crowds", CROWD | {"count": 5.5}, "whole number"),
        ("crowds", CROWD | {"count": True}, "whole number"),
        ("crowds", CROWD | {"phone": "1"}, "keys beside"),
    ],
)
def test_one_wrong_row_refuses_the_whole_push(sent, what, row, said):
    good = UNIT if what == "units" else CROWD
    answer = sent(what, good, row)
    assert answer.status_code == 400
    assert said in answer.get_json()["error"]
    assert not sent.live.units(NOW)
    assert not sent.live.crowds(NOW)
