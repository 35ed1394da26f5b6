"""What the attacker does: every callback and route, for every role, about every kind of area."""

import gzip
import json
import re
from dataclasses import dataclass
from urllib.parse import quote

from dashboard import guard
from dashboard.app import create_app
from dashboard.limits import Limits
from tests.dashboard.squares import FixedProvider, client, read_numbers
from tests.redteam import city

ADDRESSES = ("url.search", "url.hash", "panels-address.data", "compared-address.data")

SYNC = "url.search"
MAPS = SYNC  # one call moves the view and draws the map
PANELS = "panels-markup.data"
HOVER = "map-hover-detail.children"
SEARCH = "area-search-results.children"
COMPARE = "comparison-markup.data"
DESK = "page.children"
CALLBACKS = (SYNC, PANELS, HOVER, SEARCH, COMPARE, DESK)
PAGES = ("/areas", "/hotspots", "/index", "/forecast", "/data")


CODE = re.compile(r"(?<!\d)\d{6,7}(?!\d)")
CANARIES = re.compile(r"[0-9a-f]{10,}")


@dataclass(frozen=True)
class Call:
    """One request of the attacker."""

    role: str
    what: str
    target: str
    answer: object

    @property
    def text(self):
        content = self.answer.get_data()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return content.decode("utf-8", errors="replace")


def generous():
    """Limits that an attack does not reach; they have tests of their own."""
    return Limits(in_flight=1_000, burst=1e9)


def app_of(settings, store, role):
    return create_app(
        settings, store, provider=FixedProvider(city.scope_of(role)), limits=generous()
    )


class Attacker:
    """One role's browser with forged bodies: the declared shape, any content."""

    def __init__(self, app, role) -> None:
        self.app = app
        self.role = role
        self.client = client(app)
        self.bodies = {name: _skeleton(app, name) for name in CALLBACKS}

    def call(self, what, values, *, target="", changed=()):
        body = _filled(self.bodies[what], values) | {"changedPropIds": list(changed)}
        answer = self.client.post(guard.CALLBACKS, json=body)
        return Call(self.role, what, target, answer)

    def get(self, path, *, target=""):
        return Call(self.role, path, target, self.client.get(path))


def about(attacker, target):
    """Every callback about one area, as focus, as picked one, by click, hover and search."""
    for search in _addresses(target):
        for what in (SYNC, PANELS, COMPARE):
            values = dict.fromkeys(ADDRESSES, search)
            yield attacker.call(what, values, target=target)
    for search in (*_plain(target), _addresses(target)[-1]):
        for path in PAGES:
            yield attacker.call(DESK, {"page-address.data": path + search}, target=target)
    # The words of an address would come back in nothing but a search's own note.
    yield attacker.call(SEARCH, {"area-search.value": target, "url.search": ""}, target=target)
    yield attacker.call(SEARCH, {"area-search.value": "哨", "url.search": ""}, target=target)
    level, index = _position(target)
    for kind, what, held in (("hover", HOVER, "map-hover.data"), ("click", SYNC, "map-event.data")):
        event = {"kind": kind, "layer": "areas", "level": level, "index": index}
        for search in ("", f"?level={level}"):
            values = {held: event, "url.search": search}
            yield attacker.call(what, values, target=target, changed=[held])


def films(attacker, targets):
    """The film of every address about every area; those of one form share what is counted."""
    for searches in zip(*map(_addresses, targets), strict=True):
        for target, search in zip(targets, searches, strict=True):
            yield attacker.get(f"/frames{search}", target=target)


def _plain(target):
    """Forms of an address that map and pages read alike."""
    shown = quote(target, safe="")
    return (
        f"?area={shown}", f"?selected={shown}", f"?area={shown}&level=grid&layer=cells",
        f"?area={shown}&periods=1&category=10&lang=en", f"?area={shown}&severity=3&periods=13",
    )  # fmt: skip


def _addresses(target):
    shown = quote(target, safe="")
    return (
        *_plain(target),
        f"?area={shown}&measure=index&overlays=points,signals,much,clusters,more,cells.50",
        f"?area={shown}&measure=change&compare=before",
        f"?area={shown}&measure=band15&span=quarter",
        f"?area={shown}&measure=change_year&start=2026-W40&compare=year",
    )  # fmt: skip


def routes(attacker):
    """Every route that holds names, shapes, cells or tables."""
    for level in ("city", "county", "township", "community", "grid"):
        for lang in ("zh", "en"):
            yield attacker.get(f"/names/b1/{level}.json?lang={lang}", target=level)
        yield attacker.get(f"/tiles/b1/{level}/0/0/0.pbf", target=level)
    for path in ("/", "/_dash-layout", "/_dash-dependencies", "/live", "/export", "/image", "/share",
                 "/views", "/account", "/users", "/audit", "/settings", "/upload", "/signin", "/healthz", *PAGES,
                 "/users/of/red-leader", "/setup/guess", "/s/guess",
                 "/weekly", "/weekly/file", "/letters", "/letters/0123456789ab",
                 "/letters/0123456789ab/file", "/command", "/command?part=queue", "/warnings/1",
                 "/warnings/open"):  # fmt: skip
        yield attacker.get(path, target=path)
    for path in ("/special", "/facilities", "/facilities?area=grid.9904085&state=overdue",
                 "/special?period=1", "/track", "/track/guess", "/screen/enter/guess",
                 "/screen", "/screen?part=scenes", "/screen?area=grid.9904086"):  # fmt: skip
        yield attacker.get(path, target=path)
    for path in ("/m", "/m/reports/guess", "/m/app.webmanifest", "/m/worker.js"):
        yield attacker.get(path, target=path)
    # The page's own links repeat what was asked.
    yield attacker.get("/weekly?area=9901001&week=2026-W46", target="9901001")
    for area in ("9904086", "grid.9904086", "9904085", "community.9903022", "9902007", "nowhere"):
        yield attacker.get(f"/m?area={area}", target=area)


def found_words(call, *, but=frozenset()):
    """Foreign names and codes in an answer, but for what the request itself said."""
    text = call.text
    digits = set(CODE.findall(text)) - {call.target.split(".")[-1]}
    runs = set(CANARIES.findall(text))
    canaries = {run[at : at + 10] for run in runs for at in range(len(run) - 9)}
    return city.foreign_words(call.role, but=but) & (digits | canaries)


def found_counts(call):
    """Foreign counts in an answer: printed, as JSON numbers, or packed for the map."""
    text = call.text
    told = city.numbers_in(text)
    for packed in _packed(text):
        told |= set(packed.tolist())
    return told & city.foreign_counts(call.role)


def _packed(text):
    try:
        response = json.loads(text).get("response", {})
    except (ValueError, AttributeError):
        return
    values = (response.get("map-values") or {}).get("data") or {}
    if "counts" in values:
        yield read_numbers(values["counts"])


def _position(target):
    """Level and index of an area of the city; of what there is not, one that is not there."""
    rows = city.areas()
    found = rows[rows["code"] == target.split(".")[-1]]
    if found.empty:
        return "grid", 100_000
    return str(found.iloc[0]["level"]), int(found.iloc[0]["area_index"])


def _skeleton(app, output):
    """What a page would send, read from the inside: a wall screen is not told."""
    (key,) = [one for one in app.callback_map if output in one.strip(".").split("...")]
    spec, targets = app.callback_map[key], key.strip(".").split("...")
    return {
        "output": key,
        "outputs": [
            dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in targets
        ],
        "inputs": [{"id": item["id"], "property": item["property"]} for item in spec["inputs"]],
        "state": [{"id": item["id"], "property": item["property"]} for item in spec["state"]],
    }


def _filled(skeleton, values):
    def given(items):
        return [item | {"value": values.get(f"{item['id']}.{item['property']}")} for item in items]

    return skeleton | {"inputs": given(skeleton["inputs"]), "state": given(skeleton["state"])}
