"""docs/audit.md says what the program does."""

from pathlib import Path

import pytest

from data.audit.anchor import FILE
from data.audit.archive import KEPT, PART_ROWS
from data.audit.chain import FIELDS
from data.audit.walk import CHANGED, MISSING, OUTSIDE, UNLINKED
from data.audit.words import ACTIONS, RESULTS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("column", FIELDS)
def test_every_column_is_described(column):
    assert f"`{column}`" in PAGE


@pytest.mark.parametrize("fault", [CHANGED, MISSING, OUTSIDE, UNLINKED])
def test_every_fault_is_explained(fault):
    assert f": {fault}`" in PAGE


def test_words_and_figures_are_those_of_the_program():
    assert ", ".join(ACTIONS) in PAGE
    assert ", ".join(RESULTS) in PAGE
    assert FILE in PAGE
    assert f"{KEPT.days} days can never leave" in PAGE
    assert f"{PART_ROWS:,} rows at most" in PAGE
