"""Time formats of a ledger, told by the texts themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from etl.samples import probe
from etl.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TYPED: Final = "%Y-%m-%d %H:%M:%S"
TIME_FORMATS: Final = (
    TYPED, "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M",
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M", "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日%H时%M分%S秒",
    "%Y年%m月%d日%H时%M分", "%Y年%m月%d日 %H时%M分", "%Y年%m月%d日",
    "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y",
)  # fmt: skip
"""In the order in which equally good ones are proposed."""


_MOST_FORMATS: Final = 4
_RARE_SHARE: Final = 0.005


def guess_formats(columns: Iterable[pd.Series], *, zone: str) -> tuple[list[str], list[str]]:
    """
    Fewest formats that read the texts of all columns, the one of most texts first.

    Parameters
    ----------
    columns
        Distinct texts of each column; typed times need no format.

    Returns
    -------
    formats, remarks
        Nothing where no format reads any; a remark where another format would do as well.
    """
    texts = [values for values in columns if values.dtype.kind != "M" and len(values)]
    if not texts:
        return [], []
    left = pd.concat(texts).drop_duplicates()
    rare = _RARE_SHARE * len(left)
    chosen: list[str] = []
    remarks: list[str] = []
    while len(left) > rare and len(chosen) < _MOST_FORMATS:
        read = {form: parsed(left, [form], zone=zone) for form in _compatible(chosen)}
        best = max(read, key=lambda form: int(read[form].notna().sum()))
        fits = read[best].notna()
        if fits.sum() <= rare:
            break
        alike = [
            form
            for form, moments in read.items()
            if form != best and moments.notna().equals(fits) and not moments.equals(read[best])
        ]
        if alike:
            remarks.append(f"times are read by {best} and could be read by {', '.join(alike)}")
        chosen.append(best)
        left = left[~fits]
    return chosen, remarks


def parsed(values: pd.Series, formats: Sequence[str], *, zone: str) -> pd.Series:
    """Times in UTC as the pipeline would read them, null where none of the formats fits."""
    source = probe("csv", {}, time_zone=zone)
    return parse_times(values, replace(source, time_format=tuple(formats or [TYPED])))


def read_share(values: pd.Series, formats: Sequence[str], *, zone: str) -> float:
    """Share of the values that are read as times; 0 without any value."""
    return float(parsed(values, formats, zone=zone).notna().mean()) if len(values) else 0.0


def _compatible(chosen: Sequence[str]) -> list[str]:
    """Formats that may stand beside the chosen ones: a final Z makes UTC of all other clocks."""
    clocks = {_clock(form) for form in chosen} - {"own"}
    return [
        form
        for form in TIME_FORMATS
        if form not in chosen and (not clocks or _clock(form) in {*clocks, "own"})
    ]


def _clock(form: str) -> str:
    """Whose clock a format shows: its own offset, UTC, or the source's zone."""
    return "own" if "%z" in form else "UTC" if form.endswith("Z") else "source"
