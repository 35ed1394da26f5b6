"""Controls of the audit, each failing once."""

import sqlalchemy as sa

from data.audit.log import HEAD, ROWS
from data.audit.protect import guard, lift
from data.state.models import Setting
from tests.etl.compliance.values import NOW


def spoil(installed, statement):
    """Change the audit as its owner could, and put the guards back."""
    with installed.database.writing() as session:
        connection = session.connection()
        lift(connection)
        connection.execute(statement)
        guard(connection)


def test_a_good_audit_passes(installed):
    installed.sign_in("grid-17")
    found = installed.controls()
    assert found["audit chain"].detail == "2 rows prove each other, 1 to 2"
    assert found["audit kept"].detail == "200 days, then archived in sealed files"
    assert {
        found[name].state for name in ("audit chain", "audit kept", "audit can be written")
    } == {"pass"}


def test_judging_the_audit_leaves_nothing_in_it(installed):
    before = [row.hash for row in installed.log.search()]
    installed.controls()
    installed.controls()
    assert [row.hash for row in installed.log.search()] == before
    installed.sign_in("grid-17")


def test_a_changed_row_fails(installed):
    spoil(installed, sa.update(ROWS).where(ROWS.c.seq == 1).values(user="nobody"))
    control = installed.controls()["audit chain"]
    assert control.state == "fail"
    assert "1" in control.detail


def test_another_key_fails(installed):
    control = installed.controls(secret_key="Jc5tYw8nRk2QzVb7LmXs4DgHf9TpUe3A")["audit chain"]
    assert control.state == "fail"


def test_fewer_days_than_the_law_asks_fail(installed):
    with installed.database.writing() as session:
        session.add(
            Setting(name="audit_keep_days", value="180", changed_at=NOW, changed_by="post-security")
        )
    assert installed.controls()["audit kept"].state == "pass"
    installed.change(Setting, value="90")
    control = installed.controls()["audit kept"]
    assert (control.state, control.detail) == (
        "fail",
        "audit_keep_days: '90' is no whole number from 180 to 3650; the default 200 holds",
    )


def test_an_audit_that_takes_no_row_fails(installed):
    spoil(installed, sa.update(HEAD).values(seal="0" * 64))
    control = installed.controls()["audit can be written"]
    assert control.state == "fail"
    assert control.detail.endswith("; exports and changes are refused meanwhile")


def test_the_demo_may_have_no_audit_yet(installed, tmp_path):
    found = installed.controls(home=tmp_path / "new", auth="demo", public_url="")
    assert (found["audit chain"].state, found["audit can be written"].state) == (
        "not applicable",
        "not applicable",
    )


def test_the_audit_of_a_demo_that_has_one_is_judged(installed):
    assert installed.controls(auth="demo", public_url="")["audit chain"].state == "pass"
    spoil(installed, sa.update(ROWS).values(user="nobody"))
    assert installed.controls(auth="demo", public_url="")["audit chain"].state == "fail"
