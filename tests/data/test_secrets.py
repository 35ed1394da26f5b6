import multiprocessing
import stat
import threading

import pytest

from data.secrets import FILE, UnsafeKeyError, derived, installation_key

STRONG = "k7Rm-Zx2Q-w9Tb-Ue4H-n6Yc-Pa3J-v8Ld"


def test_the_setting_is_the_key_and_no_file_is_made(tmp_path):
    assert installation_key(tmp_path, STRONG) == STRONG.encode()
    assert list(tmp_path.iterdir()) == []


def test_the_first_start_makes_a_key_for_its_owner_alone(tmp_path):
    home = tmp_path / "new"
    key = installation_key(home, "")
    assert len(key) == 64
    assert installation_key(home, "") == key
    assert [path.name for path in home.iterdir()] == [FILE]
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert installation_key(tmp_path / "other", "") != key


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("short", "PINGAN_SECRET_KEY has 5 characters; use 32 or more, or leave it empty"),
        ("a" * 40, "PINGAN_SECRET_KEY can be guessed; use random text, or leave it empty"),
        (f"Change-Me-{STRONG}", "PINGAN_SECRET_KEY can be guessed; use random text, or leave it empty"),
        (f"pingan-{STRONG}", "PINGAN_SECRET_KEY can be guessed; use random text, or leave it empty"),
    ],
)  # fmt: skip
def test_a_key_that_can_be_guessed_is_refused(tmp_path, key, told):
    with pytest.raises(UnsafeKeyError) as refused:
        installation_key(tmp_path, key)
    assert str(refused.value) == told


def test_a_file_that_others_may_read_is_refused_with_every_fault(tmp_path):
    path = tmp_path / FILE
    path.write_text("weak")
    path.chmod(0o644)
    with pytest.raises(UnsafeKeyError) as refused:
        installation_key(tmp_path, "")
    assert str(refused.value) == (
        f"{path} has 4 characters; use 32 or more, or leave it empty; "
        f"{path} has mode 644; run `chmod 600 {path}`"
    )


def test_threads_that_start_at_once_get_one_key(tmp_path):
    found, gate = [], threading.Barrier(8)

    def start():
        gate.wait()
        found.append(installation_key(tmp_path, ""))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_processes_that_start_at_once_get_one_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        found = pool.starmap(installation_key, [(tmp_path, "")] * 8)
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_derived_keys_are_those_of_rfc_5869_and_differ_by_purpose():
    """Test case 3 of the RFC has neither salt nor info: the first 32 of its 42 bytes."""
    assert derived(b"\x0b" * 22, "").hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    )
    assert derived(b"k" * 32, "audit") != derived(b"k" * 32, "totp")
    assert derived(b"k" * 32, "audit") != derived(b"K" * 32, "audit")
