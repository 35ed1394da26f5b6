"""
The one ledger that is not drawn but kept: a workbook in the format of Excel 97.

Its areas are the counties 990102 and 990181, which every size of the demonstration city has. It was
made by `tests/etl/old_workbook.py`; no maintained library writes this format.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from etl.synthesize.account import Account

SOURCE: Final = "safety_checks"
FILE: Final = f"{SOURCE}.xls"


def copy_static(folder: Path, account: Account) -> None:
    """Copy the workbook to the other files and add what is known of it to the account."""
    here = files("etl.synthesize.static")
    (folder / FILE).write_bytes(here.joinpath(FILE).read_bytes())
    known = json.loads(here.joinpath(f"{SOURCE}.json").read_text(encoding="utf-8"))
    accepted = 0
    for county, classes in known["counts"].items():
        for category, number in classes.items():
            account.counts[county, category] += number
            accepted += number
    # All of them are placed by the code of their county.
    account.add_file(SOURCE, FILE, np.ones(accepted, dtype=np.int64), known["dirty"])
