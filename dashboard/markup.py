"""Attributes whose names are no Python names."""

from __future__ import annotations

from typing import Any


def attributes(**values: str) -> Any:
    """
    Attributes such as `aria-label`, to be spread over a component: `_` stands for `-`.

    Untyped on purpose: Dash's components name their typed properties only.
    """
    return {name.replace("_", "-"): value for name, value in values.items()}
