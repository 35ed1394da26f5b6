"""Letters of a town on both engines."""

import datetime as dt

import pytest

from data.access import Grant, Scope
from data.letters.store import Basis, Letters
from data.letters.wording import Wording

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 16)
PATH = (("city", "990100"), ("county", "9901001"), ("township", "990100101"))
CODES = '{"codes": {"acceptance": ["平安受理", "Acceptance"], "assignment": ["平安交办", "Assignment"]}}'
BODY = "据周报，东门街道平安风险为红。\n请研究部署。"


def scope_of(user, role="leader", level="city", code="*"):
    return Scope(user, frozenset({Grant(role, level, code)}))


LEADER = scope_of("leader")
EAST = scope_of("east", "command", "county", "9901001")
WEST = scope_of("west", "command", "county", "9901002")
CHIEF = scope_of("chief", "grid_chief", "township", "990100101")


def wording(**other):
    texts = {
        "addressee_zh": "东门街道综治中心", "addressee_en": "Centre of East Gate",
        "title_zh": "关于东门街道平安风险的预警函", "title_en": "Risk letter on East Gate",
        "body_zh": BODY, "body_en": "East Gate is red. Please act on it.",
        "due": dt.date(2026, 11, 20),
    }  # fmt: skip
    return Wording(**{**texts, **other})


def basis(kind="risk_letter", *, path=PATH, week="2026-W46", rule="red", **other):
    return Basis(kind, path, week, 1, "s1", rule, CODES, "平安预警函", "Risk letter", **other)


@pytest.fixture
def letters(database):
    return Letters(database)


@pytest.fixture
def draft(letters):
    return letters.draft(LEADER, basis(), wording(), now=NOW)
