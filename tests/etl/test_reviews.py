"""Decisions about proposed pairs: kept for good, the last one counts, no person is named."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from typer.testing import CliRunner

from data.writer import SnapshotWriter
from etl.commands.matches import app
from etl.reviews import REVIEWS, ReviewError, apply_reviews, decide, read_reviews

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def matches(*pairs):
    return pd.DataFrame(
        {
            "first_id": [first for first, _ in pairs],
            "second_id": [second for _, second in pairs],
            "first_source": "calls",
            "second_source": "desk",
            "area_level": "grid",
            "area_index": 0,
            "gap_hours": 1.0,
            "distance_m": [10.0, None][: len(pairs)],
            "same_subcategory": True,
            "score": [0.6, 0.9][: len(pairs)],
        }
    )


PAIRS = matches(("calls:1", "desk:1"), ("calls:2", "desk:2"))


def keep(home, pair, decision, **options):
    return decide(home, PAIRS, pair, decision=decision, **{"by": "operator", "now": NOW, **options})


def test_a_decision_is_a_line_with_role_and_time(tmp_path):
    keep(tmp_path, ("calls:1", "desk:1"), "same")
    line = json.loads((tmp_path / REVIEWS).read_text(encoding="utf-8"))
    assert line == {
        "first_id": "calls:1",
        "second_id": "desk:1",
        "decision": "same",
        "by": "operator",
        "at": "2026-03-01T04:00:00+00:00",
    }


def test_the_last_decision_counts_and_all_are_kept(tmp_path):
    keep(tmp_path, ("calls:1", "desk:1"), "same")
    keep(tmp_path, ("desk:1", "calls:1"), "different", by="supervisor")
    reviews = read_reviews(tmp_path)
    assert [review.decision for review in reviews] == ["same", "different"]
    found = apply_reviews(PAIRS, reviews)
    assert found["decision"].isna().tolist() == [False, True]
    assert found.loc[0, ["decision", "decided_by"]].tolist() == ["different", "supervisor"]
    pd.testing.assert_frame_equal(found[PAIRS.columns], PAIRS)


def test_a_decision_stands_when_a_corrected_time_turns_the_pair(tmp_path):
    keep(tmp_path, ("calls:1", "desk:1"), "same")
    found = apply_reviews(matches(("desk:1", "calls:1")), read_reviews(tmp_path))
    assert found["decision"].tolist() == ["same"]


def test_without_decisions_every_pair_is_undecided(tmp_path):
    assert read_reviews(tmp_path) == []
    assert apply_reviews(PAIRS, [])["decision"].isna().all()
    assert apply_reviews(PAIRS.iloc[:0], []).columns[-1] == "decided_at"


@pytest.mark.parametrize(
    ("pair", "decision", "by", "said"),
    [
        (("calls:1", "desk:2"), "same", "operator", "no proposed pair"),
        (("calls:1", "calls:1"), "same", "operator", "no proposed pair"),
        (("calls:1", "desk:1"), "same", "张三", "role '张三' is unknown"),
        (("calls:1", "desk:1"), "perhaps", "operator", "decision 'perhaps' is unknown"),
    ],
)
def test_what_cannot_be_decided_is_refused(tmp_path, pair, decision, by, said):
    with pytest.raises(ReviewError, match=said):
        keep(tmp_path, pair, decision, by=by)
    assert not (tmp_path / REVIEWS).exists()


def test_a_line_that_was_cut_short_is_taken_away(tmp_path):
    keep(tmp_path, ("calls:1", "desk:1"), "same")
    with (tmp_path / REVIEWS).open("ab") as stream:
        stream.write(b'{"first_id": "cal')
    assert len(read_reviews(tmp_path)) == 1
    keep(tmp_path, ("calls:2", "desk:2"), "different")
    assert [review.decision for review in read_reviews(tmp_path)] == ["same", "different"]


def test_a_damaged_line_is_told(tmp_path):
    keep(tmp_path, ("calls:1", "desk:1"), "same")
    text = (tmp_path / REVIEWS).read_text(encoding="utf-8")
    (tmp_path / REVIEWS).write_text("?" + text + text, encoding="utf-8")
    with pytest.raises(ReviewError, match="line 1 of 2"):
        read_reviews(tmp_path)


def _keep_many(home):
    for _ in range(20):
        keep(home, ("calls:1", "desk:1"), "same")


def test_several_may_decide_at_once(tmp_path):
    with ThreadPoolExecutor(3) as workers:
        list(workers.map(_keep_many, [tmp_path] * 3))
    assert len(read_reviews(tmp_path)) == 60


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("PINGAN_HOME", str(tmp_path))
    writer = SnapshotWriter(tmp_path, "20260301T040000Z-00000000")
    writer.add_table("matches", PAIRS)
    writer.publish({"city": {"code": "T"}})
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_pairs_are_listed_the_surest_first(run):
    told = json.loads(run("list", "--json").stdout)
    assert [pair["score"] for pair in told] == [0.9, 0.6]
    assert told[0]["distance_m"] is None
    assert told[0]["decision"] is None
    assert "2 proposed pairs" in run("list").stdout


def test_decided_pairs_leave_the_undecided_and_stay_in_the_file(run, tmp_path):
    done = run("decide", "desk:2", "calls:2", "--same", "--by", "supervisor")
    assert done.stdout == "calls:2 and desk:2: same\n"
    left = json.loads(run("list", "--undecided", "--json").stdout)
    assert [pair["first_id"] for pair in left] == ["calls:1"]
    assert run("list", "--csv", tmp_path / "pairs.csv").exit_code == 0
    kept = pd.read_csv(tmp_path / "pairs.csv", encoding="utf-8-sig")
    assert kept["decision"].fillna("").tolist() == ["same", ""]


def test_a_wrong_pair_is_one_line(run):
    result = run("decide", "calls:1", "desk:2", "--different")
    assert result.exit_code == 1
    assert result.stderr.startswith("pingan: no proposed pair of calls:1 and desk:2")


def test_a_decision_must_be_said(run):
    assert run("decide", "calls:1", "desk:1").exit_code == 2
