"""Which version of an incident is current: worked cases, and what must not matter."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.identity import _NEVER, _judge

NAMES = ("identity", "rank", "content", "batch", "row")


def judged(rows, *, by_arrival, stored=()):
    """Verdicts on new rows (identity, rank, content, batch, row); stored ones have a version."""
    plain = [(*row, np.nan, 0, position) for position, row in enumerate(rows)]
    kept = [(*row, -1, -1) for row in stored]
    table = pd.DataFrame([*kept, *plain], columns=[*NAMES, "version", "chunk", "position"])
    table = table.assign(month=0, by_arrival=by_arrival)
    if by_arrival:
        table["rank"] = table["batch"] * (1 << 32) + table["row"]
    found = _judge(table, min(row[3] for row in rows))
    return found.sort_values(["batch", "row"], ignore_index=True)


def current(found):
    return found[(found["duplicate"] == 0) & (found["superseded_by"] == _NEVER)]


def test_the_later_arrival_is_current_where_the_source_tells_no_version():
    found = judged([(7, 0, 100, 1, 1), (7, 0, 200, 2, 1), (7, 0, 300, 2, 2)], by_arrival=True)
    assert found["version"].tolist() == [1, 2, 3]
    assert found["superseded_by"].tolist() == [2, 2, _NEVER]


def test_the_same_content_again_is_a_duplicate():
    found = judged([(7, 0, 100, 1, 1), (7, 0, 100, 1, 2), (7, 0, 100, 2, 1)], by_arrival=True)
    assert found["duplicate"].tolist() == [0, 1, 1]
    assert len(current(found)) == 1


def test_a_return_to_earlier_content_is_a_version_of_its_own():
    found = judged([(7, 0, 100, 1, 1), (7, 0, 200, 2, 1), (7, 0, 100, 3, 1)], by_arrival=True)
    assert found["duplicate"].tolist() == [0, 0, 0]
    assert current(found)["batch"].tolist() == [3]


def test_an_old_version_that_arrives_late_never_becomes_current():
    found = judged([(7, 5, 100, 1, 1), (7, 3, 200, 2, 1)], by_arrival=False)
    assert current(found)["batch"].tolist() == [1]
    assert found["superseded_by"].tolist() == [_NEVER, 2]


def test_a_stored_version_keeps_its_number_and_is_replaced_once():
    stored = [(7, 1, 100, 1, 1, 1), (7, 2, 200, 2, 1, 2)]
    found = judged([(7, 3, 300, 4, 9)], by_arrival=False, stored=stored)
    assert found["version"].tolist() == [1, 2, 3]
    # The first was replaced by batch 2, which is listed already.
    assert found["superseded_by"].tolist() == [_NEVER, 4, _NEVER]


ROWS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=14
)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_split_and_repetition_do_not_matter_with_versions(rows, chance, batches):
    """Rows of (identity, rank, content) arrive in any order, in any batches, some twice."""
    once = [(*row, 1, number) for number, row in enumerate(rows, start=1)]
    again = [*rows, *chance.sample(rows, len(rows) // 2)]
    chance.shuffle(again)
    cut = sorted(chance.choices(range(1, batches + 1), k=len(again)))
    other = [
        (*row, batch, number) for number, (row, batch) in enumerate(zip(again, cut, strict=True))
    ]
    said = {(row[0], row[1], row[2]) for row in rows}
    for found, given_rows in (
        (judged(once, by_arrival=False), once),
        (judged(other, by_arrival=False), other),
    ):
        content = {(row[3], row[4]): row for row in given_rows}
        now = current(found)
        assert sorted(
            content[key][:3] for key in zip(now["batch"], now["row"], strict=True)
        ) == sorted(
            max((one for one in said if one[0] == identity), key=lambda one: one[1:])
            for identity in {row[0] for row in rows}
        )
        assert (found["duplicate"] == 0).sum() == len(said)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 13), st.booleans())
def test_two_runs_say_what_one_run_says(rows, cut, by_arrival):
    """The first rows are stored by one run, the others come in the next; or all in one."""
    numbered = [(*row, 1 + (number >= cut), number) for number, row in enumerate(rows)]
    whole = judged(numbered, by_arrival=by_arrival)
    first = [row for row in numbered if row[3] == 1]
    later = [row for row in numbered if row[3] == 2]
    early = judged(first, by_arrival=by_arrival)
    if not later:
        return
    kept = early[early["duplicate"] == 0]
    by_key = {(row[3], row[4]): row for row in numbered}
    stored = [
        (*by_key[key], version)
        for *key, version in kept[["batch", "row", "version"]].itertuples(index=False)
        for key in [tuple(key)]
    ]
    second = judged(later, by_arrival=by_arrival, stored=stored)
    replaced = dict(
        zip(zip(early["batch"], early["row"], strict=True), early["superseded_by"], strict=True)
    )
    for batch, row, by in second[["batch", "row", "superseded_by"]].itertuples(index=False):
        if by < _NEVER:
            assert replaced.get((batch, row), _NEVER) == _NEVER
            replaced[batch, row] = by
    told = whole[whole["duplicate"] == 0]
    in_one = {
        (b, r): (s, v)
        for b, r, s, v in told[["batch", "row", "superseded_by", "version"]].itertuples(index=False)
    }
    versions = {
        (b, r): v
        for b, r, v in pd.concat([kept, second[second["duplicate"] == 0]])[
            ["batch", "row", "version"]
        ].itertuples(index=False)
    }
    in_two = {key: (replaced.get(key, _NEVER), version) for key, version in versions.items()}
    assert in_two == in_one
