"""Tables that only the pages beside the map read, for the city of squares."""

import numpy as np
import pandas as pd

from data.periods import shift, span
from geo import cells as hexagons

SCORED = 3
"""Periods of the scorecard."""

METHODS = ("ours", "last_period", "kde4", "history")
MOST = 2**31 - 1
"""Largest count that is stored."""

MEMBERS = ("0 1 2", "84 85", "85 170")
"""Clusters: of one township, of another one, and one across two counties (grids)."""


def page_tables(writer, areas, counts, last):
    """Clusters, repeats, checks of resolutions and scorecards; `add_analysis` writes them."""
    writer.add_table("scan_clusters", _clusters(areas, last))
    writer.add_table("frequent_places", _places(areas, counts["grid"], last))
    writer.add_table("frequent_types", _types(areas, counts, last))
    writer.add_table("near_repeats", _repeats(last))
    writer.add_table("hotspot_agreement", _agreement(last))
    writer.add_table("scorecards", _scores(counts, last))


def _clusters(areas, last):
    grids = areas[areas["level"] == "grid"].set_index("area_index")
    middle = [int(members.split()[0]) for members in MEMBERS]
    return pd.DataFrame(
        {"period_end": last, "rank": range(1, len(MEMBERS) + 1),
         "lng": grids["lng"].reindex(middle).to_numpy(),
         "lat": grids["lat"].reindex(middle).to_numpy(), "radius_km": 1.25,
         "n_areas": [len(members.split()) for members in MEMBERS], "periods": 2,
         "observed": [41, 42, 43], "expected": [10.5, 11.5, 12.5], "llr": [30.0, 20.0, 10.0],
         "p": [0.0004, 0.04, 0.4], "members": MEMBERS}
    )  # fmt: skip


def _places(areas, table, last):
    """A few grids of each county, each with a count of its own, and one cell."""
    some = np.arange(1, 256, 28)
    sums = table.groupby("area_index")["count"].sum()
    found = pd.DataFrame(
        {"period_end": last, "place": "area", "level": "grid", "area_index": some, "cell": 0,
         "category_index": 1, "count": sums.reindex(some, fill_value=0).clip(upper=MOST).to_numpy()}
    )  # fmt: skip
    grid = areas[(areas["level"] == "grid") & (areas["area_index"] == 85)].iloc[0]
    cell = hexagons.cell_numbers([grid["lng"]], [grid["lat"]], resolution=8)[0]
    one = found.iloc[:1].assign(
        place="cell", level=None, area_index=-1, cell=cell, category_index=2, count=3
    )
    return pd.concat([found, one], ignore_index=True)


def _types(areas, counts, last):
    frames = []
    for level, table in counts.items():
        here = areas[(areas["level"] == level) & areas["valid_to"].isna()]["area_index"]
        sums = (
            table.groupby("area_index")["count"].sum().reindex(here, fill_value=0).clip(upper=MOST)
        )
        frames.append(
            pd.DataFrame(
                {"period_end": last, "level": level, "area_index": here.to_numpy(),
                 "category_index": 1, "count": sums.to_numpy(), "share": 0.37}
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _repeats(last):
    bands = [(group, metres, days) for group in ("disputes", "police")
             for metres in (100, 200) for days in (7, 14)]  # fmt: skip
    frame = pd.DataFrame(bands, columns=["group", "metres", "days"])
    return frame.assign(
        period_end=last, pairs=range(11, 11 + len(frame)), expected=10.0,
        ratio=[1.1 + 0.1 * at for at in range(len(frame))], p=[0.01, 0.5] * 4, sampled=1.0,
    )  # fmt: skip


def _agreement(last):
    return pd.DataFrame(
        {"period_end": last, "coarse": [7], "fine": [8], "coarse_area_share": 0.019,
         "fine_area_share": 0.014, "coarse_incident_share": 0.351, "fine_incident_share": 0.309,
         "coarse_only": 0.14, "fine_only": np.nan}
    )  # fmt: skip


def _scores(counts, last):
    frames = []
    ends = span(shift(last, 1 - SCORED, grain="week"), last, grain="week")
    for target in (*counts, "r9"):
        for number, method in enumerate(METHODS):
            told = {f"pai{n}": 10.0 - number for n in (1, 2, 5)}
            told |= {f"hit{n}": n * 0.1 - number * 0.01 for n in (1, 2, 5)}
            frames.append(
                pd.DataFrame(
                    {"period_end": ends, "target": target, "group": "all", "method": method,
                     "events": 100.0, "places": 16, "listed": 2, "with_event": 1,
                     "area_share": 0.02, "pei2": 0.5, "deviance": [1.0, 2.0, 3.5],
                     "crps": 0.7 + number, "coverage": 0.9 if method == "ours" else np.nan,
                     "is_frozen": [False, False, True]}
                ).assign(**told)
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)
