import multiprocessing
import os
import signal
import threading

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from python_calamine import load_workbook

from etl.sources import SourceError, read_chunks
from etl.sources.confined import LimitError, confined
from tests.etl.sources.books import HEADER, data_row, make_source, write_xlsx


def all_rows(source, path):
    return pa.concat_tables(chunk.rows for chunk in read_chunks(source, path))


def read_unchecked(path):
    """What the checks before reading are for: the reader alone."""
    return load_workbook(path).get_sheet_by_index(0).to_python()


def allocate(size):
    return int(np.ones(size, dtype=np.uint8).sum())


def wait_for_ever():
    threading.Event().wait()


def break_down():
    os.kill(os.getpid(), signal.SIGSEGV)


def test_gives_back_what_the_function_returns(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1), data_row(2)])
    rows = confined(all_rows, make_source(), path)
    assert rows["incident_id"].to_pylist() == ["JF20260001", "JF20260002"]


def test_raises_what_the_function_raises(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"")
    with pytest.raises(SourceError, match=r"a\.xlsx is empty") as caught:
        confined(all_rows, make_source(), path)
    assert not isinstance(caught.value, LimitError)


def test_a_workbook_that_takes_all_memory_takes_only_its_own_process(tmp_path):
    path = tmp_path / "bomb.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = 1
    book.active["XFD1048576"] = 1
    book.save(path)
    assert path.stat().st_size < 10_000
    with pytest.raises(LimitError, match="broke down"):
        confined(read_unchecked, path)


def test_memory_beyond_the_limit():
    assert confined(allocate, 1 << 20, memory=256 << 20) == 1 << 20
    with pytest.raises(LimitError, match="more than 256 MiB"):
        confined(allocate, 1 << 30, memory=256 << 20)


def test_time_beyond_the_limit():
    with pytest.raises(LimitError, match="longer than 2 s"):
        confined(wait_for_ever, seconds=2)


def test_a_break_down_is_told():
    with pytest.raises(LimitError, match=r"broke down \(-11\)"):
        confined(break_down)


def environment():
    return sorted(os.environ)


def print_and_return():
    print("what a library prints")
    os.write(1, b"or writes")
    return "the outcome"


class OddError(Exception):
    def __init__(self, one, two) -> None:
        super().__init__(f"{one} {two}")


def raise_odd():
    raise OddError(1, 2)


def confined_twice():
    return confined(allocate, 1 << 10)


def test_the_process_knows_no_secret(monkeypatch):
    monkeypatch.setenv("PINGAN_SECRET_KEY", "x" * 40)
    monkeypatch.setenv("CITY_DB", "postgresql://city:secret@host/db")
    assert not [name for name in confined(environment) if name.startswith(("PINGAN", "CITY"))]


def test_what_is_printed_is_not_the_outcome():
    assert confined(print_and_return) == "the outcome"


def test_an_error_that_cannot_be_sent_is_named():
    with pytest.raises(RuntimeError, match="OddError"):
        confined(raise_odd)


def test_without_a_limit_of_memory():
    assert confined(allocate, 1 << 30, memory=None) == 1 << 30


def test_it_can_be_used_in_a_worker_that_may_have_no_children():
    """Those of a cluster are daemons, to which `multiprocessing` refuses processes of their own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(confined_twice) == 1 << 10
