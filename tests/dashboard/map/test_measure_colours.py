"""The scales of `measures.css`: told apart in both themes, and by the colour-blind."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

import dashboard
from dashboard.map import measures
from dashboard.text import Words
from dashboard.view import settle
from tests.dashboard.analysed import SETTINGS
from tests.dashboard.squares import CITY

ASSETS = Path(dashboard.__file__).parent / "assets"
SHEETS = [(ASSETS / name).read_text(encoding="utf-8") for name in ("base.css", "measures.css")]
LIGHT = ":root:root"
DARK = 'html[data-theme="dark"]:root'
SAFE = 'html[data-palette="safe"]:root'
SAFE_DARK = 'html[data-palette="safe"][data-theme="dark"]:root'
LOOKS = {
    "light": (LIGHT,), "dark": (LIGHT, DARK), "safe light": (LIGHT, SAFE),
    "safe dark": (LIGHT, DARK, SAFE, SAFE_DARK),
}  # fmt: skip
SEQUENTIAL = {"count": 7, "breach": 5, "discovered": 5, "overdue": 5, "patrol": 5}
NAMED = (
    ("blue", "yellow", "orange", "red"),
    ("index-blue", "index-yellow", "index-orange", "index-red"),
    ("index-green", "index-yellow", "index-orange", "index-red"),
    tuple(f"change-{step}" for step in range(1, 7)),
)
# Machado, Oliveira and Fernandes 2009 (IEEE TVCG 15, 1291), severity 1, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                        [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                        [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                        [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                   [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip


def colours(look):
    found = {}
    for selector in LOOKS[look]:
        for sheet in SHEETS:
            for block in sheet.split(f"{selector} {{")[1:]:
                found |= dict(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{6});", block.split("\n}")[0]))
    return found


def linear(colour):
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(TO_XYZ[1] @ linear(colour))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def distance(one, other, sight="usual"):
    """Colour difference of CIE 1976 as somebody sees it."""
    return float(np.linalg.norm(lab(one, sight) - lab(other, sight)))


def lab(colour, sight):
    seen = np.clip(SIGHT[sight] @ linear(colour), 0, 1)
    x, y, z = (
        np.cbrt(part) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in TO_XYZ @ seen / [0.95047, 1, 1.08883]
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_scale_runs_one_way_in_steps_that_can_be_seen(look, name):
    known = colours(look)
    steps = [known[f"--{name}-{step}"] for step in range(1, SEQUENTIAL[name] + 1)]
    light = [luminance(step) for step in steps]
    assert light == sorted(light, reverse="dark" not in look)
    assert min(contrast(*pair) for pair in pairwise(steps)) >= 1.25
    assert contrast(steps[0], steps[-1]) >= 4.5
    for sight in SIGHT:
        assert min(distance(*pair, sight) for pair in pairwise(steps)) >= 7


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_known_is_no_zero(look):
    known = colours(look)
    first = [f"--{name}-1" for name in SEQUENTIAL] + ["--change-3"]
    for name in first:
        assert distance(known[name], known["--no-data"]) >= 5, name


@pytest.mark.parametrize("look", ["safe light", "safe dark"])
@pytest.mark.parametrize("names", NAMED, ids=lambda names: names[0])
def test_the_safe_colours_are_told_apart_by_everybody(look, names):
    known = colours(look)
    for sight in SIGHT:
        for one, other in combinations(names, 2):
            assert distance(known[f"--{one}"], known[f"--{other}"], sight) >= 15, (sight, one)
    for pair in pairwise(names):
        assert contrast(*(known[f"--{name}"] for name in pair)) >= 1.5, pair


@pytest.mark.parametrize("look", LOOKS)
def test_marks_stand_out_from_the_ground(look):
    known = colours(look)
    for name in ("much", "clusters", "more"):
        assert contrast(known[f"--mark-{name}"], known["--map-land"]) >= 3, name


def test_the_shipped_palettes_are_those_of_the_settings():
    known = colours("light")
    for palette in SETTINGS.palettes:
        names = measures.measures_analysed.PALETTES[palette.name]
        assert tuple(known[f"--index-{name}"] for name in names) == palette.tints


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", measures.MEASURES)
def test_every_colour_is_defined(snapshot, look, name):
    known = colours(look)
    view = settle(CITY, snapshot, "?level=grid")
    for colour in measures.measured(CITY, snapshot, view, name, Words("zh")).colours:
        assert colour.removeprefix("var(").removesuffix(")") in known
