"""Noise at every door: no failure of the server, no trace, no file outside the home."""

import os

import pytest

from tests.redteam import fuzz
from tests.redteam.town import linked

REQUESTS = 10_000 if os.environ.get("LONG_RUN") else 600


@pytest.fixture
def fuzzer(home, tmp_path):
    return fuzz.Fuzzer(linked(home, tmp_path / "home"), seed=4)


def test_noise_breaks_nothing(fuzzer, tmp_path):
    writes = fuzz.Writes(fuzzer.home)
    with writes:
        fuzzer.run(REQUESTS)
    assert not fuzzer.faults, fuzzer.faults[:5]
    assert not writes.found
    assert [one.name for one in tmp_path.iterdir()] == ["home"]


def test_the_watch_sees_a_file_written_elsewhere(home, tmp_path):
    writes = fuzz.Writes(home)
    with writes:
        (tmp_path / "elsewhere").write_text("x")
    assert [name for _, name in writes.found] == [str(tmp_path / "elsewhere")]


@pytest.mark.parametrize(
    "path", ["/_dash-update-component", "/views", "/signin", "/api/v1/incidents", "/export"]
)
def test_a_body_that_is_declared_too_large_is_not_read(fuzzer, path):
    fuzzer.chosen.scope_now = fuzz.city.scope_of("township")
    unread = fuzz.Unread()
    answer = fuzzer.client.post(
        path, content_type=fuzz.KINDS[0] if "_" in path or "api" in path else fuzz.FORM,
        environ_overrides={"CONTENT_LENGTH": str(fuzz.DECLARED), "wsgi.input": unread},
    )  # fmt: skip
    # Without a city folder nothing is pushed here at all: that is said first.
    assert answer.status_code == (404 if "api" in path else 413)
    assert unread.taken == 0


def test_a_body_without_an_end_is_cut_off(fuzzer):
    fuzzer.chosen.scope_now = fuzz.city.scope_of("township")
    unread = fuzz.Unread()
    answer = fuzzer.client.post(
        "/_dash-update-component", content_type="application/json",
        environ_overrides={"wsgi.input": unread, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )  # fmt: skip
    assert answer.status_code in (400, 413)
    assert unread.taken < 2**20
