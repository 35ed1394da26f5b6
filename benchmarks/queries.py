"""
Time every panel and map query beside the same bare DuckDB queries.

Run from the root of the project: ``python -m benchmarks.queries --home /path/of/PINGAN_HOME``.
Every round asks with other arguments and finds nothing cached but the areas and categories. The
SQL that was run is run again by itself in the same round, so that a noisy machine disturbs all
alike (what is read from arrays is run as the bare query that it stands for): on a plain connection over the snapshot's Parquet files ("files"), and on the tables that
the product holds in memory ("held"). First come the queries with all their arithmetic, which the
budget of two times a bare query is about; then the whole answers, from the address asked for to
the finished components, with the size of their JSON, raw and by brotli 5 as served.
"""

import argparse
import datetime as dt
import itertools
import json
import os
import resource
import time
from pathlib import Path

import brotli
import duckdb
import numpy as np
from dash._utils import to_json

from dashboard import answers, assessment, assessment_panel, hours, pointed, queries, summary, trend
from dashboard.areas import Area, hierarchy
from dashboard.inputs import MapEvent
from dashboard.map import marks, measures
from dashboard.map import values as map_values
from dashboard.rank_ranges import rank_ranges
from dashboard.text import Words
from dashboard.view import settle
from dashboard.windows import ends
from data import periods
from data.access import Grant, Scope
from data.manifest import Manifest
from data.store import Store

SCOPE = Scope(user="benchmark", grants=frozenset({Grant("leader")}))
BUDGET_MS = 30
BUDGET_RATIO = 2.0
COUNTER = itertools.count()


def bare_connection(snapshot):
    """A plain DuckDB over the same files, as anyone would open it."""
    connection = duckdb.connect(":memory:")
    for table, paths in files_of(snapshot.manifest, snapshot.home).items():
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet({paths})")
    return connection


def files_of(manifest, home):
    """Table to the paths of its files, in stored order."""
    files = {}
    for entry in manifest.raw["files"]:
        files.setdefault(entry["table"], []).append(str(home / entry["path"]))
    return files


class Recorder:
    """Notes the queries that a snapshot runs."""

    def __init__(self, snapshot):
        self.queries = []
        self._run = snapshot.arrays
        snapshot.arrays = self._noting(snapshot.arrays)
        snapshot.rows = self._noting(snapshot.rows)
        snapshot.kept = NotedArrays(snapshot.kept, self._note)

    def _note(self, sql, parameters):
        self.queries.append((sql, parameters))

    def _noting(self, run):
        def noted(sql, parameters=()):
            self._note(sql, list(parameters))
            return run(sql, parameters)

        return noted

    def again(self):
        for sql, parameters in self.queries:
            self._run(sql, parameters)


class NotedArrays:
    """The arrays that a snapshot keeps; each read is noted as the bare query that it stands for."""

    def __init__(self, kept, note):
        self._kept, self._note = kept, note

    def areas(self, level):
        return NotedCounts(
            self._kept.areas(level), f"area_counts_{level}", "area_index", self._note
        )

    def cells(self, resolution):
        held = self._kept.cells(resolution)
        return NotedCounts(held, f"cell_counts_{resolution}", "cell_index", self._note)

    def hours(self):
        return NotedCounts(self._kept.hours(), "area_hours", "hour", self._note)

    def rows(self, sql):
        return NotedRows(self._kept.rows(sql), sql, self._note)


class NotedCounts:
    def __init__(self, held, table, column, note):
        self._held, self._table, self._column, self._note = held, table, column, note
        self.periods = getattr(held, "periods", None)

    def between(self, first, last, **chosen):
        parts, values = ["period_start BETWEEN ? AND ?"], [first, last]
        for name, part in (
            ("rows", "area_row IN (SELECT unnest(?))"),
            ("categories", "category_index IN (SELECT unnest(?))"),
            ("min_severity", "severity >= ?"),
        ):
            if chosen.get(name):
                parts.append(part)
                value = chosen[name]
                values.append(value if name == "min_severity" else list(value))
        columns = f"{self._column}, sum(count)::BIGINT AS count FROM {self._table}"
        self._note(f"SELECT {columns} WHERE {' AND '.join(parts)} GROUP BY {self._column}", values)
        return self._held.between(first, last, **chosen)

    def of_area(self, index):
        columns = "period_start, category_index, severity, count"
        self._note(f"SELECT {columns} FROM {self._table} WHERE area_index = ?", [index])
        return self._held.of_area(index)


class NotedRows:
    def __init__(self, held, sql, note):
        self._held, self._sql, self._note = held, sql, note
        self.only = held.only

    def of(self, level, index, **options):
        self._note(
            f"SELECT * FROM ({self._sql}) WHERE level = ? AND area_index = ?", [level, index]
        )
        return self._held.of(level, index, **options)


class Rounds:
    """Distinct arguments for each round."""

    def __init__(self, snapshot):
        self.snapshot = snapshot
        self.tree = hierarchy(SCOPE, snapshot)
        grain = snapshot.manifest.grain
        self._labels = [periods.label(end, grain=grain) for end in ends(SCOPE, snapshot)]

    def area(self, level, number):
        areas = self.tree.at(level)
        seen = np.flatnonzero(areas.valid_on(self.snapshot.manifest.last_period))
        return Area(level, int(seen[(number * 37) % len(seen)]))

    def code(self, level, number):
        return self.tree.code(self.area(level, number))

    def end(self, number):
        return self._labels[number % len(self._labels)]

    def view(self, number, more=""):
        return settle(SCOPE, self.snapshot, f"?end={self.end(number)}{more}")


def query_cases(snapshot, rounds):
    """Name and function of a round's number, for each query with its arithmetic."""
    top, *below = rounds.tree.order
    for level in below:
        yield (
            f"values of every {level}",
            lambda i, level=level: measures.measured(
                SCOPE, snapshot, rounds.view(i, f"&level={level}"), "rate", Words("zh")
            ),
        )
    for entry in snapshot.manifest.cells:
        resolution = entry["resolution"]
        yield (
            f"values of cells {resolution}",
            lambda i, resolution=resolution: map_values.cell_values(
                SCOPE, snapshot, rounds.view(i), resolution
            ),
        )
    for level in below:
        yield (
            f"ranking of every {level}",
            lambda i, level=level: summary.ranking(
                SCOPE, snapshot, Area(top, 0), level, rounds.view(i).selection
            ),
        )
    for level in rounds.tree.order:
        for title, function in (("changes", summary.changes), ("trend", trend.trend)):
            yield (
                f"{title} of a {level}",
                lambda i, level=level, function=function: function(
                    SCOPE, snapshot, rounds.area(level, i), rounds.view(i).selection
                ),
            )
        if level != hours.FINEST:
            for window in (4, 52):
                yield (
                    f"hours of a {level}, {window} wk",
                    lambda i, level=level, window=window: hours.week(
                        SCOPE,
                        snapshot,
                        rounds.area(level, i),
                        rounds.view(i, f"&periods={window}").selection,
                    ),
                )
        yield (
            f"categories of a {level}",
            lambda i, level=level: trend.bars(
                SCOPE, snapshot, rounds.area(level, i), rounds.view(i).selection, Words("zh")
            ),
        )


def analysis_cases(snapshot, rounds):
    """What is read of the analysis: an area's assessment, and the map's measures and marks."""
    words = Words("zh")
    if "area_index" not in snapshot.tables():
        return
    for level in rounds.tree.order:
        yield (
            f"assessment of a {level}",
            lambda i, level=level: assessment_panel.draw(
                SCOPE,
                snapshot,
                settle(SCOPE, snapshot, f"?area={rounds.code(level, i)}"),
                "",
                words,
            ),
        )
    for level in rounds.tree.order:
        yield (
            f"rank ranges of every {level}",
            lambda i, level=level: rank_ranges(
                SCOPE, snapshot, level, rounds.view(i).selection.window.end
            ),
        )
    finest = rounds.tree.order[-1]
    for name in measures.MEASURES:
        yield (
            f"{name} of every {finest}",
            lambda _, name=name: measures.measured(
                SCOPE, snapshot, settle(SCOPE, snapshot, f"?level={finest}"), name, words
            ),
        )
    for name in marks.overlays_on_offer(SCOPE, snapshot):
        yield (
            f"marks: {name}",
            lambda _, name=name: marks.marks(
                SCOPE, snapshot, settle(SCOPE, snapshot, ""), name, words
            ),
        )


def answer_cases(snapshot, rounds):
    """Name and function of a round's number, for each whole answer."""
    below = rounds.tree.order[1:]
    for level in below:
        yield (
            f"map of every {level}",
            lambda i, level=level: answers.draw_map(
                SCOPE,
                snapshot,
                search=f"?level={level}&end={rounds.end(i)}",
                fragment="",
                resolution=None,
            ),
        )
    for entry in snapshot.manifest.cells:
        resolution = entry["resolution"]
        yield (
            f"map of cells {resolution}",
            lambda i, resolution=resolution: answers.draw_map(
                SCOPE,
                snapshot,
                search=f"?layer=cells&end={rounds.end(i)}",
                fragment="",
                resolution=resolution,
            ),
        )
    for level in below:
        yield (
            f"panels of the city by {level}",
            lambda i, level=level: answers.draw_panels(
                SCOPE, snapshot, search=f"?level={level}&end={rounds.end(i)}"
            ),
        )
    for level in below:
        for title, function in (("panels", answers.draw_panels), ("charts", answers.draw_charts)):
            yield (
                f"{title} of a {level}",
                lambda i, level=level, function=function: function(
                    SCOPE, snapshot, search=f"?area={rounds.code(level, i)}&end={rounds.end(i)}"
                ),
            )
    yield (
        f"hover over a {below[-1]}",
        lambda i: pointed.explain(
            SCOPE,
            snapshot,
            search=f"?level={below[-1]}&end={rounds.end(i)}",
            event=MapEvent(kind="hover", layer="areas", level=below[-1], index=i),
        ),
    )
    yield "search", lambda i: answers.find_areas(SCOPE, snapshot, search="", text=str(7000 + i))


def elapsed_ms(function, *values):
    start = time.perf_counter()
    result = function(*values)
    return (time.perf_counter() - start) * 1000, result


def forget(snapshot, number):
    """Leave every cached result behind, but for what a snapshot keeps for all areas of a level."""
    snapshot.manifest = Manifest(snapshot.manifest.raw | {"snapshot": f"round {number}"})
    tree = hierarchy(SCOPE, snapshot)
    queries.has_severities(SCOPE, snapshot)
    queries.category_labels(SCOPE, snapshot)
    if assessment.settings(SCOPE, snapshot) is None:
        return
    last = snapshot.manifest.last_period
    as_of = dt.date.fromisoformat(snapshot.manifest.raw["analysis"]["as_of"])
    for level in tree.order:
        assessment.ranked(SCOPE, snapshot, level, last)
        assessment.chances(SCOPE, snapshot, level, as_of)
        assessment.records(SCOPE, snapshot, level)
        assessment.verdicts(SCOPE, snapshot, level)


def measure(function, recorder, bare, snapshot, rounds):
    """Milliseconds by the product, on files and held, per round; and the last result."""
    times, result = [], None
    for number in range(rounds):
        forget(snapshot, next(COUNTER))
        recorder.queries = []
        product_ms, result = elapsed_ms(function, number)
        asked = list(recorder.queries)

        def on_files(asked=asked):
            for sql, parameters in asked:
                bare.cursor().execute(sql, parameters).fetchnumpy()

        held_ms, _ = elapsed_ms(recorder.again)
        files_ms, _ = elapsed_ms(on_files)
        times.append((product_ms, files_ms, held_ms, len(asked)))
    return np.array(times), result


def report(name, times, result, *, ratio_counts, sent):
    """Print a line; give its figures, and whether they are over the budget."""
    product, files, held, asked = np.median(times, axis=0)
    p95 = float(np.percentile(times[:, 0], 95))
    ratios = [f"{product / peer:.2f}" if asked else "-" for peer in (files, held)]
    line = (
        f"{name:<30}{product:>8.1f}{p95:>8.1f}{asked:>8.0f}{files:>8.1f}{held:>8.1f}"
        f"{ratios[0]:>8}{ratios[1]:>7}"
    )
    if sent:
        content = to_json(result).encode()
        packed = brotli.compress(content, quality=5)
        line += f"{len(content) / 1000:>8.1f}{len(packed) / 1000:>7.1f}"
    print(line, flush=True)
    ratio = float(product / files) if ratio_counts and asked else None
    return {
        "name": name,
        "p95_ms": p95,
        "ratio": ratio,
        "late": p95 > BUDGET_MS or (ratio or 0) > BUDGET_RATIO,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--home", type=Path, default=os.environ.get("PINGAN_HOME"))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", choices=("query", "analysis", "answer"), default="")
    parser.add_argument("--json", type=Path, help="write the figures of each line to this file")
    options = parser.parse_args()
    if options.home is None:
        raise SystemExit("name the folder of a built snapshot: --home or PINGAN_HOME")
    opening, snapshot = elapsed_ms(Store(Path(options.home)).current)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"snapshot {snapshot.id} opened in {opening / 1000:.1f} s; process then {held:,.0f} MB")
    bare = bare_connection(snapshot)
    recorder = Recorder(snapshot)
    rounds = Rounds(snapshot)
    told = []
    kinds = {"query": query_cases, "analysis": analysis_cases, "answer": answer_cases}
    for title, cases in kinds.items():
        if options.only not in ("", title):
            continue
        print(
            f"\n{title:<30}{'p50 ms':>8}{'p95 ms':>8}{'queries':>8}{'files':>8}{'held':>8}"
            f"{'/files':>8}{'/held':>7}" + (f"{'raw kB':>8}{'br kB':>7}" * (title == "answer"))
        )
        for name, function in cases(snapshot, rounds):
            times, result = measure(function, recorder, bare, snapshot, options.rounds)
            sent, ratio_counts = title == "answer", title == "query"
            told.append(report(name, times, result, ratio_counts=ratio_counts, sent=sent))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory of this process, bare connection included: {used:,.0f} MB")
    late = [case["name"] for case in told if case["late"]]
    print(f"over budget ({BUDGET_MS} ms at p95; queries {BUDGET_RATIO:g}x files): {late or 'none'}")
    if options.json:
        options.json.write_text(json.dumps(told))


if __name__ == "__main__":
    main()
