"""A program that is killed between or within the steps of warnings: each step is whole or not."""

import multiprocessing
import os
import signal

import sqlalchemy as sa

from data.audit import AuditLog
from data.state.database import StateDatabase, open_state
from data.state.migrate import upgrade
from data.warnings import Warnings
from tests.data.warnings.town import CHIEF, CITY, COMMUNITY, NOW, TREE, opened, post

KEY = b"k" * 32
NAMES = "abc"


def life_of_three(warnings):
    """Open three warnings, take each through its life, escalate what is late: 19 transactions."""
    for name in NAMES:
        one = opened(warnings, name)
        for at, (unit, step, to, reason) in enumerate(
            (
                (COMMUNITY, "assign", CHIEF, None),
                (CHIEF, "sign", None, None),
                (CHIEF, "start", None, None),
                (CHIEF, "close", None, "settled"),
                (COMMUNITY, "archive", None, None),
            )
        ):
            warnings.act(
                post(unit), one.id, step=step, version=at + 1, key=f"press-{name}-{at}",
                to_unit=to, reason=reason, now=NOW,
            )  # fmt: skip
    opened(warnings, "late")
    warnings.escalate_due(NOW.replace(day=20))


def struck(home, at):
    """Do it all, and be killed at the n-th statement or end of a transaction."""
    database = open_state("", home)
    count = 0

    def step(*_):
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(database.engine, "before_cursor_execute", step)
    sa.event.listen(database.engine, "commit", step)
    life_of_three(Warnings(database, tree=lambda: TREE, audit=AuditLog(database, KEY)))
    (home / "steps").write_text(str(count))


def run(home, at):
    process = multiprocessing.get_context("fork").Process(target=struck, args=(home, at))
    process.start()
    process.join(60)
    return process.exitcode


def check(home):
    """Every warning is where its history leads; every step that was taken is in the audit."""
    database = StateDatabase(f"sqlite:///{home / 'state.db'}")
    warnings = Warnings(database, tree=lambda: TREE)
    found = warnings.listed(post(CITY), states=["archived"], limit=500)
    found += warnings.listed(post(CITY), limit=500)
    steps = 0
    for one in found:
        history = warnings.steps(post(CITY), one.id)
        steps += len(history)
        assert [step.number for step in history] == list(range(1, one.version + 1))
        assert (history[-1].after, history[-1].owner) == (one.state, one.owner)
        assert one.places == TREE.path("grid", "G1")
    rows = AuditLog(database, KEY).search(action="warning", result="ok", limit=1000)
    database.close()
    assert len(rows) >= steps
    return found


def made_home(folder):
    folder.mkdir()
    database = open_state("", folder)
    upgrade(database)
    database.close()
    return folder


def test_killed_anywhere_and_run_again_it_ends_the_same(tmp_path):
    whole = made_home(tmp_path / "whole")
    assert run(whole, 0) == 0
    total = int((whole / "steps").read_text())
    wanted = sorted((one.fingerprint, one.state, one.version) for one in check(whole))
    assert [state for _, state, _ in wanted] == ["archived"] * len(NAMES) + ["escalated"]
    home, killed, at = made_home(tmp_path / "struck"), 0, 3
    # Ever later: what was done before is not done again, so each run comes further.
    while run(home, at) == -signal.SIGKILL:
        killed += 1
        check(home)
        at += 7 if at < total else total
    assert killed > 10
    assert sorted((one.fingerprint, one.state, one.version) for one in check(home)) == wanted
