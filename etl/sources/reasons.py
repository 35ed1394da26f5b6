"""The reasons for which rows are not taken, in words for those who keep the ledger."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Reason:
    """What is wrong with a row and what to do about it, in both languages."""

    zh: str
    en: str
    do_zh: str
    do_en: str


@functools.cache
def reasons() -> Mapping[str, Reason]:
    """Every reason by its name, those of `etl.clean.REASONS` among them."""
    text = files("etl.sources").joinpath("reasons.toml").read_text(encoding="utf-8")
    return {name: Reason(**entry) for name, entry in tomllib.loads(text).items()}


def reason(name: str) -> Reason:
    """Words for a reason; one that has none yet stands for itself."""
    unknown = Reason(name, name, "请联系平台管理员", "Ask those who run the map")
    return reasons().get(name, unknown)
