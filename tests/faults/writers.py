"""
Two builds at once, readers while it is written, pushes during a build, clocks that jump.

    python -m tests.faults.writers SCENARIO

This process itself never builds: the library that writes the Delta log must not be forked.
"""

import datetime as dt
import os
import sys
import tempfile
from pathlib import Path

from data.intake import Intake
from data.store import NoSnapshotError, Store
from etl.cli import app
from etl.pipeline import build
from etl.verify import verify
from tests.faults import town
from tests.faults.strikes import Child, apart

BUILDS = 20


def _paused(folder, home, step):
    """A build in another process that stands still at a step; how to let it go on."""
    reached, go_on = os.pipe(), os.pipe()
    waits = [step]

    def progress(name, _share):
        if name in waits:
            waits.clear()
            os.write(reached[1], b"!")
            os.read(go_on[0], 1)

    child = Child(
        lambda: build(folder, home=home, now=town.MONDAY, progress=progress).manifest["rows"]
    )
    assert os.read(reached[0], 1) == b"!"
    return child, lambda: os.write(go_on[1], b"!")


def _command(folder, home):
    def run():
        os.environ["PINGAN_HOME"] = str(home)
        return app(["build", "--city", str(folder)], standalone_mode=False) or 0

    return apart(run)


def _verified(home):
    return apart(lambda: verify(home)["ok"]) == ("done", True)


def two_builds(base):
    """Of two builds one goes on, and the other says: try again."""
    folder, home = town.make_city(base / "city"), base / "home"
    town.write_day(folder, 0)
    first, go_on = _paused(folder, home, "count")
    assert _command(folder, home) == ("done", 75)
    go_on()
    outcome, rows = first.wait()
    assert (outcome, rows["read"]) == ("done", 133)
    assert _verified(home)
    assert _command(folder, home) == ("done", 0)


def pushes(base):
    """A push that arrives at any step of a build is in the next snapshot, exactly once."""
    for step in ("boundaries", "clean and place", "count", "publish"):
        _push_during(base / step.replace(" ", "-"), step)


def _push_during(base, step):
    folder, home = town.make_city(base / "city"), base / "home"
    town.write_day(folder, 0)
    child, go_on = _paused(folder, home, step)
    _, is_new = town.push(folder, home, "key", town.PUSHED, town.MONDAY)
    go_on()
    outcome, rows = child.wait()
    assert (outcome, is_new) == ("done", True)
    # What arrives before the log is read may be in this one already.
    assert rows["read"] in ({133, 147} if step == "boundaries" else {133})

    def again():
        found = build(folder, home=home, now=town.MONDAY).manifest
        ids = [row[0] for row in town.incidents(home, found)]
        return found["rows"]["read"], sum("calls:p" in name for name in ids)

    for _ in range(2):
        assert not town.push(folder, home, "key", town.PUSHED, town.MONDAY)[1]
        assert apart(again) == ("done", (147, len(town.PUSHED)))
    assert _verified(home)


def _read(home, stop):
    """Open the newest snapshot until told to stop: how often, and what did not fit together."""
    followed, seen, opened, faults = Store(home), set(), 0, []
    while not stop.exists():
        for store in (followed, Store(home)):
            try:
                snapshot = store.current()
            except NoSnapshotError:
                continue
            if store.alarm is not None:
                faults.append(store.alarm.reason)
            stated = snapshot.manifest.rows["incidents"]
            sums = {
                int(snapshot.query(f"SELECT sum(count) AS n FROM {name}")["n"][0])
                for name in snapshot.tables()
                if "_counts_" in name
            }
            accounts = int(snapshot.read("accounts")["read"].sum())
            if sums != {stated} or accounts != snapshot.manifest.rows["read"]:
                faults.append(f"{snapshot.id}: {sums}, {accounts}")
            seen.add(snapshot.id)
            opened += 1
    return opened, len(seen), faults


def readers(base):
    """Two readers see whole snapshots while it is built again and again."""
    folder, home, stop = town.make_city(base / "city"), base / "home", base / "stop"
    reading = [Child(lambda: _read(home, stop)) for _ in range(2)]

    def write():
        for number in range(BUILDS):
            row = f"{number},2026-02-{1 + number:02d} 10:00,A1,1,,103.05,36.05,"
            town.write_file(folder, f"calls-{number:02d}.csv", [row, f"late{number % 3}{row[1:]}"])
            build(folder, home=home, now=town.MONDAY + dt.timedelta(hours=number))

    written = apart(write)
    stop.touch()
    assert written == ("done", None)
    for reader in reading:
        outcome, (opened, seen, faults) = reader.wait()
        assert outcome == "done"
        assert faults == []
        assert opened >= seen > 1
        print(f"{BUILDS} builds: opened {opened} times, {seen} snapshots, {len(faults)} faults")


def clocks(base):
    """Clocks that jump change no figure."""
    steady = town.make_city(base / "steady")

    def undisturbed():
        town.live(steady, base / "steady-home")
        return town.state(base / "steady-home")

    expected = apart(undisturbed)
    for number, jumps in enumerate([(0, -400, 0), (3000, 0, -3000), (0, 3000, 1), (-1, -2, -3)]):
        place = base / str(number)
        assert apart(lambda: _jumping(place, jumps)) == expected, jumps  # noqa: B023 - run now


def _jumping(base, jumps):
    folder, home = town.make_city(base / "city"), base / "home"
    ids = []
    for day, jump in enumerate(jumps):
        now = town.MONDAY + dt.timedelta(days=day)
        if day:
            town.push(folder, home, f"key-{day}", town.PUSHED[: day * 7], now)
        town.write_day(folder, day)
        built = build(folder, home=home, now=now + dt.timedelta(days=jump))
        ids.append(built.manifest["snapshot"])
    arrived = [batch.ingested_at for batch in Intake(home).batches()]
    assert Store(home).current_id() == ids[-1]
    assert ids == sorted(ids)
    assert arrived == sorted(arrived)
    found = town.state(home)
    # The last good one is served whatever its clock said.
    (home / "manifests" / f"{ids[-1]}.json").write_text("{")
    assert Store(home).current().id == ids[-2]
    return found


SCENARIOS = {one.__name__: one for one in (two_builds, pushes, readers, clocks)}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="writers-") as folder:
        SCENARIOS[sys.argv[1]](Path(folder))
