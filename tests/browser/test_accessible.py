"""The pages by the rules of axe-core, with everything on them unfolded."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.opened import PAINT_MS

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]

# An empty row of headings that ag-grid keeps for columns fixed at the left.
NOT_OURS = {"aria-required-children": ".ag-header-row-group"}

PAGES = [
    "?renderer=canvas&overlays=much,signals&compare=before",
    "?renderer=gl&measure=index&lang=en",
    "areas", "hotspots", "index", "forecast", "data", "methods", "account",
]  # fmt: skip


DESK = ["areas", "hotspots", "index", "forecast", "data"]
"""Pages that an answer draws after the address is there."""


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is missing: run make test")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "renderer"), [(path, "gl" if "renderer=gl" in path else "canvas") for path in PAGES]
)
def test_axe_finds_nothing(
    browser: Browser, address: str, path: str, renderer: str, theme: str
) -> None:
    page = browser.new_page(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    page.set_default_timeout(PAINT_MS)
    page.goto(f"{address}{path}{'&' if '?' in path else '?'}theme={theme}")
    page.wait_for_load_state("networkidle")
    if path.startswith("?"):
        page.wait_for_selector(f"#map[data-painted][data-renderer='{renderer}']", state="attached")
        page.wait_for_selector("#charts .panel", state="attached")
    elif path in DESK:
        page.wait_for_selector(".desk-head h1")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, { runOnly: rules }).then(r => r.violations.flatMap("
        "v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary])))",
        RULES,
    )
    page.close()
    ours = [row for row in found if NOT_OURS.get(row[0], "\0") not in row[1]]
    assert ours == []
