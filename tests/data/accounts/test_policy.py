from dataclasses import asdict

import pytest

from data.accounts.passwords import (
    _NOBODYS,
    hash_password,
    is_password,
    make_password,
    needs_new_hash,
)
from data.accounts.policy import FAULTS_EN, LONGEST, Policy, password_faults, told

pytestmark = pytest.mark.usefixtures("real_hashes")

LOGIN = "duty.office"


def test_the_defaults_are_those_of_level_3():
    assert asdict(Policy()) == {
        "min_length": 8,
        "min_classes": 3,
        "history": 5,
        "expiry_days": 90,
        "lock_failures": 5,
        "lock_minutes": 30,
        "idle_minutes": 30,
        "session_hours": 12,
        "one_session": False,
        "totp": "optional",
        "first_change": True,
    }


@pytest.mark.parametrize(
    "password",
    [
        "Kx7-mPq2-Rt9w", "aB3$xyzT", "Gs#2vT!8", "correct Horse 9", "春江花月Ab1x",
        "Ünder9ßtand", "Kx7mPq2Rt9w",
    ],
)  # fmt: skip
def test_good_passwords_pass(password):
    assert password_faults(Policy(), LOGIN, password) == []


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("aB3$xyz", ["too_short"]),
        ("", ["too_short", "too_few_classes", "known_weak"]),
        ("kxmpqrtwhz", ["too_few_classes"]),
        ("kx7mpq2rt9w", ["too_few_classes"]),
        ("Vb9-duty.office-Xw", ["holds_login"]),
        ("Vb9-DUTY.Office-Xw", ["holds_login"]),
        ("Vb9-eciffo.ytud-Xw", ["holds_login"]),
        ("aB3$" * 33, ["too_long"]),
    ],
)
def test_faults_are_named(password, faults):
    assert password_faults(Policy(), LOGIN, password) == faults


@pytest.mark.parametrize(
    "password",
    [
        "Admin@123", "P@ssw0rd", "Passw0rd!", "Qwer1234!", "Aa123456", "Abc@1234", "1qaz@WSX",
        "Pingan@2026", "Woaini520!", "Test#8888", "Zxcv!234", "Huawei@123", "Root@2026Root",
        "Admin123!@#", "Aaaa1111!!!!", "Ａｄｍｉｎ＠１２３", "4321Rewq!", "Mima@112233",
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_weak(password):
    assert "known_weak" in password_faults(Policy(), LOGIN, password)


def test_full_width_letters_are_plain_ones():
    wide = "Ｋｘ７－ｍＰｑ２－Ｒｔ９ｗ"
    assert is_password(hash_password("Kx7-mPq2-Rt9w"), wide)
    assert password_faults(Policy(), LOGIN, wide) == []


def test_the_rules_follow_the_policy():
    loose = Policy(min_length=6, min_classes=1)
    assert password_faults(loose, LOGIN, "kxmtgr") == []
    strict = Policy(min_length=20, min_classes=4)
    assert password_faults(strict, LOGIN, "Kx7mPq2Rt9w") == ["too_short", "too_few_classes"]


def test_a_short_login_may_be_part_of_a_password():
    assert password_faults(Policy(), "kx", "Kx7-mPq2-Rt9w") == []


def test_faults_have_words():
    assert told(["too_short", "reused"]) == "too short; used before"
    assert str(LONGEST) in FAULTS_EN["too_long"]


@pytest.mark.parametrize("policy", [Policy(), Policy(min_length=64, min_classes=4)])
def test_made_passwords_are_good_and_differ(policy):
    made = {make_password(policy, LOGIN) for _ in range(20)}
    assert len(made) == 20
    assert not any(password_faults(policy, LOGIN, password) for password in made)
    assert not set("".join(made)) & set("0O1lI")


def test_hashes_are_argon2id_with_their_own_salt():
    first, second = hash_password("Kx7-mPq2-Rt9w"), hash_password("Kx7-mPq2-Rt9w")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password(first, "Kx7-mPq2-Rt9w")
    assert not is_password(first, "Kx7-mPq2-Rt9W")
    assert not needs_new_hash(first)


def test_without_a_hash_as_much_is_computed_and_the_answer_is_no():
    assert not needs_new_hash(_NOBODYS)
    assert not is_password(None, "")
    assert not is_password(None, "Kx7-mPq2-Rt9w")


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$v=19$m=19456,t=2,p=1$abc$def"])
def test_a_damaged_hash_is_no_password(damaged):
    assert not is_password(damaged, "Kx7-mPq2-Rt9w")


def test_endless_passwords_are_not_hashed():
    long = "aB3$" * 33
    assert not is_password(hash_password(long), long)
