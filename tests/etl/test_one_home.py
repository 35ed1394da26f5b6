"""One home holds one city, whatever becomes of its sources."""

import pytest

from data.intake import IntakeError
from etl import demo
from etl.verify import verify

LINES = [f"{n},2026-01-{n:02d} 10:00,A1,1,,103.05,36.05," for n in range(5, 30)]


def test_another_city_is_refused(toy):
    toy.publish(LINES)
    toy.change("city.toml", 'code = "T"', 'code = "U"')
    toy.change("areas.toml", 'name_en = "City"', 'name_en = "Other City"')
    with pytest.raises(IntakeError, match="holds the city T, not U"):
        toy.publish(LINES[:3])


def test_a_demonstration_does_not_mix_with_a_city(toy):
    toy.publish(LINES)
    with pytest.raises(IntakeError, match="holds the city T, not 990100"):
        demo.clear(toy.home)
    assert verify(toy.home)["ok"]


def test_rows_of_a_source_that_is_gone_are_kept_and_not_counted(toy):
    old = toy.folder / "sources" / "calls.toml"
    (toy.folder / "sources" / "letters.toml").write_text(
        old.read_text("utf-8").replace("calls.csv", "letters.csv"), encoding="utf-8"
    )
    toy.write(LINES)
    (toy.folder / "letters.csv").write_bytes((toy.folder / "calls.csv").read_bytes())
    both = toy.publish().manifest
    assert both["rows"]["incidents"] == 50
    (toy.folder / "sources" / "letters.toml").unlink()
    one = toy.publish().manifest
    assert one["rows"]["incidents"] == one["rows"]["read"] == 25
    assert one["left_out"] == {"letters": 25}
    report = verify(toy.home)
    assert not [check for check in report["checks"] if not check["ok"]]
