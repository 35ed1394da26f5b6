"""Widths and inks that Word and PDF have in common."""

import pytest

from dashboard.reports.document import Cell, Column, Table
from dashboard.reports.printed import ACROSS, DARK, LIGHT, ink, widths
from tests.dashboard.reports.made import TINTS


def table(*columns):
    heads = tuple(Column(title, width=width) for title, width, _ in columns)
    return Table("n", "t", heads, (tuple(Cell(text) for _, _, text in columns),))


def test_columns_share_the_width():
    found = widths(table(("区域", 1.0, "甲县"), ("原因", 3.0, "治安")))
    assert found == pytest.approx([ACROSS / 4, 3 * ACROSS / 4])


def test_no_word_is_broken():
    found = widths(table(("Before", 0.1, "orange"), ("Reason", 9.0, "calls up"), ("C", 1.0, "c")))
    assert sum(found) == pytest.approx(ACROSS)
    assert found[0] > 0.55 * len("orange")
    assert found[1] == pytest.approx(9 * found[2], rel=0.3)


def test_words_that_cannot_fit_share_what_there_is():
    found = widths(table(*((f"{n}" + "x" * 60, 1.0, "y") for n in range(4))))
    assert found == pytest.approx([ACROSS / 4] * 4)


@pytest.mark.parametrize("tint", [*TINTS, "#c8cdd3", "#ffffff", "#000000"])
def test_text_on_a_tint_can_be_read(tint):
    def lightness(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        parts = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    assert ink(tint) in {DARK, LIGHT}
    low, high = sorted((lightness(tint), lightness(ink(tint))))
    assert (high + 0.05) / (low + 0.05) >= 4.3
