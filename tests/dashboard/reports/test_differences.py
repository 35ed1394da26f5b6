"""What differs between two versions of an edition."""

import pytest

from dashboard.reports.differences import Difference, differences
from dashboard.reports.document import (
    Cell,
    Column,
    Document,
    Figure,
    Figures,
    Heading,
    Paragraph,
    Table,
)


def report(*blocks, headline=""):
    return Document(
        lang="zh", title="t", subtitle="", number="", publisher="", dated="", headline=headline,
        blocks=(Heading("h"), *blocks), tints=(), foot=(),
    )  # fmt: skip


def table(*rows, name="counts", is_appendix=False, columns=("area", "count", "note")):
    return Table(
        name=name,
        title=f"{name}: {len(rows)}",
        columns=tuple(Column(one) for one in columns),
        rows=tuple(tuple(Cell(text) for text in row) for row in rows),
        is_appendix=is_appendix,
    )


def test_the_same_differs_in_nothing():
    one = report(Figures((Figure("n", "1", "d"),)), table(("a", "1", "x")))
    assert differences(one, one) == []


def test_figures_tell_what_they_are_compared_with():
    old = report(Figures((Figure("n", "1", "up"), Figure("m", "2"))))
    new = report(Figures((Figure("n", "1", "down"), Figure("m", "3"))))
    assert differences(old, new) == [
        Difference("", "n", "", "1 · up", "1 · down"),
        Difference("", "m", "", "2", "3"),
    ]


def test_sentences_are_told_by_their_beginning_or_their_heading():
    old = report(Paragraph("red", lead="colour"), Heading("next"), Paragraph("a"), Paragraph("b"))
    new = report(Paragraph("blue", lead="colour"), Heading("next"), Paragraph("a"), Paragraph("c"))
    assert differences(old, new) == [
        Difference("", "colour", "", "red", "blue"),
        Difference("", "next", "", "b", "c"),
    ]
    assert differences(new, new) == []


def test_the_week_in_one_sentence_is_told():
    found = differences(report(headline="1 red"), report(headline="2 red"))
    assert found == [Difference("", "t", "", "1 red", "2 red")]


def test_a_sentence_and_a_figure_of_one_name_are_both_told():
    old = report(Figures((Figure("n", "1"),)), Paragraph("x", lead="n"))
    new = report(Figures((Figure("n", "2"),)), Paragraph("y", lead="n"))
    assert [(one.old, one.new) for one in differences(old, new)] == [("1", "2"), ("x", "y")]


def test_a_sentence_of_one_version_is_told():
    short, long = report(Paragraph("a", lead="n")), report(Paragraph("a", lead="n"), Paragraph("b"))
    assert differences(short, long) == [Difference("", "h", "", "", "b")]
    assert differences(long, short) == [Difference("", "h", "", "b", "")]


def test_cells_are_told_by_row_and_column():
    old = report(table(("a", "1", "x"), ("b", "2", "y")))
    new = report(table(("b", "2", "z"), ("a", "5", "x")))
    assert differences(old, new) == [
        Difference("counts", "b", "note", "y", "z"),
        Difference("counts", "a", "count", "1", "5"),
    ]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_row_of_one_version_is_told(is_new):
    short, long = report(table(("a", "1", "x"))), report(table(("a", "1", "x"), ("b", "2", "y")))
    found = differences(short, long) if is_new else differences(long, short)
    texts = [(one.name, one.old, one.new) for one in found]
    assert texts == (
        [("b", "", "2"), ("b", "", "y")] if is_new else [("b", "2", ""), ("b", "y", "")]
    )


def test_rows_of_one_name_are_kept_apart():
    old = report(table(("grid", "1", "x"), ("grid", "2", "y")))
    new = report(table(("grid", "1", "x"), ("grid", "3", "y")))
    assert differences(old, new) == [Difference("counts", "grid", "count", "2", "3")]


def test_the_workbook_repeats_nothing_and_names_areas_not_codes():
    columns = ("code", "area", "count", "rank")

    def version(count, rank):
        appendix = table(
            ("990101", "a", count, rank), name="all", is_appendix=True, columns=columns
        )
        return report(appendix, table(("a", count, "x")))

    assert differences(version("1", "4"), version("2", "5")) == [
        Difference("counts", "a", "count", "1", "2"),
        Difference("all", "a", "rank", "4", "5"),
    ]


def test_equal_changes_of_two_areas_of_one_name_are_both_told():
    columns = ("code", "area", "count")

    def version(count):
        rows = (("01", "grid", count), ("02", "grid", count))
        return report(table(*rows, name="all", is_appendix=True, columns=columns))

    assert len(differences(version("1"), version("2"))) == 2
