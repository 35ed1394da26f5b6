"""Controls of personal data, each failing once."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CLEAN = ["1,2026-01-05 10:00,A1,1,,103.05,36.05,", "2,2026-01-20 10:00,A1,1,,103.05,36.05,"]
STORED = "no personal numbers stored"
COLUMNS = "columns that may be read"


@pytest.fixture
def built(installed, toy):
    """The toy city, built in the installation's home."""
    from etl.pipeline import build

    toy.write(CLEAN)
    build(toy.folder, home=installed.home)
    installed.city = toy
    return installed


def test_a_city_without_persons_passes(built):
    found = built.controls(city=str(built.city.folder))
    assert found[COLUMNS].detail == ("8 columns of 1 sources, none of persons; no other is read")
    assert found[STORED].state == "pass"
    assert "rows of" in found[STORED].detail


def test_a_column_of_persons_fails(built):
    built.city.change("sources/calls.toml", 'incident_id = "id"', 'incident_id = "联系电话"')
    control = built.controls(city=str(built.city.folder))[COLUMNS]
    assert (control.state, control.detail) == (
        "fail",
        "source calls reads 联系电话; take them out of [columns]",
    )


def test_a_city_folder_that_cannot_be_read_fails(built, tmp_path):
    control = built.controls(city=str(tmp_path / "none"))[COLUMNS]
    assert control.state == "fail"
    assert "lacks city.toml" in control.detail


def test_without_a_city_folder_columns_are_seen_by_hand(installed):
    control = installed.controls()[COLUMNS]
    assert (control.state, control.detail) == (
        "by hand",
        "PINGAN_CITY names no city folder; set it and run this again",
    )


def test_nothing_stored_is_not_judged(installed):
    assert installed.controls()[STORED].state == "not applicable"


PERSONAL = {
    "mobile": "13912345678",
    "identity": "110101199003077758",
    "plate": "甘A12345",
    "mail": "someone@example.com",
    "full width": "１３９１２３４５６７８",
    "within text": "致电139-1234-5678",
}


@pytest.mark.parametrize("value", PERSONAL.values(), ids=PERSONAL)
@pytest.mark.parametrize("folder", ["landed/calls/1", "incidents/month=2026-01"])
def test_a_personal_number_in_a_stored_file_fails(installed, folder, value):
    path = installed.home / folder / "00000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"status": ["A", value, None], "row": [1, 2, 3]}), path)
    control = installed.controls()[STORED]
    assert (control.state, control.detail) == (
        "fail",
        (
            f"{folder}/00000.parquet: 1 of 3 values of `status` look like a telephone, identity or "
            "plate number; delete what holds them and build anew"
        ),
    )
    assert value not in control.detail


def test_a_number_among_numbers_is_seen_where_rows_land(installed):
    path = installed.home / "landed" / "00000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"severity": [1, 13912345678]}), path)
    assert "1 of 2 values of `severity`" in installed.controls()[STORED].detail


def test_marks_of_what_was_removed_are_no_fault(installed):
    path = installed.home / "landed" / "00000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"status": ["[removed]", "[free text removed]"]}), path)
    assert installed.controls()[STORED].state == "pass"


def test_an_empty_file_is_no_fault_and_a_damaged_one_is(installed):
    path = installed.home / "landed" / "00000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"status": pa.array([], pa.string())}), path)
    assert installed.controls()[STORED].state == "pass"
    path.write_bytes(b"PAR1 nothing PAR1")
    assert installed.controls()[STORED].state == "fail"


def test_a_personal_text_of_the_published_snapshot_fails(built):
    entry = next((built.home / "snapshots").rglob("areas*.parquet"))
    table = pq.read_table(entry)
    names = pa.array([f"{name} 13912345678" for name in table["name"].to_pylist()], pa.string())
    pq.write_table(table.set_column(table.column_names.index("name"), "name", names), entry)
    control = built.controls()[STORED]
    assert control.state == "fail"
    assert "values of `name` look like" in control.detail
