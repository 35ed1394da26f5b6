"""Static checks: bandit over every package, exceptions with reasons, pins without known holes."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("geo", "data", "etl", "dashboard")
CONFIGURATION = ROOT / "pyproject.toml"

FIRST_SAFE = [
    ("authlib", "1.6.4", "CVE-2025-59420: critical headers are not understood"),
    ("authlib", "1.6.5", "CVE-2025-61920: oversized tokens"),
    ("authlib", "1.6.11", "PYSEC-2026-25: no CSRF protection with a cache"),
    ("brotli", "1.2.0", "CVE-2025-6176: decompression bombs"),
    ("certifi", "2024.7.4", "CVE-2024-39689: a distrusted root"),
    ("cryptography", "46.0.5", "CVE-2026-26007: private keys leak over binary curves"),
    ("cryptography", "46.0.6", "CVE-2026-34073: name constraints are not applied"),
    ("cryptography", "46.0.7", "CVE-2026-39892: buffer overflow"),
    ("dash", "2.15.0", "CVE-2024-21485: stored scripts in links"),
    ("dash", "4.4.1", "plotly/dash#3902: any client ends any process"),
    ("distributed", "2021.10.0", "CVE-2021-42343: workers listen everywhere"),
    ("duckdb", "1.1.0", "CVE-2024-41672: files are read through sniff_csv"),
    ("flask", "2.3.2", "CVE-2023-30861: session cookies in shared caches"),
    ("flask", "3.1.3", "CVE-2026-27205: session cookies in shared caches"),
    ("gunicorn", "22.0.0", "CVE-2024-1135: request smuggling"),
    ("idna", "3.7", "CVE-2024-3651: quadratic time"),
    ("jinja2", "3.1.6", "CVE-2025-27516: out of the sandbox"),
    ("joserfc", "1.7.3", "CVE-2026-75509: issuer check by membership"),
    ("joserfc", "1.7.4", "CVE-2026-102946: empty signatures are accepted"),
    ("mako", "1.2.2", "CVE-2022-40023: quadratic time"),
    ("openpyxl", "2.4.2", "CVE-2017-5992: external entities"),
    ("pyarrow", "14.0.1", "CVE-2023-47248: a Parquet file runs code"),
    ("pydantic", "2.4.0", "CVE-2024-3772: quadratic time"),
    ("pygments", "2.20.0", "CVE-2026-4539: quadratic time"),
    ("pyyaml", "5.4", "CVE-2020-14343: a document runs code"),
    ("requests", "2.32.4", "CVE-2024-47081: .netrc leaks to other hosts"),
    ("requests", "2.33.0", "CVE-2026-25645: predictable temporary files"),
    ("setuptools", "70.0.0", "CVE-2024-6345: a package's address runs code"),
    ("setuptools", "78.1.1", "CVE-2025-47273: files are written anywhere"),
    ("sqlalchemy", "1.3.0", "CVE-2019-7164: SQL through order_by"),
    ("tornado", "6.5.7", "CVE-2026-49855 and eight before it"),
    ("urllib3", "2.6.3", "CVE-2026-21441: decompression bombs behind redirects"),
    ("urllib3", "2.7.0", "CVE-2026-44431: secrets follow redirects"),
    ("werkzeug", "3.0.3", "CVE-2024-34069: the debugger runs code of other pages"),
    ("werkzeug", "3.0.6", "CVE-2024-49767: forms use up the memory"),
    ("werkzeug", "3.1.6", "CVE-2026-21860 and GHSA-29vq-49wr-vm6x: device names"),
    ("zipp", "3.19.1", "CVE-2024-5569: endless loop"),
]
"""Distribution, first version without the hole, and the hole."""


# bandit ---------------------------------------------------------------------------------------


def scan(*paths):
    """What bandit finds under the project's own configuration."""
    command = [sys.executable, "-m", "bandit", "-q", "-r", "-c", str(CONFIGURATION), "-f", "json"]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False, cwd=ROOT)
    report = json.loads(done.stdout)
    assert not report["errors"], report["errors"]
    return report


def test_bandit_finds_nothing_that_is_not_explained():
    report = scan(*PACKAGES)
    found = [
        f"{one['filename']}:{one['line_number']} {one['test_id']} {one['issue_text']}"
        for one in report["results"]
    ]
    assert found == []
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(report["metrics"]) - 1 == len(sources)  # it has read every one, and a total


@pytest.mark.parametrize(
    ("code", "check"),
    [
        ("import pickle\npickle.loads(b'')", "B301"),
        ("import subprocess\nsubprocess.run('ls ' + x, shell=True)", "B602"),
        ("import subprocess\nsubprocess.run([x])", "B603"),
        ("eval(x)", "B307"),
        ("exec(x)", "B102"),
        ("import hashlib\nhashlib.md5(b'')", "B324"),
        ("import yaml\nyaml.load(x)", "B506"),
        ("import random\nrandom.random()", "B311"),
        ("import requests\nrequests.get(x, timeout=1, verify=False)", "B501"),
        ("import requests\nrequests.get(x)", "B113"),
        ("import xml.etree.ElementTree as ET\nET.parse(x)", "B314"),
        ("import tarfile\ntarfile.open(x).extractall()", "B202"),
        ("import os\nos.chmod(x, 0o777)", "B103"),
        ("import flask\napp.run(debug=True)", "B201"),
        ("host = '0.0.0.0'", "B104"),
        ("password = 'hidden'", "B105"),
        ("try:\n    f()\nexcept Exception:\n    pass", "B110"),
    ],
)
def test_the_scan_sees_what_it_must(tmp_path, code, check):
    path = tmp_path / "sample.py"
    path.write_text(code + "\n")
    assert check in {one["test_id"] for one in scan(str(path))["results"]}


def test_every_check_that_is_left_out_has_its_reason():
    lines = CONFIGURATION.read_text(encoding="utf-8").splitlines()
    skipped = tomllib.loads("\n".join(lines))["tool"]["bandit"]["skips"]
    for check in skipped:
        (line,) = [line for line in lines if f'"{check}"' in line]
        assert re.search(r'",\s+# \w+', line), f"say behind {check} why it is left out"


def test_every_exception_names_its_check_and_its_reason():
    faults = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines):
                if "nosec" not in line:
                    continue
                comments = [part.strip() for part in line.split("#")[1:]]
                named = [part for part in comments if re.fullmatch(r"nosec( B\d{3},?)+", part)]
                told = [part for part in comments if re.search(r" - \w+", part)]
                before = number and lines[number - 1].strip().startswith("#")
                if not named or not (told or before):
                    faults.append(f"{path.relative_to(ROOT)}:{number + 1}")
    assert faults == []


# Dependencies ---------------------------------------------------------------------------------


def project():
    return tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["project"]


def pins():
    """Pinned version of each distribution."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), "constraints.txt holds a line that is no pin"
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def installed_closure(requirements):
    """Every installed distribution that these requirements bring along, with its version."""
    found, waiting = {}, [(Requirement(text), "") for text in requirements]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in requirement.extras or {""}:
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            try:
                known = distribution(name)
            except PackageNotFoundError:
                continue  # an extra that this machine has not got
            found[name] = Version(known.version)
            waiting += [(Requirement(text), wanted) for text in known.requires or ()]
    return found


def test_every_distribution_of_the_product_is_pinned_as_it_is_installed():
    told = project()
    extras = told["optional-dependencies"]
    wanted = told["dependencies"] + [
        text for name in ("cluster", "kafka", "postgresql", "test") for text in extras[name]
    ]
    installed, pinned = installed_closure(wanted), pins()
    assert len(installed) > 50
    unpinned = sorted(set(installed) - set(pinned))
    assert unpinned == [], "add them to constraints.txt"
    other = {
        name: f"installed {version}, pinned {pinned[name]}"
        for name, version in installed.items()
        if version != pinned[name]
    }
    assert other == {}


def known_holes(versions):
    return [
        f"{name} {versions[name]}: {hole} (safe from {safe} on)"
        for name, safe, hole in FIRST_SAFE
        if name in versions and versions[name] < Version(safe)
    ]


def test_no_version_with_a_known_hole_is_pinned():
    pinned = pins()
    assert known_holes(pinned) == []
    absent = {name for name, _, _ in FIRST_SAFE} - set(pinned)
    assert absent == set(), "the table tells of what the product does not use"


def test_no_lower_bound_lets_a_known_hole_in():
    bounds = {}
    for text in project()["dependencies"]:
        requirement = Requirement(text)
        (lowest,) = [one.version for one in requirement.specifier if one.operator == ">="]
        bounds[canonicalize_name(requirement.name)] = Version(lowest)
    assert known_holes(bounds) == []


def test_the_table_sees_a_known_hole():
    assert known_holes({"pyarrow": Version("14.0.0"), "dash": Version("4.4.1")}) == [
        "pyarrow 14.0.0: CVE-2023-47248: a Parquet file runs code (safe from 14.0.1 on)"
    ]
