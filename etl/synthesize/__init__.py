"""Seeded synthetic city, shared by demonstration, documentation and tests; all of it invented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

import numpy as np

from etl.synthesize.account import Account
from etl.synthesize.borders import polygons, wind
from etl.synthesize.dirt import add_dirt
from etl.synthesize.formats import write_ledger
from etl.synthesize.incidents import draw_source, join, stream_counts
from etl.synthesize.ledgers import (
    FAR,
    Located,
    demo_leaves,
    demo_sources,
    make_ledger,
    seconds_of,
    stamp,
)
from etl.synthesize.mesh import make_mesh, smooth
from etl.synthesize.partition import Divisions, border_ranks, divide
from etl.synthesize.places import Places, make_places
from etl.synthesize.plan import FIRST_DAY, LAST_DAY, PLANS, Ints, Plan, Size
from etl.synthesize.population import AreaTables, make_areas
from etl.synthesize.registers import write_registers
from etl.synthesize.samples import Sampler, Told, told_twice
from etl.synthesize.static import copy_static
from etl.synthesize.surges import Surge, draw_surge, plan_surges
from etl.synthesize.terrain import make_terrain
from etl.synthesize.truth import Truth, read_truth

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Size", "Truth", "read_truth", "synthesize"]

Progress = Callable[[str, float], None]
_GRID_FRAME = "EPSG:4490"  # the same numbers as EPSG:4326; exercises the reader


def synthesize(folder: Path, *, size: Size, seed: int, progress: Progress | None = None) -> Truth:
    """
    Make the demonstration city: areas, two years of source files, and the truth about them.

    The same size and seed give byte-identical files. Beside the five large ledgers there is a small
    one of each further kind that the product reads, with the same number of rows in every size.

    Parameters
    ----------
    folder
        Where to write `areas/<level>.parquet`, the files of the demo city's sources,
        and `truth.json`; made if missing.
    size
        `small` (4,700 grids, 300,000 incidents), `large` (22,000 grids, 3 million incidents) or
        `tiny` (60 grids, 5,000 incidents; for tests).
    seed
        Any whole number.
    progress
        Called with a short text and the share done, 0 to 1.

    Returns
    -------
    truth
        What was made; the content of `truth.json`.
    """
    tell = progress or _untold
    plan = PLANS[size]
    # One stream of chance per part, so that a change in one leaves the others as they are.
    ground, shape, people, spots, events, files, small, registers = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(8)
    )
    (folder / "areas").mkdir(parents=True, exist_ok=True)
    tell("ground", 0.0)
    terrain = make_terrain(plan, ground)
    mesh = make_mesh(terrain, plan, ground)
    tell("areas", 0.1)
    divisions = divide(mesh, terrain, plan, shape)
    mesh = smooth(mesh, border_ranks(mesh, divisions))
    lines = wind(mesh, shape)
    areas = make_areas(mesh, lines, divisions, plan, people)
    write_areas(folder, areas)
    tell("places", 0.2)
    shapes = {
        "before": polygons(mesh, lines, divisions.labels["grid"]),
        "after": polygons(mesh, lines, divisions.recut),
    }
    places = make_places(mesh, divisions, shapes, plan, spots)
    located = _located(divisions, areas, places)
    surges = plan_surges(plan, divisions, areas.codes, places, events)
    community = divisions.parents["grid"][: int(divisions.labels["grid"].max()) + 1]
    maker = _Maker(
        plan,
        places,
        community=community,
        located=located,
        surges=surges,
        events=events,
        files=files,
        small=small,
    )
    found = Account()
    configs = demo_sources()
    for number, config in enumerate(configs.values()):
        tell(config["name"], 0.3 + 0.65 * number / len(configs))
        maker.write_source(folder, config, prefix=f"X{number}-", found=found)
    tell("samples", 0.95)
    maker.write_samples(folder, found)
    write_registers(folder, places, located, registers)
    planted = [surge.as_dict() for surge, _ in surges]
    truth = _truth(seed, size, plan, areas=areas, found=found, surges=planted)
    truth.write(folder / "truth.json")
    tell("done", 1.0)
    return truth


class _Maker:
    """Makes one source after another, so that only one is held in memory."""

    def __init__(
        self,
        plan: Plan,
        places: Places,
        *,
        community: Ints,
        located: Located,
        surges: list[tuple[Surge, Ints]],
        events: np.random.Generator,
        files: np.random.Generator,
        small: np.random.Generator,
    ) -> None:
        planted: Counter[str] = Counter()
        for surge, _ in surges:
            planted[surge.source] += surge.extra
        self.counts = stream_counts(plan, planted)
        self.places, self.community, self.located = places, community, located
        self.surges, self.events, self.files, self.small = surges, events, files, small
        self.leaves = demo_leaves()
        self.told: Told | None = None

    def write_source(
        self, folder: Path, config: dict[str, Any], *, prefix: str, found: Account
    ) -> None:
        """Draw, write down, soil, write and account for one source."""
        name, file = config["name"], config["files"][0]
        parts = [
            draw_source(
                name,
                self.counts[name],
                places=self.places,
                community=self.community,
                leaves=self.leaves,
                rng=self.events,
            )
        ]
        parts += [
            draw_surge(surge, grids, self.places, self.leaves, self.events)
            for surge, grids in self.surges
            if surge.source == name
        ]
        ledger = make_ledger(join(parts), self.located, config, self.files)
        rows, reasons = add_dirt(
            ledger.rows,
            columns=config["columns"],
            prefix=prefix,
            stamp=partial(stamp, config=config),
            typed=config["format"] == "parquet",
            rng=self.files,
        )
        write_ledger(rows, folder / file, config)
        found.add_file(name, file, ledger.placed, reasons)
        found.count(ledger, self.located, self.leaves)
        self.told = told_twice(ledger, config, self.small) or self.told

    def write_samples(self, folder: Path, found: Account) -> None:
        """Write and account for the small ledgers."""
        assert self.told is not None
        sampler = Sampler(
            folder,
            package_files("data").joinpath("cities/demo"),
            places=self.places,
            community=self.community,
            located=self.located,
            leaves=self.leaves,
            rng=self.small,
        )
        sampler.write(self.told, found)
        copy_static(folder, found)


def _untold(text: str, share: float) -> None:
    """Tell nobody."""


def write_areas(folder: Path, areas: AreaTables) -> None:
    """Write one GeoParquet file per level; the grids in EPSG:4490, the others in EPSG:4326."""
    for level, table in areas.tables.items():
        rows = table.set_crs(_GRID_FRAME, allow_override=True) if level == "grid" else table
        rows.to_parquet(folder / "areas" / f"{level}.parquet", compression="zstd", index=False)


def _located(divisions: Divisions, areas: AreaTables, places: Places) -> Located:
    """Area codes of each address, before and after the re-cut."""
    codes = {
        level: np.array(areas.codes[level], dtype=object)[divisions.labels[level][places.piece]]
        for level in ("county", "township", "community", "grid")
    }
    cut = {old: seconds_of(r["date"]) for r in areas.recuts for old in r["old"]}
    at = np.array([cut.get(code, FAR) for code in areas.codes["grid"]], dtype=np.int64)
    fresh = np.array(areas.codes["grid"], dtype=object)[divisions.recut[places.piece]]
    return Located(places.lng, places.lat, codes, fresh, at[places.grid])


def _truth(
    seed: int,
    size: Size,
    plan: Plan,
    *,
    areas: AreaTables,
    found: Account,
    surges: list[dict[str, object]],
) -> Truth:
    """Put the accounts together."""
    grids = areas.tables["grid"]
    by_county: dict[str, dict[str, int]] = {}
    for (county, leaf), number in sorted(found.counts.items()):
        by_county.setdefault(county, {})[leaf] = number
    return Truth(
        seed=seed,
        size=size,
        first_week=FIRST_DAY.isoformat(),
        last_week=np.datetime_as_string(np.datetime64(LAST_DAY) - 6).item(),
        exported_at=f"{np.datetime64(LAST_DAY) + 1}T06:00:00",
        areas={level: len(table) for level, table in areas.tables.items()}
        | {"grid": plan.grids, "grid_rows": len(grids)},
        population=plan.population,
        without_population=grids.loc[grids["population"].isna(), "code"].tolist(),
        files=found.files,
        rows=found.rows,
        dirty=found.dirty,
        expected=found.expected,
        superseded=found.superseded,
        located=found.located,
        same_events=found.same_events,
        surges=surges,
        recuts=areas.recuts,
        counts=by_county,
        unplaced=dict(sorted(found.unplaced.items())),
    )
