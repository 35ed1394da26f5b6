"""Each check of a stored analysis finds what was changed in the files."""

import shutil
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.store import Snapshot, Store
from etl.analyse.verify import CHECKS, AnalysisFault, columns, is_analysed
from etl.verify import verify


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory):
    return shutil.copytree(demo_home, tmp_path_factory.mktemp("verified") / "home")


@pytest.fixture
def stored(home):
    """The published analysis: `change` alters a table's newest file, past its hash; put back after."""
    manifest = Store(home).manifest(Store(home).current_id())
    kept = {}

    def change(table, alter):
        parts = [one for one in manifest.raw["files"] if one["table"] == table and one["rows"]]
        path = home / parts[-1]["path"]
        kept[path] = path.read_bytes()
        schema = pq.read_schema(path)
        rows = pq.read_table(path).to_pandas()
        changed = alter(rows)
        schema = schema if list(changed.columns) == schema.names else None
        pq.write_table(pa.Table.from_pandas(changed, schema=schema, preserve_index=False), path)

    def check(name):
        return CHECKS[f"analysis: {name}"](Snapshot(home, manifest))

    yield SimpleNamespace(home=home, change=change, check=check, manifest=manifest)
    for path, content in kept.items():
        path.write_bytes(content)


def plus(column, by, **where):
    """Add to the first row that is so."""

    def alter(rows):
        chosen = np.logical_and.reduce([rows[name] == value for name, value in where.items()])
        row = rows.index[chosen & rows[column].notna()][0]
        rows.loc[row, column] += by
        return rows

    return alter


def at(column, value, **where):
    def alter(rows):
        chosen = np.logical_and.reduce([rows[name] == value for name, value in where.items()])
        rows.loc[rows.index[chosen][0], column] = value
        return rows

    return alter


def test_a_built_city_keeps_all_of_them(home):
    report = verify(home)
    told = {one["name"]: one for one in report["checks"]}
    assert report["ok"], told
    assert told.keys() >= CHECKS.keys()
    assert "areas recomputed" in told["analysis: index"]["detail"]
    assert "newer" not in told["analysis: observed counts"]["detail"]


@pytest.mark.parametrize(
    ("name", "table", "alter", "told"),
    [
        ("tables", "area_rates", lambda rows: rows.iloc[[0, *range(len(rows))]], "1 keys stand twice"),
        ("tables", "area_trust", lambda rows: rows.assign(complete=np.nan), "empty value"),
        ("forecasts", "forecasts", plus("mean", 1e-6, group="all", level="grid"), "community forecasts"),
        ("forecasts", "forecasts", plus("mean", 1e-6, group="police", level="city"), "city forecasts"),
        ("forecasts", "forecasts", plus("unplaced", -1e-6, group="all", level="county"), "county forecasts"),
        ("forecasts", "forecasts", plus("mean", np.nan, group="all", level="township"), "forecasts"),
        ("forecasts", "forecasts", lambda rows: rows[rows["level"] != "city"], "without one"),
        ("observed counts", "expected", plus("observed", 100, group="all", level="township"), "more than their county"),
        ("observed counts", "expected", plus("observed", 100, group="hazards", level="city"), "more than all"),
        ("observed counts", "expected", plus("observed", 1000, group="all", level="city"), "more than was counted"),
        ("index", "area_index", lambda rows: rows.assign(risk=np.nextafter(rows["risk"], 100)), "`risk`"),
        ("index", "area_index", lambda rows: rows.assign(raw_colour=rows["raw_colour"].replace(1, 2)), "`raw_colour`"),
        ("index", "area_index", lambda rows: rows.assign(d1=rows["d1"] + 1), "`d1`"),
        ("index", "area_index", lambda rows: rows.assign(config="0" * 16), "settings of the index"),
        ("index", "index_trace", lambda rows: rows.assign(ratio=rows["ratio"] * 1.5), "`points`"),
        ("index", "index_trace", lambda rows: rows.assign(weight=rows["weight"] / 2), "`weight`"),
        ("index", "index_trace", lambda rows: rows.iloc[:-1], "each once"),
        ("index", "index_trace", lambda rows: rows.assign(indicator=rows["indicator"].replace(28, 27)), "each once"),
        ("ranges", "area_index", at("p", 1.01, level="city"), '"p"'),
        ("ranges", "signals", lambda rows: rows.assign(colour=5), '"colour"'),
        ("ranges", "signals", lambda rows: rows.assign(expires=rows["day"]), "expires"),
        ("ranges", "expected", lambda rows: rows.assign(lower=rows["upper"] + 1), '"lower" > "upper"'),
        ("ranges", "completeness", lambda rows: rows.assign(share=-0.1), '"share"'),
    ],
)  # fmt: skip
def test_a_changed_number_is_found(stored, name, table, alter, told):
    stored.change(table, alter)
    with pytest.raises(AnalysisFault, match=told):
        stored.check(name)


def test_the_settings_are_those_that_the_snapshot_carries(stored, monkeypatch):
    """Other weights than those in force then give another index, and that is found."""
    told = stored.manifest.raw["analysis"]["shown"]["index"]
    weights = [
        one | {"weight": one["weight"] + 0.01 * (-1) ** n}
        for n, one in enumerate(told["dimension"])
    ]
    monkeypatch.setitem(told, "dimension", weights)
    with pytest.raises(AnalysisFault, match="is not what follows"):
        stored.check("index")


def test_counts_that_are_newer_are_not_compared(stored):
    stored.change("expected", plus("observed", 1000, group="all", level="city"))
    stored.manifest.raw["analysis"]["batch"] -= 1
    assert "not compared" in stored.check("observed counts")


def test_a_snapshot_without_an_analysis_is_asked_nothing(home, stored):
    stored.manifest.raw["analysis"] = {"inputs": "0" * 16}
    assert not is_analysed(Snapshot(home, stored.manifest))


@pytest.mark.parametrize(
    "alter",
    [
        lambda rows: rows.drop(columns="size"),
        lambda rows: rows[[*rows.columns[::-1]]].rename(columns={"size": "extent"}),
    ],
)
def test_other_columns_are_found_before_anything_is_opened(stored, alter):
    assert "files of the analysis" in columns(stored.home, stored.manifest)
    stored.change("expected", alter)
    with pytest.raises(AnalysisFault, match="other columns"):
        columns(stored.home, stored.manifest)
