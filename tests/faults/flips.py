"""
Flipped bits and cut-off files: every kind of stored file, and whether anything is shown or kept of it.

    python -m tests.faults.flips --rounds 1000

Detected: refused in words, for a published file also by `verify`. Same: the next build gives the
same figures, because it makes the file anew or the bit says nothing (free space of a database).
Silent: other figures without a word. Trace: an error that is not worded.
"""

import argparse
import collections
import datetime as dt
import logging
import random
import shutil
import tempfile
from pathlib import Path

from data.manifest import SnapshotError
from data.store import Store
from etl.pipeline import Options, build
from etl.verify import verify
from tests.faults import town
from tests.faults.strikes import apart

PUBLISHED = {
    "manifest": "manifests/*.json",
    "pointer": "CURRENT",
    "tables": "snapshots/*/*.parquet",
    "parts of tables": "snapshots/*/*/*.parquet",
    "tiles": "tiles/*/*.mbtiles",
}
KEPT = {
    "landed rows": "landed/*/*/*.parquet",
    "incidents": "incidents/month=*/*.parquet",
    "superseded": "epochs/*/*/superseded/*.parquet",
    "registers": "epochs/*/*/registers/*.parquet",
    "quarantine": "epochs/*/*/quarantine/*.parquet",
    "ledger.db": "epochs/*/*/ledger.db",
    "intake.db": "intake.db",
    "files.db": "files.db",
    "boundaries": "boundaries/*/*",
    "known boundaries": "boundaries/inputs/*",
    "epoch": "epochs/*/epoch.pickle",
    "activations": "epochs/activations.jsonl",
    "delta log": "incidents/_delta_log/*.json",
    "noted tiles": "tiles/*/*.sha256",
}
AGAIN = dt.timedelta(days=1, hours=1)


def spoil(path, rng):
    """Flip one bit of a file, or cut it off."""
    content = bytearray(path.read_bytes())
    if rng.random() < 0.25:
        del content[rng.randrange(len(content)) :]
    else:
        bit = rng.randrange(len(content) * 8)
        content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


class Sound:
    """A home after three days, and what further builds of it must give."""

    def __init__(self, base) -> None:
        self.folder, self.home = town.make_city(base / "city"), base / "home"

        def live():
            town.live(self.folder, self.home)
            return town.state(self.home)

        outcome, self.state = apart(live)
        assert outcome == "done", self.state
        self.expected = {}
        for name, work in ACTIONS.items():
            shutil.copytree(base, base.with_name("copy"))
            outcome, found = apart(lambda work=work: work(base.with_name("copy")))
            assert outcome == "done", (name, found)
            self.expected[name] = found
            shutil.rmtree(base.with_name("copy"))


def _next_day(base):
    """One more file."""
    town.write_day(base / "city", 3)
    now = town.MONDAY + dt.timedelta(days=3)
    build(base / "city", home=base / "home", now=now)
    assert verify(base / "home")["ok"]
    return town.state(base / "home")


def _anew(base):
    """Everything from the landed rows."""
    town.rebuild(base / "city", base / "home", force=True)
    return town.state(base / "home")


def _earlier(base):
    """What was known a day before."""
    manifest = build(
        base / "city", home=base / "home", options=Options(as_of=town.MONDAY + AGAIN)
    ).manifest
    return town.tables(manifest), manifest["rows"]


ACTIONS = {"next day": _next_day, "anew": _anew, "earlier": _earlier}


def shown(base, sound, kind):
    """What a reader and `verify` make of a published file that was spoiled."""
    home = base / "home"
    published = (sound.home / "CURRENT").read_text().strip()
    store = Store(home)
    try:
        served = store.current()
    except SnapshotError:
        pass
    else:
        named = [*served.manifest.raw["files"], *served.manifest.raw["tiles"]]
        # A pointer may lose the line end that nobody reads.
        whole = (home / "CURRENT").read_text(errors="replace").strip() == published
        if kind == "pointer" and whole and verify(home)["ok"]:
            return None
        if served.id == published and store.alarm is None:
            return f"served; names {len(named)} files"
    try:
        report = verify(home)
    except SnapshotError:
        return None
    return "verified" if report["ok"] else None


def round_of(base, sound, kind, pattern, rng, *, with_build):
    """What happened to one spoiled file: `detected`, `same`, `SILENT` or `TRACE`, and how."""
    shutil.copytree(sound.home.parent, base)
    # A file that nothing names any more may say what it likes.
    files = sorted(path for path in (base / "home").glob(pattern) if _is_named(path, base / "home"))
    path = rng.choice(files)
    spoil(path, rng)
    if kind in PUBLISHED:
        outcome, said = apart(lambda: shown(base, sound, kind))
        if outcome != "done" or said is not None:
            return ("TRACE" if outcome == "trace" else "SILENT"), f"{path.name}: {said}"
        if not with_build:
            return "detected", ""
    name = {"epoch": "earlier", "activations": "earlier", "landed rows": "anew"}.get(
        kind, rng.choice(["next day", "earlier"] if kind in KEPT else ["next day"])
    )
    outcome, said = apart(lambda: ACTIONS[name](base))
    if outcome == "done":
        same = said == sound.expected[name]
        return ("same" if kind in KEPT else "detected") if same else "SILENT", f"{name} {path}"
    return ("detected" if outcome == "told" else "TRACE"), f"{name} {path.name}: {said}"


def _is_named(path, home):
    if "snapshots" in path.parts:
        store = Store(home)
        raw = store.manifest(store.current_id()).raw
        return path.relative_to(home).as_posix() in {entry["path"] for entry in raw["files"]}
    if "manifests" in path.parts:
        return path.stem == Store(home).current_id()
    return True


def run(rounds, *, seed=1, build_every=10, tell=lambda _line: None):
    """Outcomes by kind of file."""
    rng = random.Random(seed)
    kinds = [*PUBLISHED.items(), *KEPT.items()]
    found = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory(prefix="flips-") as folder:
        sound = Sound(Path(folder) / "sound")
        for number in range(rounds):
            # Two of three rounds spoil what is published.
            published = rng.random() < 2 / 3 and rounds > 3 * len(kinds)
            kind, pattern = (
                rng.choice(list(PUBLISHED.items())) if published else kinds[number % len(kinds)]
            )
            base = Path(folder) / f"round-{number}"
            outcome, said = round_of(
                base, sound, kind, pattern, rng, with_build=number % build_every == 0
            )
            found[kind][outcome] += 1
            if outcome in ("SILENT", "TRACE"):
                tell(f"{outcome} {kind}: {said}")
            shutil.rmtree(base)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = run(chosen.rounds, seed=chosen.seed, tell=print)
    outcomes = ("detected", "same", "SILENT", "TRACE")
    print(f"| file | {' | '.join(outcomes)} |\n|---|{'---:|' * len(outcomes)}")
    for kind, counts in found.items():
        print(f"| {kind} | {' | '.join(str(counts[name]) for name in outcomes)} |")
    total = sum(found.values(), collections.Counter())
    print(f"| all | {' | '.join(str(total[name]) for name in outcomes)} |")


if __name__ == "__main__":
    main()
