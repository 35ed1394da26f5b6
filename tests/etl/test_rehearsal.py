"""Rehearsals of the toy city's ledger: the figures of a build, and nothing left behind."""

import shutil

from etl.rehearsal import rehearse

LINES = [
    "1,2026-01-05 10:00,A1,1,resolved,103.05,36.05,",
    "2,2026-01-06 10:00,A,,,103.05,36.15,",
    "2,2026-01-06 10:00,A,,,103.05,36.15,",
    "3,2026-01-20 10:00,B,4,蓝,103.15,36.15,",
    "4,2026-01-21 10:00,B,4,蓝,,,W1",
    "5,2026-01-22 10:00,B,2,蓝,,,",
    "6,2026-01-22 10:00,B,2,蓝,,,",
    "7,2026-01-22 10:00,B,2,蓝,,,",
    "8,2026-02-12 10:00,ZZ,2,,103.05,36.05,",
    "9,2026-02-12 10:00,A,9,,103.05,36.05,",
    "10,2026-02-12 10:00,A,1,13800138000,103.05,36.05,",
    "11,2026-02-12 10:00,民族宗教,1,,103.05,36.05,",
    "12,2026-02-12 10:00",
]


def one(toy, **options):
    (told,) = rehearse(toy.city(), ["calls"], now=toy.now, **options)
    return told


def files_under(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_every_row_has_its_place(toy):
    toy.write(LINES)
    told = one(toy)
    assert (told.read, told.accepted, told.quarantined, told.duplicate, told.refused) == (
        13, 7, 4, 1, 1,
    )  # fmt: skip
    assert told.located == {"none": 3, "point": 3, "code": 1}
    assert told.with_point == 7
    assert told.reasons == {
        "malformed_row": {"rows": 1, "first": {"calls.csv": [13]}},
        "person_data": {"rows": 1, "first": {"calls.csv": [11]}},
        "unknown_category": {"rows": 1, "first": {"calls.csv": [9]}},
        "unknown_severity": {"rows": 1, "first": {"calls.csv": [10]}},
    }
    assert told.unmapped == {
        "category": {"ZZ": 1},
        "severity": {"9": 1},
        "outcome": {"蓝": 5},
    }
    assert told.personal == {"outcome": 1 / 7}
    assert len(told.messages) == 1
    assert "1 rows are of classes that are refused" in told.messages[0]
    assert told.first_time == "2026-01-05 10:00:00+08:00"
    assert told.last_time == "2026-01-22 10:00:00+08:00"
    assert told.is_usable


def test_a_wrong_frame_shows(toy):
    lines = [f"{n},2026-01-05 10:00,A1,1,,{103.0005 + n * 0.0001:.6f},36.05,W1" for n in range(40)]
    toy.write(lines)
    told = one(toy)
    shares = {trial["frame"]: trial["inside"] for trial in told.frames}
    assert list(shares) == ["EPSG:4326", "GCJ-02", "BD-09"]
    assert shares["EPSG:4326"] == 1.0
    assert shares["BD-09"] == 0.0
    own = {trial["frame"]: trial["own_code"] for trial in told.frames}
    assert own["EPSG:4326"] == 1.0
    shifts = {trial["frame"]: trial["shift_m"] for trial in told.frames}
    assert shifts["EPSG:4326"] == 0.0


def test_nothing_is_written(toy, tmp_path):
    toy.write(LINES)
    before = files_under(tmp_path)
    one(toy)
    assert files_under(tmp_path) == before
    assert not toy.home.exists()


def test_the_figures_are_those_of_a_first_build(toy):
    toy.write(LINES)
    told = one(toy)
    toy.publish(LINES)
    again = one(toy)
    assert again == told
    manifest = toy.publish().manifest
    (source,) = manifest["sources"]
    for name in ("read", "accepted", "quarantined", "duplicate", "refused"):
        assert source[name] == getattr(told, name)


def test_headings_are_told(toy):
    toy.change("sources/calls.toml", 'outcome = "result"', 'outcome = "处理结果"')
    text = "id,when,kind,grade,联系电话,x,y,grid,note\n1,2026-01-05 10:00,A,1,1,103.05,36.05,,n\n"
    (toy.folder / "calls.csv").write_text(text, encoding="utf-8")
    told = one(toy)
    assert told.missing_columns == ["处理结果"]
    assert told.person_columns == ["联系电话"]
    assert told.unread_columns == ["note"]
    assert "处理结果" in told.failed["calls.csv"]
    assert (told.read, told.is_usable) == (0, False)


def test_a_register_of_persons_is_not_usable(toy):
    toy.change("sources/calls.toml", 'outcome = "result"\n', "")
    toy.change("sources/calls.toml", 'severity = "grade"\n', "")
    header = "id,when,kind,x,y,grid,姓名,身份证号,性别,民族"
    line = "1,2026-01-05 10:00,A,103.05,36.05,,某,1,男,汉"
    (toy.folder / "calls.csv").write_text(f"{header}\n{line}\n{line}\n", encoding="utf-8")
    told = one(toy)
    assert (told.read, told.refused, told.accepted) == (2, 2, 0)
    assert "register of persons (2 rows)" in told.messages[0]
    assert not told.is_usable


def test_only_the_first_rows_of_a_big_file_are_read(toy, monkeypatch):
    monkeypatch.setattr("etl.rehearsal.CHUNK_ROWS", 4)
    toy.write(LINES[:-1])
    told = one(toy)
    assert (told.read, told.is_partial) == (4, True)
    told = one(toy, every_row=True)
    assert (told.read, told.is_partial) == (12, False)


def test_the_same_file_twice_counts_once(toy):
    toy.write(LINES)
    shutil.copy(toy.folder / "calls.csv", toy.folder / "copy.csv")
    toy.change("sources/calls.toml", '["calls.csv"]', '["calls.csv", "copy.csv"]')
    told = one(toy)
    assert (told.files, told.read) == (["calls.csv", "copy.csv"], 13)


def test_files_of_a_watched_folder_are_rehearsed(toy):
    toy.write(LINES)
    (toy.folder / "inbox").mkdir()
    (toy.folder / "calls.csv").rename(toy.folder / "inbox" / "today.csv")
    toy.change("sources/calls.toml", 'files = ["calls.csv"]', 'watch = "inbox"')
    told = one(toy)
    assert (told.files, told.read) == (["today.csv"], 13)


def test_a_source_without_files_has_nothing_to_rehearse(toy):
    toy.change("sources/calls.toml", 'files = ["calls.csv"]', "push = true")
    told = one(toy)
    assert (told.files, told.read, told.is_usable) == ([], 0, True)
