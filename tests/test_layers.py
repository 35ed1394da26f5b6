"""The import table of the packages: geo ← data ← etl, geo ← data ← dashboard."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {
    "geo": {"geo"},
    "data": {"geo", "data"},
    "etl": {"geo", "data", "etl"},
    "dashboard": {"geo", "data", "dashboard"},
}
WEB = {"dash", "plotly", "flask", "werkzeug", "gunicorn", "flask_compress"}


def imported(path: Path) -> set[str]:
    """Top-level names of every module that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            names.add(path.relative_to(ROOT).parts[0])
    return names


MODULES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_layer_may(path):
    package = path.relative_to(ROOT).parts[0]
    names = imported(path)
    assert names & set(ALLOWED) <= ALLOWED[package]
    if package != "dashboard":
        assert not names & WEB
    if path not in (ROOT / "geo" / "cells.py", ROOT / "geo" / "covering.py"):
        assert "h3" not in names


def test_every_package_has_modules_to_check():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ALLOWED)


def test_the_check_sees_a_forbidden_import(tmp_path):
    module = tmp_path / "sample.py"
    module.write_text("def f():\n    from dash import Dash\n    import h3 as cells\n")
    assert imported(module) == {"dash", "h3"}


def test_no_installed_distribution_takes_our_import_names():
    owners = packages_distributions()
    for package in ALLOWED:
        assert set(owners.get(package, [])) <= {"pingan-map"}
        assert package not in sys.stdlib_module_names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_holds_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 420
