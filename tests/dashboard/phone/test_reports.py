"""Reports from the spot: what is taken in, once, from whom, and what becomes of it."""

import datetime as dt

import pyarrow.parquet as pq
import pytest

from dashboard.phone import reporting
from dashboard.phone.reporting import ReportError, Reports
from dashboard.phone.tracking import Codes, progress, spaced
from data.city import CityError
from data.intake import Intake
from data.settings import Settings
from tests.dashboard.phone.conftest import HTML, SCOPES, SOURCE, token
from tests.small_city import PUSHED, add_source, write_city

KEY = "0123456789abcdef0123456789abcdef"


def now_text(**ago):
    return (dt.datetime.now(dt.UTC) - dt.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
def fields(snapshot):
    """A sound report from the middle of the chief's grid."""
    rows = snapshot.areas
    grid = rows[rows["code"] == "9904086"].iloc[0]
    return {
        "key": KEY, "category": "1001", "severity": "3", "at": now_text(),
        "lng": f"{grid.lng:.6f}", "lat": f"{grid.lat:.6f}",
    }  # fmt: skip


class Phone:
    def __init__(self, site, name="chief") -> None:
        self.client = site.client(name)
        self.token = token(self.client.get("/m", headers=HTML).text)

    def send(self, fields, **changed):
        data = {"form_token": self.token, **fields, **changed}
        return self.client.post("/m/reports", data=data, headers={"Accept": "application/json"})


@pytest.fixture
def phone(site):
    return Phone(site)


def batches(site):
    return Intake(site.home).batches()


def test_a_report_is_on_disk_when_the_answer_comes(phone, site, fields):
    answer = phone.send(fields)
    assert answer.status_code == 200
    (batch,) = batches(site)
    assert (batch.source, batch.kind, batch.read) == ("street", "push", 1)
    (row,) = pq.read_table(site.home / batch.chunks[0]["path"]).to_pylist()
    told = answer.get_json()
    assert row["incident_id"] == "M" + told["code"].replace("-", "")
    assert (row["category"], row["severity"]) == ("1001", "3")
    assert (row["lng"], row["lat"]) == (fields["lng"], fields["lat"])
    # Nothing of who sent it: neither the login nor what the phone made up as its key.
    assert "chief" not in str(row)
    assert KEY not in str(row)


def test_sent_again_it_is_the_same_report(phone, site, fields):
    first, second = phone.send(fields), phone.send(fields)
    assert first.get_json() == second.get_json()
    assert len(batches(site)) == 1


def test_the_same_key_for_something_else_is_refused(phone, site, fields):
    phone.send(fields)
    answer = phone.send(fields, severity="4")
    assert (answer.status_code, answer.get_json()["fault"]) == (409, "used")
    assert len(batches(site)) == 1


def test_the_same_key_of_another_account_is_another_report(site, snapshot, fields):
    first = Phone(site).send(fields).get_json()["code"]
    rows = snapshot.areas
    grid = rows[rows["code"] == "9904087"].iloc[0]
    second = Phone(site, "second").send(fields, lng=f"{grid.lng:.6f}", lat=f"{grid.lat:.6f}")
    assert second.get_json()["code"] != first
    assert len(batches(site)) == 2


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"key": "short"}, "form"), ({"key": KEY.upper()}, "form"), ({"key": ""}, "form"),
        ({"category": "10"}, "category"), ({"category": "9999"}, "category"),
        ({"category": ""}, "category"), ({"category": "张三"}, "category"),
        ({"severity": "0"}, "severity"), ({"severity": "5"}, "severity"),
        ({"severity": "1.0"}, "severity"),
        ({"lng": "nan"}, "place"), ({"lat": "1e3"}, "place"), ({"lng": ""}, "place"),
        ({"lng": "999"}, "place"), ({"lat": "89.9"}, "place"), ({"lat": "-0x1"}, "place"),
        ({"at": "yesterday"}, "time"), ({"at": "2026-13-01T00:00:00Z"}, "time"),
        ({"at": "2026-11-01T00:00:00"}, "time"), ({"at": ""}, "time"),
        ({"lng": "120.0", "lat": "30.0"}, "outside"), ({"lng": "0", "lat": "0"}, "outside"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_refused_and_said(phone, site, fields, changed, fault):
    answer = phone.send(fields, **changed)
    assert answer.status_code == 400
    assert answer.get_json()["fault"] == fault
    assert answer.get_json()["error"]
    assert batches(site) == []


def test_too_old_and_too_early_are_refused(phone, fields):
    assert phone.send(fields, at=now_text(days=31)).get_json()["fault"] == "time"
    assert phone.send(fields, at=now_text(minutes=-20)).get_json()["fault"] == "time"
    assert phone.send(fields, at=now_text(days=29)).status_code == 200


def test_a_clock_that_is_a_little_ahead_counts_as_now(phone, site, fields):
    ahead = now_text(minutes=-5)
    assert phone.send(fields, at=ahead).status_code == 200
    assert phone.send(fields, at=ahead).status_code == 200
    (batch,) = batches(site)
    (row,) = pq.read_table(site.home / batch.chunks[0]["path"]).to_pylist()
    assert dt.datetime.fromisoformat(row["occurred_at"]) <= batch.ingested_at


def test_a_head_reports_from_every_grid_below(site, snapshot, fields):
    phone = Phone(site, "community")
    assert phone.send(fields).status_code == 200
    rows = snapshot.areas
    far = rows[rows["code"] == "9904001"].iloc[0]
    answer = phone.send(fields, key="f" * 32, lng=f"{far.lng}", lat=f"{far.lat}")
    assert answer.get_json()["fault"] == "outside"


@pytest.mark.parametrize("name", ["leader", "admin", "public"])
def test_other_roles_may_not_report(site, name, fields):
    client = site.client(name)
    assert client.post("/m/reports", data=fields).status_code == 403


def test_a_report_needs_a_page_of_ours(phone, site, fields):
    assert phone.send(fields, form_token="forged").status_code == 400
    assert batches(site) == []


def test_a_report_leaves_a_row_before_it_is_taken_in(phone, site, fields):
    from data.audit import AuditLog
    from data.state.database import open_state

    phone.send(fields)
    database = open_state("", site.home)
    row = AuditLog(database, bytes(32)).search(limit=1)[0]
    database.close()
    assert (row.action, row.result, row.user) == ("report", "ok", "chief")
    assert "9904086" not in row.detail


def test_a_code_is_tracked_by_its_account_alone(phone, site, fields):
    told = phone.send(fields).get_json()
    page = phone.client.get(told["href"], headers=HTML)
    assert page.status_code == 200
    assert told["code"] in page.text
    assert "等待纳入" in page.text
    stranger = site.client("second")
    main = [
        client.get(path, headers=HTML)
        for client, path in (
            (stranger, told["href"]),
            (stranger, "/m/reports/AAAAAAAAAAAAAAAA"),
            (phone.client, "/m/reports/nothing"),
            (phone.client, "/m/reports/" + "A" * 16),
        )
    ]
    assert {answer.status_code for answer in main} == {403}


class Published:
    """A store whose snapshot covers so many batches and holds some of them back."""

    def __init__(self, batch, reasons=()) -> None:
        self.manifest = self
        self.raw = {"batch": batch, "created_at": "2026-11-17T01:02:03+00:00"}
        self.reasons = [(one,) for one in reasons]

    def current(self):
        return self

    def rows(self, _sql, _values):
        return self.reasons


@pytest.mark.parametrize(
    ("published", "told"),
    [
        (Published(0), ("received", "")),
        (Published(1), ("taken", "")),
        (Published(1, ["outside_city"]), ("quarantined", "outside_city")),
    ],
)
def test_progress_follows_the_snapshot(phone, site, fields, published, told):
    phone.send(fields)
    found = progress(published, batches(site)[0])
    assert (found.state, found.reason) == told
    assert (found.taken_at is None) == (found.state == "received")


def test_a_refused_class_is_told(site, fields):
    class Refused:
        refused, malformed = {"refused_class": 1}, ()
        ingested_at = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)

    assert progress(Published(9), Refused()).state == "refused"


def test_codes_are_of_one_account_and_one_installation():
    codes, others = Codes(bytes(32)), Codes(bytes(range(32)))
    code = codes.code("chief", KEY)
    assert codes.read("chief", code) == code
    assert codes.read("chief", spaced(code).lower()) == code
    assert codes.read("second", code) is None
    assert others.read("chief", code) is None
    assert codes.code("chief", KEY) == code
    assert codes.reader("chief") != codes.reader("second")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('frame = "WGS84"', 'frame = "GCJ-02"'), "`frame` must be"),
        (('origin = "discovered"', 'origin = "reported"'), "`origin` must be"),
        (('lng = "lng"\nlat = "lat"', ""), "must name `lat`"),
        (('severity = "severity"', ""), "must name `severity`"),
    ],
)
def test_a_source_that_cannot_hold_reports_is_told_of(tmp_path, change, told):
    folder = write_city(tmp_path / "city", {"street": SOURCE.replace(*change)})
    reports = Reports(Settings(home=tmp_path, city=str(folder)))
    with pytest.raises(CityError, match=told):
        reports.source()


def test_the_source_is_read_as_the_folder_stands_now(tmp_path):
    folder = write_city(tmp_path / "city", {"pushed": PUSHED})
    reports = Reports(Settings(home=tmp_path, city=str(folder)))
    assert reports.source() is None
    add_source(folder, "street", SOURCE)
    assert reports.source().name == "street"
    assert Reports(Settings(home=tmp_path)).source() is None


def test_an_unplaced_point_is_outside(snapshot):
    report = reporting.Report(KEY, "1001", 1, 10.0, 10.0, dt.datetime.now(dt.UTC))
    with pytest.raises(ReportError) as told:
        reporting.place(SCOPES["chief"], snapshot, report)
    assert told.value.fault == "outside"
