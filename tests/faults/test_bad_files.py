"""Bad files of every kind in one build: each is told or counted, and the good one goes on."""

import random

import pytest

from data.store import Store
from etl.pipeline import build
from etl.verify import verify
from tests.etl import conftest as toy
from tests.faults import hostile_made, town
from tests.faults import ledger_samples as samples

pytestmark = pytest.mark.early

GOOD = [f"{n},2026-01-{n:02d} 10:00,A1,1,,103.05,36.05," for n in range(1, 21)]
HEADER = toy.HEADER
ROW = "1,2026-01-05 10:00,A1,1,,103.05,36.05,\n"
FORMATS = {
    "parquet": ".parquet", "geojson": ".geojson", "ndjson": ".ndjson", "gpkg": ".gpkg",
    "shapefile": ".zip", "xlsx": ".xlsx", "xls": ".xls",
}  # fmt: skip
CONTENTS = {
    "nothing": b"",
    "words": b"hello, world\n",
    "zeros": bytes(4096),
    "noise": random.Random(1).randbytes(4096),
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "archive": b"PK\x03\x04" + random.Random(2).randbytes(200),
    "office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "columns": b"PAR1" + bytes(64) + b"PAR1",
    "database": b"SQLite format 3\0" + bytes(84),
}
TEXTS = {
    "nothing": b"",
    "header of another ledger": "编号,时间\n1,2\n".encode(),
    "two columns of one name": ("id," + HEADER + "1," + ROW).encode(),
    "NUL bytes": (HEADER + ROW).encode() + b"\0\0",
    "UTF-16": (HEADER + ROW).encode("utf-16"),
    "UTF-16 without a mark": (HEADER + ROW).encode("utf-16-le"),
    "UTF-32": (HEADER + ROW).encode("utf-32"),
    "marked as UTF-8": b"\xef\xbb\xbf" + (HEADER + "甲," + ROW).encode("gb18030"),
    "cut inside a character": (HEADER + ROW).encode() + "甲".encode()[:1],
    "open quote": (HEADER + '1,"A1,\n' + ROW * 9).encode(),
    "another separator": (HEADER + ROW).replace(",", ";").encode(),
    "web page": "<html><body>登录</body></html>".encode(),
    "one endless line": b"x" * 3_000_000,
}
# Rows that are counted; the number is how many of them are.
ROWS = {
    "too few fields": ("1,2026-01-05\n", 1),
    "too many fields": (ROW.strip() + ",,,\n", 1),
    "day that is none": (ROW.replace("01-05", "02-31"), 1),
    "time in the future": (ROW.replace("2026", "2096"), 1),
    "before the boundaries": (ROW.replace("2026", "1996"), 1),
    "no time": (ROW.replace("2026-01-05 10:00", ""), 1),
    "no id": (ROW.removeprefix("1"), 1),
    "no class": (ROW.replace("A1", ""), 1),
    "unknown class": (ROW.replace("A1", "ZZ"), 1),
    "unknown grade": (ROW.replace("A1,1", "A1,9"), 1),
    "zero point": (ROW.replace("103.05,36.05", "0,0"), 1),
    "point turned round": (ROW.replace("103.05,36.05", "36.05,103.05"), 1),
    "point of another city": (ROW.replace("103.05", "121.05"), 1),
    "no number": (ROW.replace("103.05", "nan"), 1),
    "endless number": (ROW.replace("103.05", "1e999"), 1),
    "words for numbers": (ROW.replace("103.05", "东经"), 1),
    "unknown area": ("1,2026-01-05 10:00,A1,1,,,,XX\n", 1),
    "phone number": ("1,2026-01-05 10:00,A1,1,13912345678,103.05,36.05,\n", 1),
    "identity number": ("1,2026-01-05 10:00,A1,1,11010519491231002X,103.05,36.05,\n", 1),
    "long text": (f"1,2026-01-05 10:00,A1,1,{'说' * 500},103.05,36.05,\n", 1),
    "refused class": (ROW.replace("A1", "信访"), 1),
    "only empty fields": (",,,,,,,\n", 1),
}


def _write(folder):
    """Put every bad file and a good one into the city folder; the names of the bad ones."""
    names = []
    for kind, ending in FORMATS.items():
        text = samples.source_text(kind, files=[f"{kind}-*{ending}"])
        (folder / "sources" / f"{kind}.toml").write_text(text, encoding="utf-8")
        for name, content in CONTENTS.items():
            names.append(f"{kind}-{name}{ending}")
            (folder / names[-1]).write_bytes(content + kind.encode() * bool(content))
    for name, content in TEXTS.items():
        names.append(f"calls text {name}.csv")
        (folder / names[-1]).write_bytes(content)
    for number, (name, (line, _)) in enumerate(ROWS.items()):
        names.append(f"calls row {name}.csv")
        (folder / names[-1]).write_text(HEADER + line + f"g{number},{ROW[2:]}", encoding="utf-8")
    town.write_file(folder, "calls.csv", GOOD)
    return names


def test_bad_files_harm_only_themselves(tmp_path):
    folder, home = town.make_city(tmp_path / "city"), tmp_path / "home"
    names = _write(folder)
    assert len(names) >= 80
    built = build(folder, home=home, now=town.MONDAY)
    accounts = Store(home).current().read("accounts").set_index("file")
    parts = ["accepted", "quarantined", "duplicate", "refused"]
    assert (accounts["read"] == accounts[parts].sum(axis=1)).all()
    # Each is told or counted, none is both, and nothing of a told one is in.
    assert sorted([*built.failed, *accounts.index]) == sorted([*names, "calls.csv"])
    assert all(reason and "\n" not in reason for reason in built.failed.values())
    assert {f"calls text {name}.csv" for name in TEXTS} <= set(built.failed)
    assert accounts.loc["calls.csv", ["read", "accepted"]].tolist() == [len(GOOD)] * 2
    for name, (_, bad) in ROWS.items():
        row = accounts.loc[f"calls row {name}.csv"]
        assert (row["read"], row["quarantined"] + row["refused"]) == (1 + bad, bad), name
        assert row["accepted"] == 1, name
    assert verify(home)["ok"]
    # The same again: they fail again, and nothing changes.
    again = build(folder, home=home, now=town.MONDAY)
    assert again.failed == built.failed
    assert not again.is_new


def test_hostile_files_harm_only_themselves(tmp_path):
    """Each was made by hand to break its reader; as the operator's own files, without limits."""
    folder, home = town.make_city(tmp_path / "city"), tmp_path / "home"
    names = set()
    for kind, ending in samples.ENDINGS.items():
        text = samples.source_text(kind, files=[f"{kind}-*{ending}"])
        (folder / "sources" / f"{kind}.toml").write_text(text, encoding="utf-8")
    for name, (kind, content) in hostile_made.made(tmp_path).items():
        if name not in hostile_made.APART:
            path = folder / f"{kind}-{name.partition(': ')[2]}{samples.ENDINGS[kind]}"
            path.write_bytes(content)
            names.add(path.name)
    assert len(names) >= 130
    assert sum(name.startswith("shapefile-") for name in names) >= 20
    town.write_file(folder, "calls.csv", GOOD)
    built = build(folder, home=home, now=town.MONDAY)
    accounts = Store(home).current().read("accounts").set_index("file")
    parts = ["accepted", "quarantined", "duplicate", "refused"]
    assert (accounts["read"] == accounts[parts].sum(axis=1)).all()
    assert {*built.failed, *accounts.index} == names | {"calls.csv"}
    assert not set(built.failed) & set(accounts.index)
    assert all(reason.isprintable() for reason in built.failed.values())
    assert accounts.loc["calls.csv", ["read", "accepted"]].tolist() == [len(GOOD)] * 2
    assert verify(home)["ok"]
