"""What an answer must not hold: foreign areas by any channel, and the inside of the program."""

import re
from functools import cache

from data.permissions import PUBLIC
from tests.redteam import city
from tests.redteam.attack import COMPARE, found_counts, found_words

ANSWERS = frozenset({200, 204, 302, 303, 304, 400, 401, 403, 404, 405, 413, 429})
"""What a request may be answered with, however forged."""

_TRACES = re.compile(
    r"Traceback|File \"|/site-packages/|/lib/python|\.py\b|duckdb|sqlalchemy|sqlite|pyarrow"
    r"|\.parquet|\bSELECT\b.{0,80}\bFROM\b|\bWHERE\b.{0,80}=|area_counts_|[A-Z][a-z]+Error\b"
    r"|werkzeug|object at 0x",
    re.IGNORECASE,
)
_UNNAMED = ("community", "grid")
"""Levels that the public edition tells nothing of."""


def traces(call, home):
    """Words of the program's inside: paths, modules, SQL, names of exceptions."""
    text = call.text
    if call.answer.mimetype in ("text/javascript", "application/javascript", "text/css"):
        return set()  # vendored scripts name what they like
    return set(_TRACES.findall(text)) | ({str(home)} if str(home) in text else set())


@cache
def above(role):
    """Rows of `areas` that lie above own ones."""
    rows = city.areas().reset_index(drop=True)
    found, codes = set(), set(rows[city.inside(role)]["parent_code"].dropna())
    while codes:
        parents = rows[rows["code"].isin(codes)]
        found |= set(parents.index)
        codes = set(parents["parent_code"].dropna())
    return frozenset(found)


@cache
def relatives(role):
    """Rows of `areas` that a comparison may name: siblings of own areas and what lies above."""
    rows = city.areas().reset_index(drop=True)
    parents = set(rows[city.inside(role)]["parent_code"].dropna())
    return frozenset(rows[rows["parent_code"].isin(parents)].index) | above(role)


@cache
def named_to_public():
    """Rows of `areas` that the public edition may name."""
    rows = city.areas().reset_index(drop=True)
    return frozenset(rows[~rows["level"].isin(_UNNAMED)].index)


def leaks(call, what):
    """
    Foreign names, codes and counts in one answer.

    Parameters
    ----------
    what
        Callback or path that was asked, to tell what a comparison may name.
    """
    if call.role == PUBLIC:
        return found_words(call, but=named_to_public())
    if what == COMPARE:
        return found_words(call, but=relatives(call.role))
    if what == "/account":
        return found_words(call, but=above(call.role))
    return found_words(call) | {str(count) for count in found_counts(call)}
