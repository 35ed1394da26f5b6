"""
Nothing is lost or counted twice: any sequence of files, pushes, builds and faults against a model.

`LONG_RUN=1 pytest tests/faults/test_account.py` takes in about 1,000 generated batches.
"""

import atexit
import collections
import contextlib
import datetime as dt
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pyarrow.parquet as pq
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from data.intake import Intake
from data.store import NoSnapshotError, Store
from etl.pipeline import BuildError, Options, build
from etl.verify import verify
from tests.faults import town
from tests.faults.strikes import Counter, StruckError, interrupt, watched

LONG = bool(os.environ.get("LONG_RUN"))
POINTS = {"W1": "103.05,36.05", "W2": "103.05,36.15", "E1": "103.15,36.05"}
NUMBERS = st.integers(1, 12)
BAD = {
    "unknown_category": "b{n},2026-01-05 10:00,ZZ,1,,103.05,36.05,",
    "bad_time": "b{n},2026-13-05 10:00,A1,1,,103.05,36.05,",
    "outside_city": "b{n},2026-01-05 10:00,A1,1,,113.05,36.05,",
    "person_data": "b{n},2026-01-05 10:00,A1,1,,103.05,36.05,13912345678",
    "future_time": "b{n},2099-01-05 10:00,A1,1,,103.05,36.05,",
    "malformed_row": "b{n},2026-01-05",
}
REFUSED = "b{n},2026-01-05 10:00,信访,1,,103.05,36.05,"


@st.composite
def rows(draw, source):
    """Rows of one file: what the model must know of each, and its line."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        number = draw(NUMBERS)
        kind = draw(st.sampled_from(["good"] * 6 + ["bad", "refused", "repeated"]))
        if kind == "repeated" and found:
            found.append(draw(st.sampled_from(found)))
            continue
        if kind == "refused":
            found.append(("refused", None, None, REFUSED.format(n=number)))
        elif kind == "bad":
            line = BAD[draw(st.sampled_from(sorted(BAD)))].format(n=number)
            found.append(("quarantined", None, None, line))
        else:
            changed = draw(st.integers(0, 59))
            # A change time tells one content only: ties are another test's matter.
            told = number * changed if source == "works" else draw(st.integers(0, 99))
            day, area = f"2026-0{1 + told % 2}-{1 + told % 25:02d}", sorted(POINTS)[told % 3]
            line = f"{number},{day} 10:00,{'AB'[told % 2]},{1 + told % 4},,{POINTS[area]},"
            said = (day, "AB"[told % 2], 1 + told % 4, area)
            found.append(("good", (f"{source}:{number}", changed), said, line))
    if source == "works":
        tails = [f",2026-02-20 10:{row[1][1] if row[1] else 0:02d}" for row in found]
        short = BAD["malformed_row"].partition(",")[2]
        found = [
            (*row[:3], row[3] if row[3].endswith(short) else row[3] + tail)
            for row, tail in zip(found, tails, strict=True)
        ]
    return found


class City(RuleBasedStateMachine):
    """Files, pushes, builds that end or not, and what must be published after each."""

    landed = 0
    """Files and pushes of all examples."""

    @initialize()
    def start(self):
        self.base = Path(tempfile.mkdtemp(prefix="account-"))
        self.folder, self.home = town.make_city(self.base / "city"), self.base / "home"
        self.now = town.MONDAY
        self.contents = {}
        self.waiting = {}
        self.pushed = set()
        self.published = []

    def teardown(self):
        shutil.rmtree(self.base, ignore_errors=True)

    @rule(source=st.sampled_from(["calls", "works"]), number=st.integers(1, 4), data=st.data())
    def file(self, source, number, data):
        """A new file, or a corrected one under the same name."""
        self._write(source, f"{source}-{number}.csv", data.draw(rows(source)))

    @precondition(lambda self: self.waiting)
    @rule(number=st.integers(5, 6), data=st.data())
    def same_file_again(self, number, data):
        name = data.draw(st.sampled_from(sorted(self.waiting)))
        source = name[:5]
        self._write(source, f"{source}-{number}.csv", self.contents[self.waiting[name]])

    @rule(found=rows("calls"), repeat=st.booleans())
    def push(self, found, repeat):
        found = [row for row in found if row[3].count(",") == 7] or [
            ("refused", None, None, REFUSED.format(n=0))
        ]
        names = town.HEADINGS["calls"].split(",")
        objects = [
            {name: text or None for name, text in zip(names, row[3].split(","), strict=True)}
            for row in found
        ]
        key = f"key-{len(self.pushed)}"
        City.landed += 1
        for _ in range(1 + repeat):
            self._tick()
            batch, is_new = town.push(self.folder, self.home, key, objects, self.now)
            again = (batch.source, batch.content) in self.pushed
            assert is_new != again
            self.pushed.add((batch.source, batch.content))
            self.contents.setdefault((batch.source, batch.content), found)

    @rule(force=st.booleans())
    def build(self, force):
        self._tick()
        self._build(Options(force=force))

    @rule(step=st.integers(1, 250))
    def build_that_is_cut_off(self, step):
        """An exception at any step; what is published is the old or the new state, whole."""
        self._tick()
        before = self._current()
        try:
            with watched(Counter(step, interrupt)):
                build(self.folder, home=self.home, now=self.now)
        except (StruckError, BuildError):
            pass
        after = self._current()
        if after != before:
            self._check(Store(self.home).manifest(after).raw)
        self._build(Options())

    @precondition(lambda self: self.published)
    @rule(data=st.data())
    def as_of(self, data):
        moment, tables = data.draw(st.sampled_from(self.published))
        self._tick()
        again = build(self.folder, home=self.home, now=self.now, options=Options(as_of=moment))
        assert town.tables(again.manifest) == tables

    def _write(self, source, name, found):
        town.write_file(self.folder, name, [row[3] for row in found])
        City.landed += 1
        content = (source, hashlib.sha256((self.folder / name).read_bytes()).hexdigest())
        self.contents[content] = found
        self.waiting[name] = content

    def _tick(self):
        self.now += dt.timedelta(hours=1)

    def _current(self):
        with contextlib.suppress(NoSnapshotError):
            return Store(self.home).current_id()
        return None

    def _build(self, options):
        try:
            manifest = build(self.folder, home=self.home, now=self.now, options=options).manifest
        except BuildError:
            assert not any(
                row[0] == "good"
                for batch in Intake(self.home).batches()
                for row in self.contents[batch.source, batch.content]
            )
            return
        self._check(manifest)
        self.published.append((self.now, town.tables(manifest)))

    def _check(self, manifest):
        batches = Intake(self.home).batches(upto=manifest["batch"])
        landed = [(batch.source, batch.content) for batch in batches]
        assert len(landed) == len(set(landed))
        # Everything acknowledged or waiting is in; nothing else is.
        files = {one for one in landed if one not in self.pushed}
        assert files >= set(self.waiting.values()) - self.pushed
        accounts, current = self._expected(batches)
        found = {
            (row.source, row.file): tuple(int(getattr(row, name)) for name in NAMES)
            for row in self._accounts(manifest).itertuples()
        }
        assert found == accounts
        total = [sum(column) for column in zip(*accounts.values(), strict=True)]
        rows_said = [manifest["rows"][name] for name in NAMES]
        assert rows_said == total
        assert rows_said[0] == sum(rows_said[1:])
        incidents = {
            row[0]: (row[5], row[2], row[4], row[6]) for row in town.incidents(self.home, manifest)
        }
        assert incidents == current
        assert manifest["rows"]["incidents"] == len(current)
        report = verify(self.home, manifest["snapshot"])
        assert report["ok"], report

    def _accounts(self, manifest):
        path = next(one["path"] for one in manifest["files"] if one["table"] == "accounts")
        return pq.ParquetFile(self.home / path).read().to_pandas()

    def _expected(self, batches):
        """Account of each file and the current incidents, from the order of arrival alone."""
        accounts = collections.defaultdict(lambda: [0] * len(NAMES))
        last, known, current = {}, set(), {}
        for batch in batches:
            account = accounts[batch.source, batch.name]
            for outcome, identity, said, _ in self.contents[batch.source, batch.content]:
                account[0] += 1
                if outcome != "good":
                    account[NAMES.index(outcome)] += 1
                    continue
                name, changed = identity
                if batch.source == "works":
                    twice = identity in known
                    known.add(identity)
                    newest = changed >= last.get(name, -1)
                    last[name] = max(changed, last.get(name, -1))
                else:
                    twice, newest = last.get(name) == said, True
                    last[name] = said
                account[NAMES.index("duplicate" if twice else "accepted")] += 1
                if newest:
                    current[name] = said
        return {key: tuple(values) for key, values in accounts.items()}, current


NAMES = ("read", "accepted", "quarantined", "duplicate", "refused")
TestCity = City.TestCase
TestCity.settings = settings(
    max_examples=120 if LONG else 5,
    stateful_step_count=14 if LONG else 8,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
)
if LONG:
    atexit.register(lambda: print(f"{City.landed} generated files and pushes"))
