"""The two real cities, built from the published files: row accounts, sums, agreement, counts."""

import pandas as pd
import pytest

from data.store import Store
from etl.verify import verify

pytestmark = [
    pytest.mark.early,
    pytest.mark.parametrize(
        "city",
        [
            pytest.param("merseyside", marks=pytest.mark.xdist_group("merseyside")),
            pytest.param("chicago", marks=pytest.mark.xdist_group("chicago")),
        ],
    ),
]

# README of the data: code column against point in polygon. The last digit of a share within a
# metre hangs on how a metre is measured.
PUBLISHED = {
    "merseyside": {
        "community": (167_677, 0.95790, 0.97451),
        "township": (167_677, 0.98127, 0.98859),
        "county": (167_677, 0.99965, 0.99982),
    },
    "chicago": {
        "community": (1_019_595, 0.91570, 0.99890),
        "county": (1_019_594, 0.98283, 0.99990),
    },
}


def counts_by_area(snapshot, level, *, length):
    """Incidents per area and year (4 characters) or month (7) of the period's first day."""
    areas = snapshot.areas[snapshot.areas["level"] == level]
    counts = snapshot.read(f"area_counts_{level}")
    names = [*areas["code"], "not placed"]
    code = pd.Series(names).to_numpy()[counts["area_index"].to_numpy()]
    span = counts["period_start"].astype("str").str.slice(0, length)
    sums = counts.groupby([code, span.to_numpy()])["count"].sum()
    return {name: sums[name].to_dict() for name in sorted(set(code))}


def top_cells(snapshot, resolution, number):
    counts = snapshot.read(f"cell_counts_{resolution}").groupby("cell_index")["count"].sum()
    cells = snapshot.read(f"cells_{resolution}")["cell"]
    known = counts[counts.index >= 0]
    named = pd.DataFrame({"cell": cells.loc[known.index].to_numpy(), "count": known.to_numpy()})
    ranked = named.sort_values(["count", "cell"], ascending=[False, True]).head(number)
    return dict(zip(ranked["cell"], ranked["count"].tolist(), strict=True))


def by_category(snapshot):
    counts = snapshot.read("area_counts_city").groupby("category_index")["count"].sum()
    codes = snapshot.categories["code"]
    return {codes[index]: int(count) for index, count in counts.items()}


def test_the_figures_are_the_golden_ones(city, real_city, golden):
    snapshot = Store(real_city(city)).current()
    raw = snapshot.manifest.raw
    golden(
        city,
        {
            "rows": raw["rows"],
            "sources": raw["sources"],
            "periods": raw["periods"],
            "levels": {entry["level"]: entry["count"] for entry in raw["levels"]},
            "cells": {str(entry["resolution"]): entry["count"] for entry in raw["cells"]},
            "published_agreement": [
                entry | {name: round(entry[name], 4) for name in ("same", "within_1m")}
                for entry in raw["published_agreement"]
            ],
            "categories": by_category(snapshot),
            "counties": counts_by_area(snapshot, "county", length=7 if city == "merseyside" else 4),
            "top_cells": {
                str(resolution): top_cells(snapshot, resolution, 10) for resolution in (7, 9)
            },
        },
    )


def test_the_snapshot_verifies(city, real_city):
    report = verify(real_city(city))
    assert [check for check in report["checks"] if not check["ok"]] == []


def test_placing_agrees_with_published_codes_as_the_data_says(city, real_city):
    found = {
        entry["level"]: entry
        for entry in Store(real_city(city)).current().manifest.raw["published_agreement"]
    }
    for level, (rows, same, within_1m) in PUBLISHED[city].items():
        assert found[level]["rows"] == rows
        assert found[level]["same"] == pytest.approx(same, abs=5e-5)
        assert found[level]["within_1m"] == pytest.approx(within_1m, abs=5e-5)


def test_no_area_that_has_incidents_lacks_a_band(city, real_city):
    risk = Store(real_city(city)).current().read("area_risk")
    assert len(risk)
    assert (risk["band"] > 0).all()
    assert risk["shrunk_rate"].notna().all()
