import pytest
import sqlalchemy as sa

from data.accounts import stored_settings
from data.accounts.policy import Policy
from data.accounts.stored_settings import SETTINGS, SettingError
from data.state.models import Setting
from tests.data.accounts.town import NOW, at_once


def test_nothing_stored_means_the_defaults(database):
    assert stored_settings.policy(database) == Policy()
    values = stored_settings.read(database)
    assert values == {name: spec.default for name, spec in SETTINGS.items()}
    assert (values["audit_keep_days"], values["share_days"]) == (200, 7)


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("min_length", "12", 12),
        ("min_length", 12, 12),
        ("one_session", "true", True),
        ("first_change", "off", False),
        ("first_change", False, False),
        ("totp", "Administrators", "administrators"),
        ("audit_keep_days", " 365 ", 365),
    ],
)
def test_a_change_holds_from_then_on(database, name, value, held):
    assert stored_settings.change(database, name, value, by="sec", now=NOW) == held
    assert stored_settings.read(database)[name] == held
    with database.reading() as session:
        row = session.get_one(Setting, name)
    assert (row.changed_by, row.changed_at) == ("sec", NOW)


def test_the_policy_follows(database):
    stored_settings.change(database, "lock_failures", 3, by="sec", now=NOW)
    stored_settings.change(database, "totp", "all", by="sec", now=NOW)
    assert stored_settings.policy(database) == Policy(lock_failures=3, totp="all")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("min_lenght", 12, "there is no setting 'min_lenght'; known: min_length"),
        ("min_length", 5, "min_length: 5 is no whole number from 6 to 64"),
        ("min_length", "12.5", "min_length: '12.5' is no whole number from 6 to 64"),
        ("min_length", "１２", "min_length: '１２' is no whole number"),
        ("min_length", "9" * 5_000, "is no whole number from 6 to 64"),
        ("min_length", -8, "is no whole number"),
        ("audit_keep_days", 179, "audit_keep_days: 179 is no whole number from 180 to 3650"),
        ("one_session", "maybe", "one_session: 'maybe' is not true or false"),
        ("totp", "some", "totp: 'some' is none of off, optional, administrators, all"),
    ],
)
def test_what_is_out_of_bounds_is_refused(database, name, value, told):
    with pytest.raises(SettingError) as refused:
        stored_settings.change(database, name, value, by="sec", now=NOW)
    assert told in str(refused.value)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Setting)) == 0


def test_a_stored_value_that_cannot_be_used_is_told_and_the_default_holds(database):
    with database.writing() as session:
        for name, value in (("lock_failures", "9999"), ("gone", "1"), ("history", "3")):
            session.add(Setting(name=name, value=value, changed_at=NOW, changed_by="x"))
    assert stored_settings.policy(database) == Policy(history=3)
    assert stored_settings.faults(database) == [
        "lock_failures: '9999' is no whole number from 1 to 20; the default 5 holds"
    ]


@pytest.mark.parametrize("spec", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_is_sound(spec):
    assert spec.parse(spec.default) == spec.parse(str(spec.default)) == spec.default
    assert not spec.is_weaker(spec.default)
    assert spec.text_zh
    assert spec.text_en
    ends = [spec.parse(bound) for bound in (spec.bounds[0], spec.bounds[-1])]
    weaker, stronger = ends if spec.stronger == "higher" else ends[::-1]
    assert not spec.is_weaker(stronger)
    assert weaker == spec.default or spec.is_weaker(weaker)


def test_every_rule_of_the_policy_can_be_set():
    assert {*vars(Policy())} == {*SETTINGS} - {"audit_keep_days", "share_days"}


def test_weaker_values_are_flagged():
    weaker = {
        "min_length": 6, "expiry_days": 180, "lock_failures": 10, "lock_minutes": 5,
        "totp": "off", "first_change": False, "share_days": 30,
    }  # fmt: skip
    stronger = {"min_length": 12, "expiry_days": 30, "totp": "all", "one_session": True}
    assert all(SETTINGS[name].is_weaker(value) for name, value in weaker.items())
    assert not any(SETTINGS[name].is_weaker(value) for name, value in stronger.items())


def test_changes_at_once_leave_one_of_them(database):
    done = at_once(lambda n: stored_settings.change(database, "history", n, by=f"a{n}", now=NOW), 6)
    assert stored_settings.read(database)["history"] in [one for one in done if type(one) is int]
