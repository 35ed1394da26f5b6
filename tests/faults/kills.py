"""
Kill −9 at steps and at random moments of landing and building: what is left, and what a rerun makes.

    python -m tests.faults.kills --rounds 200
"""

import argparse
import collections
import random
import shutil
import tempfile
from pathlib import Path

from data.intake import Intake
from data.store import NoSnapshotError, Store
from etl.publish import writer_lock
from etl.verify import verify
from tests.faults import town
from tests.faults.strikes import CLOCK, Counter, apart, kill_group, killed_after, no_space, watched

DAYS = 3


class Undisturbed:
    """The same three days without a fault: what each build must give, and the steps it takes."""

    def __init__(self, base) -> None:
        self.folder, names = town.make_city(base / "city"), base / "names"
        home = base / "home"
        self.states = []

        def days():
            states, started = [], CLOCK()
            with watched(Counter(names=names)):
                town.live(
                    self.folder,
                    home,
                    done=lambda what: states.append(town.state(home)) if "build" in what else None,
                )
            assert verify(home)["ok"]
            return states, CLOCK() - started

        outcome, (self.states, self.seconds) = apart(days)
        assert outcome == "done"
        self.steps = names.read_text().splitlines()


def _acknowledging(folder, home, counter, told):
    def run():
        def done(what):
            with told.open("a") as stream:
                stream.write(what + "\n")

        with watched(counter):
            town.live(folder, home, done=done)

    return run


def _inspect(home, states, told):
    """Faults of what a struck run left, as a reader sees it."""
    faults = []
    acknowledged = told.read_text().splitlines() if told.exists() else []
    builds = [int(what.split()[1]) for what in acknowledged if what.startswith("build")]
    pushes = sum(what.startswith("push") for what in acknowledged)
    try:
        snapshot = Store(home).current()
    except NoSnapshotError:
        if builds:
            faults.append("lost")
    else:
        found = town.state(home)
        day = next((day for day, state in enumerate(states) if state == found), None)
        # Byte for byte a snapshot that was verified (`Undisturbed`), every file as named.
        if day is None or snapshot.id != Store(home).current_id():
            faults.append("torn")
        elif builds and day < max(builds):
            faults.append("lost")
    landed = [batch for batch in Intake(home).batches() if batch.kind == "push"]
    if len(landed) < pushes:
        faults.append("lost")
    if any(not (home / one["path"]).is_file() for batch in landed for one in batch.chunks):
        faults.append("lost")
    with writer_lock(home):
        pass
    return faults


def _finish(folder, home, final):
    """Faults of what a rerun makes of it."""
    town.live(folder, home)
    found, faults = town.state(home), []
    if found["tables"] != final["tables"] or found["rows"] != final["rows"]:
        faults.append("rerun differs")
    ours, theirs = (collections.Counter(one["incidents"]) for one in (found, final))
    if theirs - ours:
        faults.append("lost")
    if ours - theirs:
        faults.append("doubled")
    rows = found["rows"]
    if rows["read"] != sum(rows[n] for n in ("accepted", "quarantined", "duplicate", "refused")):
        faults.append("account")
    if list((home / "staging").glob("*")):
        faults.append("left over")
    return faults


def strike(base, undisturbed, *, at=None, after=None, act=kill_group):
    """One round; the moment's name and its faults."""
    folder, home, told = town.make_city(base / "city"), base / "home", base / "told"
    name = base / "struck"

    def struck(step):
        name.write_text(step)
        act(step)

    work = _acknowledging(folder, home, Counter(at, struck), told)
    outcome, said = killed_after(work, after) if after is not None else apart(work)
    faults = []
    if outcome == "trace":
        faults.append(f"trace: {said}")
    for check in (
        lambda: _inspect(home, undisturbed.states, told),
        lambda: _finish(folder, home, undisturbed.states[-1]),
    ):
        result, found = apart(check)
        faults += found if result == "done" else [f"{result}: {found}"]
    moment = name.read_text() if name.exists() else ("at random" if outcome == "killed" else "none")
    return moment, faults


def moments(undisturbed, rounds, rng):
    """Half of the rounds at steps, spread over all of them, half at random times."""
    steps = len(undisturbed.steps)
    for number in range(rounds):
        if number % 2:
            yield {"after": rng.uniform(0.0, undisturbed.seconds)}
        else:
            low, high = (int(part * steps / rounds) for part in (number, number + 2))
            yield {"at": rng.randrange(low + 1, max(high, low + 1) + 1)}


def run(rounds, *, seed=1, act=kill_group, only_steps=False, tell=lambda _line: None):
    """Rounds by moment, and the rounds with each fault."""
    rng = random.Random(seed)
    by_moment, faults = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        base = Path(folder)
        undisturbed = Undisturbed(base / "undisturbed")
        for number, moment in enumerate(moments(undisturbed, rounds, rng)):
            chosen = moment
            if only_steps and "after" in moment:
                chosen = {"at": rng.randrange(1, len(undisturbed.steps) + 1)}
            place = base / f"round-{number}"
            said, found = strike(place, undisturbed, **chosen, act=act)
            by_moment[said] += 1
            faults.update(set(found))
            if found:
                tell(f"{chosen} {said}: {found}")
            shutil.rmtree(place)
    return by_moment, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-space", action="store_true", help="the disk is full instead")
    asked = parser.parse_args()
    act = no_space if asked.no_space else kill_group
    by_moment, faults = run(
        asked.rounds, seed=asked.seed, act=act, only_steps=asked.no_space, tell=print
    )
    print("| moment | rounds |\n|---|---:|")
    for moment, count in sorted(by_moment.items()):
        print(f"| {moment} | {count} |")
    print(f"| all | {by_moment.total()} |")
    for fault in ("torn", "lost", "doubled", "rerun differs", "account", "left over"):
        print(f"{fault} {faults.pop(fault, 0)}")
    print(f"other faults {sum(faults.values())} {dict(faults) or ''}")


if __name__ == "__main__":
    main()
