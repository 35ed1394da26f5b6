"""Worlds with the product's taxonomy, severities, and times of every step, for the index."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from data.city import Category
from data.clock_settings import read_clock_settings
from data.index_file import read_index_settings
from data.source import STATUSES
from etl.analyse.bed import DISCOVERED, NEVER
from etl.analyse.index.prepared import prepare
from etl.analyse.index.stage import stage

ROOT = Path(__file__).parents[3]
NO_FOLDER = ROOT / "no city"
SETTINGS = read_index_settings(NO_FOLDER)
CLOCKS = read_clock_settings(NO_FOLDER, time_zone="Asia/Shanghai")
DAY_S = 86_400


def taxonomy():
    with (ROOT / "data" / "reference" / "taxonomy.csv").open(encoding="utf-8") as stream:
        return tuple(
            Category(row["code"], row["parent_code"] or None, row["name_zh"], row["name_en"])
            for row in csv.DictReader(stream)
        )


CATEGORIES = taxonomy()
CODES = [one.code for one in CATEGORIES]
_GROUPS = (("D",), ("P1", "P2", "P3", "P4"), ("H",), ("L", "M"))


def with_taxonomy(bed, seed, *, discovered=0.0, times=True):
    """The same incidents with lower categories of their group, origins and step times."""
    rng = np.random.default_rng(seed)
    events = bed.events
    category = np.zeros(len(events), dtype=np.int16)
    group_of = np.full(len(CATEGORIES), -1)
    for number, starts in enumerate(_GROUPS):
        every = [i for i, code in enumerate(CODES) if code.startswith(starts)]
        group_of[every] = number
        lower = [i for i in every if CATEGORIES[i].parent_code and CODES[i] != "P204"]
        own = np.flatnonzero(events.category == number)
        weights = 1 / np.arange(1, len(lower) + 1)
        category[own] = rng.choice(lower, len(own), p=weights / weights.sum())
    n = len(events)
    changed = {
        "category": category,
        "origin": np.where(rng.random(n) < discovered, DISCOVERED, 0).astype(np.int8),
        "repeat": rng.random(n) < 0.05,
        "scale": rng.choice([1, 2], n, p=[0.97, 0.03]).astype(np.int8),
    }
    if times:
        changed |= _times(events, rng, bed.as_of)
    return replace(bed, events=replace(events, **changed), group_of=group_of)


def _times(events, rng, as_of):
    """Steps after exponential waits; what lies after the last day has not happened."""
    now = (as_of + 1).astype("datetime64[s]").astype(np.int64) - 8 * 3600
    found, moment = {}, events.reported
    for name, days in (("dispatched", 0.4), ("signed", 0.7), ("resolved", 2.0), ("archived", 2.0)):
        moment = moment + (rng.exponential(days, len(events)) * DAY_S).astype(np.int64)
        found[name] = np.where(moment > now, NEVER, moment)
    status = np.where(found["archived"] == NEVER, "open", "archived")
    found["status"] = np.array([STATUSES.index(one) for one in status], dtype=np.int8)
    found["deadline"] = events.reported + 5 * DAY_S
    return found


def prepared(bed, settings=SETTINGS, categories=CATEGORIES):
    return prepare(bed, settings, categories=categories, clocks=CLOCKS)


def last(bed, *, at=None, settings=SETTINGS, **options):
    """Index of one period, by default the newest."""
    found = len(bed.starts) - 1 if at is None else at
    known_on = options.pop("known_on", min(bed.as_of, bed.ends[found] + 28))
    return stage(prepared(bed, settings), at=found, known_on=known_on, **options)
