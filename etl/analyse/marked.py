"""Marked actions of a build: those of the city folder, and the signed letters of the state."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from data import analysis_settings
from data.letters.actions import digest, signed_letters
from data.settings import PREFIX

if TYPE_CHECKING:
    from pathlib import Path

    from data.actions import Action


def letters(home: Path) -> tuple[Action, ...]:
    """
    Signed letters of the installation that a home belongs to.

    Raises
    ------
    StateError
        The state database fails.
    """
    return signed_letters(home, os.environ.get(f"{PREFIX}STATE", ""))


def inputs_version(home: Path, city_folder: Path) -> str:
    """
    Sixteen hexadecimal digits of the settings and of all marked actions.

    Raises
    ------
    StateError
        The state database fails.
    """
    told = analysis_settings.inputs_version(city_folder)
    signed = digest(letters(home))
    return hashlib.sha256((told + signed).encode()).hexdigest()[:16] if signed else told
