"""The browser libraries that are copied beside the page's own scripts."""

import pytest

from dashboard import vendor


def installed(folder):
    for file in vendor.FILES.values():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"import x from '@mapbox/point-geometry'; // {file}\n")
    return folder


def test_what_is_no_longer_needed_goes(tmp_path):
    target = tmp_path / "vendor"
    (target / "br").mkdir(parents=True)
    for name in ("charts-of-old.min.js", ".done", "br/kept.br"):
        (target / name).write_text("x")
    assert vendor.missing_vendor_files(target) == list(vendor.FILES)
    vendor.copy_vendor_files(installed(tmp_path / "node_modules"), vendor=target)
    assert vendor.missing_vendor_files(target) == []
    assert {path.name for path in target.iterdir()} == {*vendor.FILES, "br", ".done"}
    assert (target / "br" / "kept.br").is_file()
    assert "'./point-geometry.mjs'" in (target / "vector-tile.mjs").read_text()


def test_a_library_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"maplibre-gl/dist/maplibre-gl\.mjs"):
        vendor.copy_vendor_files(tmp_path, vendor=tmp_path / "vendor")


def test_no_library_draws_charts():
    assert not [file for file in vendor.FILES.values() if "plotly" in file]
