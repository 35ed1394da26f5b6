"""Containers whose chains of sectors do not end."""

import struct

import pytest

from etl.sources import SourceError
from etl.sources.compound import check_chains
from tests.faults import ledger_samples as samples

FREE, END = 0xFFFFFFFF, 0xFFFFFFFE


@pytest.fixture(scope="module")
def good():
    lines = [samples.HEADINGS, *([str(n)] * 8 for n in range(400))]
    return samples.xls(lines)


def table_at(content):
    """Place of the first sector of the table."""
    return (struct.unpack_from("<I", content, 76)[0] + 1) * 512


def changed(content, *numbers):
    out = bytearray(content)
    for at, number in numbers:
        out[at : at + 4] = struct.pack("<I", number)
    return bytes(out)


def refused(content):
    try:
        check_chains(content)
    except SourceError as error:
        return str(error)
    return ""


def test_a_good_container(good):
    assert refused(good) == ""


def test_a_chain_that_comes_back(good):
    at = table_at(good)
    assert "ring" in refused(changed(good, (at, 0)))
    assert "ring" in refused(changed(good, (at + 4 * 9, 3)))


def test_a_directory_that_comes_back(good):
    (first,) = struct.unpack_from("<I", good, 48)
    assert "ring" in refused(changed(good, (table_at(good) + 4 * first, first)))


def test_a_list_of_tables_that_comes_back(good):
    # A sector of zeros behind the rest, which lists itself as the next one.
    number = len(good) // 512 - 1
    longer = good + bytes(508) + struct.pack("<I", number)
    assert "ring" in refused(changed(longer, (68, number), (72, 1)))
    assert refused(changed(longer[:-4] + struct.pack("<I", END), (68, number), (72, 1))) == ""


def test_small_streams_that_come_back(good):
    """A short stream lies in pieces of 64 bytes, chained in a table of its own."""
    small = good.replace(struct.pack("<I", 4096), struct.pack("<I", 0x7FFFFFFF), 1)
    number = len(good) // 512 - 1
    ring = struct.pack("<I", 0) * 128
    assert "ring" in refused(
        changed(small + ring, (60, number), (table_at(good) + 4 * number, END))
    )


@pytest.mark.parametrize("size", [0, 100, 511])
def test_a_header_that_is_cut(good, size):
    assert "cut off" in refused(good[:size])


def test_sectors_of_another_size(good):
    out = bytearray(good)
    out[30:32] = struct.pack("<H", 31)
    assert "damaged" in refused(bytes(out))


def test_numbers_that_lead_nowhere_end_a_chain(good):
    at = table_at(good)
    for number in (FREE, END, 0x7FFFFFFF, 100_000):
        assert refused(changed(good, (at, number))) == ""


def test_many_entries_that_share_one_chain():
    """Each alone ends; a reader that follows them all would take for ever."""
    data, sectors = 60, 120
    entry = bytearray(128)
    entry[66] = 2
    entry[116:124] = struct.pack("<II", 1, 1 << 20)
    # Sector 0 is the table, 1 to 60 are one stream, the others the directory.
    links = [END, *range(2, data + 1), END, *range(data + 2, sectors), END]
    table = struct.pack("<128I", *links, *[FREE] * (128 - sectors))

    def container(entries):
        header = bytearray(samples.xls([["id"]])[:512])
        header[48:52] = struct.pack("<I", data + 1)
        header[60:64] = header[68:72] = struct.pack("<I", END)
        header[76:512] = struct.pack("<109I", 0, *[FREE] * 108)
        directory = (bytes(entry) * entries).ljust((sectors - data - 1) * 512, b"\0")
        return bytes(header) + table + bytes(data * 512) + directory

    assert refused(container(4)) == ""
    assert "ring" in refused(container(200))
