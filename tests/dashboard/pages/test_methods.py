"""The methods page: every method, in two languages, for whoever is signed in."""

import re

import pytest

from dashboard.pages import methods
from dashboard.pages.methods import SECTIONS


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_method_has_its_anchor(site, lang):
    person = site.person("desk", ("leader", "city", "*"))
    page = site.browser(person).get(f"/methods?lang={lang}").text
    assert re.findall(r'<section class="card method" id="(\w+)"', page) == list(SECTIONS)
    assert ("方法说明" in page) == (lang == "zh")


def test_a_stranger_does_not_get_it(site):
    assert site.browser().get("/methods").status_code in {302, 401}


def test_html_in_a_text_stays_text(monkeypatch):
    monkeypatch.setattr(methods, "source", lambda *_: "# A <b>\n<script>alert(1)</script>")
    methods.sections.cache_clear()
    try:
        assert all("<script>" not in one.text for one in methods.sections("zh"))
    finally:
        methods.sections.cache_clear()
