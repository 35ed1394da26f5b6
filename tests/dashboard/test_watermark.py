import datetime as dt
from urllib.parse import unquote

import pytest
from defusedxml import ElementTree

from dashboard.watermark import watermark_style, watermark_text
from data.access import Scope

NOW = dt.datetime(2026, 11, 22, 8, 5, tzinfo=dt.UTC)


def test_it_says_who_and_when():
    scope = Scope("zhangba-01", frozenset(), unit="张坝街道")
    assert watermark_text(scope, NOW) == "zhangba-01 张坝街道 2026-11-22 08:05"


@pytest.mark.parametrize("hostile", ['"></svg><script>alert(1)</script>', "');}</style>", "a&b<c"])
def test_whatever_the_text_holds_it_stays_text(hostile):
    style = watermark_style(hostile)
    assert style.startswith('url("data:image/svg+xml,')
    assert style.endswith('")')
    inside = style.removeprefix('url("').removesuffix('")')
    assert not set(inside) & set("\"'()<>\\ ")
    drawn = ElementTree.fromstring(unquote(inside.removeprefix("data:image/svg+xml,")))
    assert [element.text for element in drawn.iter() if element.text] == [hostile]
    assert len(list(drawn)) == 1
