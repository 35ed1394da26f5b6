"""
How often the usual band of the map colours an area where nothing changes, and where counts double.

    python -m benchmarks.checks.band
"""

from __future__ import annotations

import numpy as np

from dashboard.map.measures_expected import FAR, NEAR, bands, predict

AREAS = 40_000
BASELINE = 15
MEANS = (0.1, 0.5, 1.0, 3.0, 10.0, 40.0)
EXTRA = (0.0, 0.1, 0.5)
"""Variance beyond Poisson's, in squared means."""

LENGTHS = (1, 4)


def _counts(rng: np.random.Generator, mean: float, extra: float, periods: int) -> np.ndarray:
    """Counts of every area and period, shape (areas, periods)."""
    size = (AREAS, periods)
    rates = rng.gamma(1 / extra, mean * extra, size) if extra else np.full(size, mean)
    return rng.poisson(rates).astype(float)


def main() -> None:
    """Print a line per course of events."""
    rng = np.random.default_rng()
    print(f"share of {AREAS:,} areas in per cent; above: P <= {NEAR}, far above: P <= {FAR}")
    print("mean extra periods |  above    far  below | doubled: above    far")
    for mean in MEANS:
        for extra in EXTRA:
            past = _counts(rng, mean, extra, BASELINE)
            for periods in LENGTHS:
                expected = predict(
                    past.sum(axis=1),
                    (past**2).sum(axis=1),
                    length=BASELINE,
                    exposure=float(periods),
                )
                same, doubled = (
                    bands(_counts(rng, factor * mean, extra, periods).sum(axis=1), expected)
                    for factor in (1, 2)
                )
                shares = [same >= 4, same == 5, same <= 2, doubled >= 4, doubled == 5]
                above, far, below, found, far_found = (100 * each.mean() for each in shares)
                print(
                    f"{mean:4g} {extra:5g} {periods:7d} | {above:6.2f} {far:6.2f} {below:6.2f} "
                    f"| {found:14.1f} {far_found:6.1f}"
                )


if __name__ == "__main__":
    main()
