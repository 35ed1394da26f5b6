"""Shipped code books are whole, map to the taxonomy, and mean something in every city."""

import csv
import shutil
from importlib.resources import files
from types import SimpleNamespace

import pytest

from data import codebooks
from data.city import Category, CityError, read_city
from data.codebooks import (
    CodeBookError,
    book_names,
    books,
    category_meaning,
    read_book,
    taxonomy,
)
from data.refusals import forbidden_category

REFERENCE = files("data").joinpath("reference")
CATEGORY_BOOKS = [book for book in books() if book.kind == codebooks.CATEGORY]

UNMAPPED = {
    ("gbt31000-5.9", "01"): "an accident of any kind: no category says so little",
    ("gbt31000-5.9", "04"): "a crime of any kind: map the police ledger's own class",
    ("gbt31000-5.9", "99"): "a case of any kind",
    ("gbt31000-5.19", "00"): "no hazard",
    ("gbt31000-5.45", "00"): "no hazard",
    ("police-110", "JQ01"): "a crime of any kind: map its lower class",
    ("police-110", "JQ12"): "a nuisance call is no incident",
    ("city-management-events", "SJ05"): "sudden events of all kinds: map the lower class",
}
SENSITIVE = {
    "homicide": {"P204"},
    "sexual_offence": {"P205", "P210"},
    "domestic_violence": {"D105", "P206"},
    "minors": {"D106", "D605", "P207", "P208"},
}


def city(*codes):
    return [Category(code, None, code, code) for code in codes]


def source(book="", *, numeric=False, **codes):
    return SimpleNamespace(category_book=book, category_codes=codes, numeric_codes=numeric)


def test_the_taxonomy_has_18_upper_and_150_lower_categories():
    upper = [code for code in taxonomy() if code.parent_code is None]
    lower = [code for code in taxonomy() if code.parent_code is not None]
    assert (len(upper), len(lower)) == (18, 150)
    assert {code.parent_code for code in lower} == {code.code for code in upper}
    assert len({code.code for code in taxonomy()}) == 168
    assert len({code.name_zh for code in taxonomy()}) == 168


def test_every_category_of_the_demo_city_is_in_the_taxonomy_under_its_name():
    text = files("data").joinpath("cities/demo/categories.csv").read_text("utf-8")
    known = {code.code: code for code in taxonomy()}
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 102
    for row in rows:
        ours = known[row["code"]]
        assert (ours.parent_code or "", ours.name_zh, ours.name_en) == (
            row["parent_code"],
            row["name_zh"],
            row["name_en"],
        )


def test_sensitive_categories_are_flagged():
    flagged = {}
    for code in taxonomy():
        if code.sensitive is not None:
            flagged.setdefault(code.sensitive, set()).add(code.code)
    assert flagged == SENSITIVE


def test_no_category_of_the_taxonomy_is_of_a_refused_class():
    assert not [code.code for code in taxonomy() if forbidden_category(code.name_zh, code.name_en)]


def test_every_shipped_book_is_in_the_index():
    header = "code,parent_code,name_zh,name_en,taxonomy,refused"
    shipped = {
        entry.name
        for entry in REFERENCE.iterdir()
        if entry.name.endswith(".csv") and entry.read_text("utf-8").startswith(header)
    }
    assert shipped == {book.file for book in books()}


def test_the_readme_names_every_file():
    readme = REFERENCE.joinpath("README.md").read_text("utf-8")
    assert not [book.file for book in books() if f"`{book.file}`" not in readme]


@pytest.mark.parametrize("book", books(), ids=lambda book: book.name)
def test_a_book_is_whole(book):
    header = REFERENCE.joinpath(book.file).read_text("utf-8").splitlines()[0]
    assert header == "code,parent_code,name_zh,name_en,taxonomy,refused"
    assert book.evidence in {"V", "S", "M"}
    assert len(book.by_code) == len(book.codes)
    seen = set()
    for code in book.codes:
        assert code.code
        assert code.name_zh
        assert code.name_en
        assert code.parent_code is None or code.parent_code in seen
        seen.add(code.code)


@pytest.mark.parametrize("book", CATEGORY_BOOKS, ids=lambda book: book.name)
def test_every_code_is_mapped_refused_or_left_out_for_a_stated_reason(book):
    known = {code.code for code in taxonomy()}
    assert set(book.mapping.values()) <= known
    assert not book.mapping.keys() & book.refused.keys()
    left = {(book.name, code) for code in book.by_code.keys() - book.mapping - book.refused.keys()}
    assert left == {key for key in UNMAPPED if key[0] == book.name}


def test_only_books_of_categories_map_and_refuse():
    for book in books():
        if book.kind != codebooks.CATEGORY:
            assert (book.mapping, book.refused) == ({}, {})


def test_refused_codes_are_those_of_the_issue():
    assert set(read_book("gbt31000-5.56").refused) == {
        "1201",
        "14", "1401", "1402", "1403", "1404",
        "15", "1501", "1502", "1599",
        "16", "1601", "1602",
    }  # fmt: skip
    assert set(read_book("police-110").refused) == {"JQ08", "JQ10", "JQ11"}
    assert set(read_book("gbt31000-5.9").refused) == {"02"}


def test_dispute_categories_are_complete():
    """GB/T 31000-2015, 5.56: 17 upper codes; xx99 for 01 to 13 and 15, not for 14 and 16."""
    book = read_book("gbt31000-5.56")
    upper = [code.code for code in book.codes if code.parent_code is None]
    assert upper == [*(f"{n:02d}" for n in range(1, 17)), "99"]
    others = [code.code for code in book.codes if code.code.endswith("99") and code.parent_code]
    assert others == [*(f"{n:02d}99" for n in range(1, 14)), "1599"]
    assert len(book.codes) == 95
    assert all(code.parent_code is None or code.code[:2] == code.parent_code for code in book.codes)


def test_an_unknown_book_is_told_with_the_known_ones():
    with pytest.raises(CodeBookError, match=r"no code book 'gb'.*gbt31000-5\.56"):
        read_book("gb")
    assert book_names() == [book.name for book in books()]


def test_the_same_book_under_two_names():
    assert read_book("gbt31000-5.60").codes == read_book("gbt31000-5.63").codes


def test_the_demo_ledger_means_the_same_by_the_book_as_by_its_own_table():
    own = {"0101": "D101", "0402": "D204", "0507": "D404", "1101": "D504", "0804": "D304"}
    meaning = category_meaning(source("gbt31000-5.56"), city(*own.values()))
    assert {code: meaning[code] for code in own} == own


def test_own_codes_come_before_the_book_and_the_book_before_identical_codes():
    categories = city("D1", "D101", "D102", "0102")
    meaning = category_meaning(source("gbt31000-5.56", **{"0101": "D102"}), categories)
    assert meaning["0101"] == "D102"
    assert meaning["0102"] == "D102"
    assert meaning["D101"] == "D101"
    assert category_meaning(source(x="D1"), categories)["x"] == "D1"
    assert category_meaning(source(), categories) == {c.code: c.code for c in categories}


def test_a_lower_category_that_the_city_lacks_becomes_its_upper_one():
    meaning = category_meaning(source("gbt31000-5.48"), city("P2"))
    assert meaning["01"] == "P2"
    assert "02" not in meaning


def test_names_of_the_book_mean_the_same_as_its_codes():
    meaning = category_meaning(source("police-110"), city("P405", "P3", "P2"))
    assert meaning["行政（治安）类警情"] == meaning["行政(治安)类警情"] == "P2"
    assert meaning["纠纷"] == "P405"
    assert meaning["道路交通类警情"] == meaning["JQ03"] == "P3"


def test_a_name_that_the_book_uses_twice_means_nothing():
    kept = city(*(code.code for code in taxonomy()))
    assert "其他" not in category_meaning(source("gbt31000-5.56"), kept)


def test_refused_and_unmapped_codes_mean_nothing_even_if_the_city_has_such_a_code():
    meaning = category_meaning(source("gbt31000-5.56"), city("14", "D1"))
    assert "14" not in meaning
    assert "1401" not in meaning
    assert "00" not in category_meaning(source("gbt31000-5.19"), city("00", "H1"))


def test_codes_that_lost_their_zeros_are_known_where_the_source_says_so():
    categories = city("D101")
    assert "101" not in category_meaning(source("gbt31000-5.56"), categories)
    meaning = category_meaning(source("gbt31000-5.56", numeric=True), categories)
    assert meaning["101"] == meaning["0101"] == "D101"


@pytest.fixture
def folder(tmp_path):
    """The demo city's folder, without its data files."""
    return shutil.copytree(files("data").joinpath("cities/demo"), tmp_path / "city")


def faults(folder):
    with pytest.raises(CityError) as caught:
        read_city(folder, home=folder)
    return str(caught.value).splitlines()


def name_book(path, name):
    lines = [
        line
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith("category_book")
    ]
    path.write_text("\n".join([f'category_book = "{name}"', *lines]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", ["gb31000", "gbt31000-5.55"], ids=["unknown", "no categories"])
def test_a_source_must_name_a_book_of_categories(folder, name):
    path = folder / "sources" / "hotline.toml"
    name_book(path, name)
    told = [fault for fault in faults(folder) if "category_book" in fault]
    assert len(told) == 1
    assert f"sources/hotline.toml: `category_book` is '{name}'; write one of" in told[0]
    assert "gbt31000-5.56" in told[0]


def test_a_source_may_name_a_shipped_book(folder):
    path = folder / "sources" / "hotline.toml"
    name_book(path, "mediation")
    assert not [fault for fault in faults(folder) if "category_book" in fault]


def test_a_city_cannot_have_a_category_of_a_refused_class(folder):
    path = folder / "categories.csv"
    rows = "X1,,群众信访,Letters\nX2,,某类,Religious matters\nX3,,走访,Visits\n"
    path.write_text(path.read_text("utf-8") + rows, encoding="utf-8")
    told = [fault for fault in faults(folder) if "class that is refused" in fault]
    assert [fault.split()[1] for fault in told] == ["X1", "X2"]
