"""
A disk that is really full: a small file system is filled up to some bytes before the next build.

    python -m tests.faults.full_disk --rounds 20       (as root: it mounts a tmpfs)
"""

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

from data.store import Store
from etl.pipeline import build
from etl.verify import verify
from tests.faults import town
from tests.faults.strikes import apart

SIZE = 24 << 20
PAGE = 4096


@contextlib.contextmanager
def small_disk(folder):
    """A file system of `SIZE` bytes; OSError where none can be mounted."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise OSError(f"no small disk can be mounted: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _second_day(folder, home):
    town.push(folder, home, "key-1", town.PUSHED[:7], town.MONDAY)
    town.write_day(folder, 1)
    built = build(folder, home=home, now=town.MONDAY)
    # As `pingan build`: a file that could not be taken in is told, and the exit code is 1.
    if built.failed:
        raise OSError("; ".join(built.failed.values()))
    return town.state(home)


def fill(disk, left):
    """Leave so many free bytes on a disk."""
    found = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb") as stream:
        stream.write(b"\1" * max(found.f_bavail * found.f_frsize - left, 0))
    return ballast


def one(folder, disk, left, expected):
    """Whether the build failed in words, and what was wrong then or after there was space."""
    home = disk / "home"
    first = town.state(home)
    ballast = fill(disk, left)
    outcome, said = apart(lambda: _second_day(folder, home))
    faults = []
    if outcome == "trace" or (outcome == "told" and "\n" in said.strip()):
        faults.append(f"not told in a line: {said}")
    ballast.unlink()
    if outcome != "done":
        # What was published before a full disk came in the way is served; a whole later one, too.
        if not verify(home)["ok"] or Store(home).current().id != Store(home).current_id():
            faults.append("torn")
        if town.state(home)["tables"] not in (first["tables"], expected["tables"]):
            # Where only some files fitted, the snapshot counts those: whole, and told above.
            rows = town.state(home)["rows"]
            if rows["read"] >= expected["rows"]["read"]:
                faults.append("other figures")
    outcome_2, found = apart(lambda: _second_day(folder, home))
    if outcome_2 != "done" or found["rows"]["read"] != expected["rows"]["read"]:
        faults.append(f"rerun: {outcome_2} {found if outcome_2 != 'done' else ''}")
    elif sorted(row[0] for row in found["incidents"]) != sorted(
        row[0] for row in expected["incidents"]
    ):
        faults.append("lost or doubled")
    return outcome, said if outcome != "done" else "", faults


def run(rounds, *, seed=1, tell=lambda _line: None):
    rng, outcomes = random.Random(seed), []
    with tempfile.TemporaryDirectory(prefix="disk-") as base:
        start = Path(base) / "start"
        town.make_city(start / "city")
        apart(lambda: town.live(start / "city", start / "home", days=1))
        shutil.copytree(start, Path(base) / "whole")
        whole = Path(base) / "whole"
        before = _size(whole)
        done, expected = apart(lambda: _second_day(whole / "city", whole / "home"))
        assert done == "done", expected
        needed = _size(whole) - before
        for number in range(rounds):
            left = int(needed * (number + rng.random()) / rounds) // PAGE * PAGE
            with small_disk(Path(base) / f"disk-{number}") as disk:
                shutil.copytree(start / "home", disk / "home")
                shutil.copytree(start / "city", Path(base) / f"city-{number}")
                outcome, said, faults = one(Path(base) / f"city-{number}", disk, left, expected)
                tell(f"{left:>9,} bytes left: {outcome} {said[:150]} {faults or ''}")
                outcomes.append((outcome, faults))
    return outcomes


def _size(folder):
    return sum(-(-p.stat().st_size // PAGE) * PAGE for p in folder.rglob("*") if p.is_file())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    outcomes = run(chosen.rounds, tell=print)
    failed = sum(outcome != "done" for outcome, _ in outcomes)
    faults = [fault for _, faults in outcomes for fault in faults]
    print(f"{len(outcomes)} full disks: {failed} builds failed, {len(faults)} faults {faults}")


if __name__ == "__main__":
    main()
