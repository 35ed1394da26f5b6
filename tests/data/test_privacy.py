"""The `[privacy]` table of a city: defaults, floors, and what it does not change."""

import dataclasses
import re
from pathlib import Path

import pytest

from data.city import CityError, folder_hash, read_city
from data.codebooks import taxonomy
from data.privacy import Privacy, read_privacy
from tests.small_city import PUSHED, write_city

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def folder(tmp_path):
    return write_city(tmp_path / "city", {"pushed": PUSHED})


def add(folder, text):
    path = folder / "city.toml"
    path.write_text(f"{path.read_text('utf-8')}{text}", encoding="utf-8")


def test_without_the_table_a_city_has_the_promised_figures(folder):
    privacy = read_city(folder, home=folder).privacy
    assert privacy == Privacy()
    assert (privacy.k("internal"), privacy.k("public")) == (5, 10)
    assert privacy.finest("internal") == ("grid", "township")
    assert privacy.finest("public") == ("township", "county")


def test_what_is_written_is_read(folder):
    add(
        folder,
        '[privacy]\nk_public = 25\nfinest_public = "county"\nrare_below = 7.5\nsensitive = ["A101"]\n',
    )
    privacy = read_city(folder, home=folder).privacy
    assert (privacy.k_public, privacy.finest_public, privacy.rare_below) == (25, "county", 7.5)
    assert privacy.sensitive_codes() > {"A101"}
    assert privacy.k_internal == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("k_internal = 4", "`k_internal` must be 5 or more"),
        ("k_public = 9", "`k_public` must be 10 or more"),
        ("k_internal = 12", "`k_public` must not be smaller than `k_internal`"),
        ("delay_periods = -1", "`delay_periods` must be 0 or more"),
        ("sensitive_delay_periods = 0", "`sensitive_delay_periods` must be 1 or more"),
        ("delay_periods = 20", "`sensitive_delay_periods` must be 1 or more, and at least"),
        ("keep_periods = 0", "`keep_periods` must be 1 or more"),
        ("rare_below = -1", "`rare_below` must be 0 or more"),
        ("rare_below = nan", "`rare_below` must be 0 or more"),
        ('finest_public = "street"', "`finest_public` is 'street'"),
        ('finest_public = "grid"\nfinest_internal = "county"', "`finest_public` must not be a lower level"),
        ('categories_public = "grid"', "`categories_public` must not be a lower level than `finest_public`"),
        ('sensitive = ["Z9"]', "names ['Z9'], which categories.csv does not hold"),
        ("k = 5", "unknown key `k`"),
        ('k_public = "10"', "`k_public` must be of type int"),
    ],
)  # fmt: skip
def test_a_fault_is_named(folder, text, said):
    add(folder, f"[privacy]\n{text}\n")
    with pytest.raises(CityError, match=r"city.toml: \[privacy\]") as caught:
        read_city(folder, home=folder)
    assert said in str(caught.value)


def test_the_table_does_not_change_what_is_counted(folder):
    before = folder_hash(folder)
    add(folder, '[privacy]\nk_public = 20\nsensitive = [\n  "A101",\n]\n')
    with_table = folder_hash(folder)
    assert with_table == before
    add(folder, '[code_patterns]\ngrid = "x"\n')
    assert folder_hash(folder) != before
    both = folder_hash(folder)
    path = folder / "city.toml"
    path.write_text(
        path.read_text("utf-8").replace("k_public = 20", "k_public = 30"), encoding="utf-8"
    )
    assert folder_hash(folder) == both


def test_the_rules_are_named_by_every_setting():
    known = {Privacy().rules}
    for field in dataclasses.fields(Privacy):
        other = ("X",) if field.name == "sensitive" else f"{field.default}1"
        known.add(dataclasses.replace(Privacy(), **{field.name: other}).rules)
    assert len(known) == len(dataclasses.fields(Privacy)) + 1


def test_what_the_taxonomy_marks_is_sensitive_in_every_city():
    marked = {code.code for code in taxonomy() if code.sensitive}
    assert marked
    assert Privacy().sensitive_codes() == marked


def test_every_setting_is_documented_with_its_default():
    text = (DOCS / "city-folder.md").read_text("utf-8")
    for field in dataclasses.fields(Privacy):
        row = re.search(rf"^\| `{field.name}` \| (.+?) \|", text, re.MULTILINE)
        assert row, f"docs/city-folder.md does not describe `{field.name}`"
        default = "none" if field.name == "sensitive" else f"`{field.default}`"
        assert row.group(1) == default


def test_faults_are_gathered():
    faults = []
    read_privacy({"k_internal": 1, "k_public": 1, "keep_periods": 0}, (), "city.toml", faults)
    assert len(faults) == 3
