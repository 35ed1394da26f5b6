"""
Forged calls of callbacks: anything but what the page sends, from a seed.

Long form: ``python -m tests.redteam.forged --requests 20000``.
"""

import argparse
import collections
import json
import random
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from dashboard import guard
from data.settings import Settings
from data.store import Store
from tests.redteam import city
from tests.redteam.attack import ADDRESSES, CALLBACKS, COMPARE, Attacker, Call, app_of
from tests.redteam.judging import ANSWERS, leaks, traces

ROLES = ("grid_chief", "township", "public")

STRANGE = (
    None, True, False, 0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, "", " ", "\0", "a\0b", "null", "*",
    "undefined", "../../etc/passwd", "%00", "%2e%2e%2f", "'; DROP TABLE users; --", "' OR 1=1 --",
    "1; ATTACH '/etc/passwd'", "${7*7}", "{{7*7}}", "__proto__", "constructor", "﷽", "\ud800",
    "٩٩٠٢٠٠٧", [], {}, [[]], [None], {"kind": "click"}, {"__proto__": {"admin": True}},
    {"id": "url", "property": "search", "value": "?area=9902007"}, ["9902007"], [1, 2, 3],
)  # fmt: skip

PATTERNS = (
    {"type": "area", "index": "9902007"}, {"type": "area", "index": ["ALL"]}, {"index": "*"},
    '{"index":["ALL"],"type":"area"}', '{"index":"9902007","type":"area"}', ["url", "map-view"],
    [{"id": "url", "property": "search"}], "url.search", "map-view@0badcafe", "*", "", 7, None, True,
    "__proto__", "_pages_location", "_dash-app-content", "a" * 10_000, "url\0", "ｕｒｌ", "URL",
)  # fmt: skip

LEVELS = ("city", "county", "township", "community", "grid", "GRID", "Grid", "ｇｒｉｄ", "", "village",
          "grid'", "grid;--", "area_counts_grid", "grid%20", "gr\u0131d", "../grid")  # fmt: skip


def forged(rng, skeletons):
    """One forged call: its kind, the callback that it began from, the area it is about, its body."""
    kind, what = rng.choice(KINDS), rng.choice(CALLBACKS)
    target = rng.choice(city.TARGETS)
    body = json.loads(json.dumps(skeletons[what]))
    body["changedPropIds"] = []
    search = f"?{rng.choice(('area', 'selected'))}={quote(target, safe='')}"
    for one in body["inputs"] + body["state"]:
        named = f"{one['id']}.{one['property']}"
        one["value"] = search if named in ADDRESSES else None
    made = kind(rng, body, target, skeletons)
    content = made if isinstance(made, bytes) else json.dumps(made).encode()
    return kind.__name__.strip("_"), what, target, content


def _arguments(body):
    return body["inputs"] + body["state"]


def _addresses(rng, body, target, _all):
    search = rng.choice(
        ("area", "selected", "level", "end", "category", "lang", "layer", "renderer")
    )
    value = rng.choice(variants(target)) if search in ("area", "selected") else rng.choice(LEVELS)
    more = rng.choice(("", "&area=" + quote(target), "&level=" + quote(rng.choice(LEVELS)), "#camera=1,2,3",
                       "&" * 50, "&area=9904086", ";area=" + quote(target)))  # fmt: skip
    text = f"{rng.choice(('?', '', '??', '/?', '#'))}{search}={value}{more}"
    for one in _arguments(body):
        if one["property"] in ("search", "hash") or one["id"] in (
            "panels-address",
            "compared-address",
        ):
            one["value"] = text
    return body


def variants(code):
    """The same area as others might write it."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in code)
    return (
        code, wide, code.upper(), code.title(), f" {code}", f"{code} ", f"{code}\0", f"+{code}",
        "".join(f"%{ord(c):02x}" for c in code), quote(quote(code, safe=""), safe=""), f"0{code}",
        *(f"{level}.{code}" for level in LEVELS[:8]), f"grid..{code}", f".{code}", f"{code}.",
        f"{code},9904086", f"{code}|9904086", f"{code}' OR '1'='1", f"{code}%", f"{code[:-1]}_",
        f"{code[:-1]}%", f"{code}\u200b", f"{code}\u0301", code.translate(ARABIC), f"{code}e0",
        f"{code}.0", f"[{code}]", f"{code}/../{code}", "%" * 40, "9" * 900,
    )  # fmt: skip


ARABIC = {ord("0") + digit: 0x660 + digit for digit in range(10)}


def _values(rng, body, _target, _all):
    for one in _arguments(body):
        if rng.random() < 0.6:
            one["value"] = rng.choice(STRANGE)
    return body


def _words(rng, body, target, _all):
    for one in _arguments(body):
        if one["property"] == "value":
            one["value"] = rng.choice((*variants(target), *LEVELS))
    return body


def _events(rng, body, target, _all):
    rows = city.areas()
    index = rng.choice(
        (0, 1, 7, 85, 255, 256, 257, -1, 2**31 - 1, 2**40, 1.5, "7", None, [7], True, len(rows))
    )
    event = {
        "kind": rng.choice(("click", "hover", "up", "leave", "error", "CLICK", "", None, 7, {})),
        "layer": rng.choice(("areas", "cells", "areas", "", None, "cells_8", [])),
        "level": rng.choice(LEVELS), "index": index, "resolution": rng.choice((8, 99, "8", None)),
    }  # fmt: skip
    for one in _arguments(body):
        if one["id"] in ("map-event", "map-hover", "map-camera"):
            one["value"] = event
    body["changedPropIds"] = [f"{one['id']}.{one['property']}" for one in body["inputs"]]
    return body


def _ids(rng, body, _target, _all):
    one = rng.choice(body["inputs"])
    one[rng.choice(("id", "property"))] = rng.choice(PATTERNS)
    return body


def _grouped(rng, body, _target, _all):
    """Pattern-matching callbacks send lists in place of arguments."""
    at = rng.randrange(len(body["inputs"]))
    part = body["inputs"][at]
    body["inputs"][at] = [part | {"id": rng.choice(PATTERNS)} for _ in range(rng.choice((0, 1, 3)))]
    return body


def _outputs(rng, body, _target, skeletons):
    other = skeletons[rng.choice(CALLBACKS)]
    change = rng.choice(("output", "outputs", "both", "odd", "none"))
    if change in ("output", "both"):
        body["output"] = other["output"]
    if change in ("outputs", "both"):
        body["outputs"] = other["outputs"]
    if change == "odd":
        body["output"] = rng.choice((*PATTERNS, "url.search", "..url.search...map-view.data.."))
    if change == "none":
        body["outputs"] = rng.choice(([], {}, None, "x", [[]], body["outputs"][0]))
    return body


def _triggers(rng, body, _target, _all):
    names = [f"{one['id']}.{one['property']}" for one in body["inputs"]]
    body["changedPropIds"] = rng.choice(
        (names, names * 500, [rng.choice(PATTERNS)], rng.choice(STRANGE), "url.search",
         ["map-view.data"], ['{"type":"area","index":"9902007"}.n_clicks'], [names])
    )  # fmt: skip
    return body


def _pathname(rng, body, target, _all):
    where = rng.choice(("/", "/users", "/audit", "//evil.example", f"/{target}", "/../..", 7, None))
    body["inputs"].append({"id": "url", "property": "pathname", "value": where})
    return body


def _missing(rng, body, _target, _all):
    body.pop(rng.choice(list(body)))
    if body.get("inputs") and rng.random() < 0.5:
        body["inputs"].pop(rng.randrange(len(body["inputs"])))
    return body


def _extra(rng, body, target, _all):
    extra = {"scope": "*", "user": "leader", "role": "leader", "cancelJob": "x", "longCallback": True,
             "background": {"interval": 1}, "parsedChangedPropsIds": [target], "value": target,
             "client_side": True, "__proto__": {"areas": "*"}}  # fmt: skip
    chosen = rng.choice(list(extra))
    if rng.random() < 0.5:
        rng.choice(body["inputs"])[chosen] = extra[chosen]
    else:
        body[chosen] = extra[chosen]
    return body


def _shuffled(rng, body, _target, skeletons):
    if rng.random() < 0.5:
        rng.shuffle(body["inputs"])
        body["inputs"] = body["inputs"] * rng.choice((1, 2, 50))
    else:
        body["inputs"] = skeletons[rng.choice(CALLBACKS)]["inputs"]
    return body


def _deep(rng, body, _target, _all):
    depth = rng.choice((50, 500, 5_000, 60_000))
    left, right = rng.choice((("[", "]"), ('{"a":', "}")))
    text = json.dumps(body)
    value = left * depth + "1" + right * depth
    at = text.rindex('"value": ') + len('"value": ')
    return (
        (text[:at] + value + ', "x": ' + text[at:]).encode()
        if rng.random() < 0.5
        else value.encode()
    )


def _numbers(rng, body, _target, _all):
    for one in _arguments(body):
        one["value"] = "NUMBER"
    number = rng.choice(
        ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 4_000, "0x10", "1e-400")
    )
    camera = f'{{"lng":{number},"lat":{number},"zoom":{number}}}'
    return json.dumps(body).replace('"NUMBER"', rng.choice((number, camera))).encode()


def _long(rng, body, target, _all):
    length = rng.choice((61, 1_001, 4_001, 60_000))
    for one in rng.sample(_arguments(body), 1):
        one["value"] = rng.choice((target, "哨", "?area=" + target + "&")) * (length // 2)
    return body


def _doubled(rng, body, target, skeletons):
    text = json.dumps(body)
    other = json.dumps(skeletons[rng.choice(CALLBACKS)]["output"])
    double = rng.choice(
        (
            f'{{"output": {other}, ',
            '{"inputs": [], ',
            '{"changedPropIds": ["x"], ',
            f'{{"state": "{target}", ',
        )
    )
    text = double + text[1:]
    return (text if rng.random() < 0.5 else text[:-1] + f', "output": {other}}}').encode()


def _no_body(rng, body, _target, _all):
    return rng.choice(
        (b"", b"[]", b"null", b"7", b'"x"', b"{}", b"{", b"\xff\xfe{}", b"\x1f\x8b\x08", b"[" * 60_000,
         json.dumps(body).encode("utf-16"), json.dumps([body]).encode(), json.dumps(body).encode() * 2)
    )  # fmt: skip


KINDS = (
    _addresses, _addresses, _values, _words, _events, _ids, _grouped, _outputs, _triggers, _pathname,
    _missing, _extra, _shuffled, _deep, _numbers, _long, _doubled, _no_body,
)  # fmt: skip


_COMPARED = '{"multi":true,"response":{"comparison-markup":{'


def faults_of(call, content, home):
    """What is wrong with one answer, in words."""
    status = call.answer.status_code
    if status not in ANSWERS:
        yield f"status {status}"
    # A forged body may have reached another callback than the one that it began from.
    told = leaks(call, COMPARE if call.text.startswith(_COMPARED) else "")
    # What the request itself said, a search may say again.
    if found := {word for word in told if word.encode() not in content}:
        yield f"foreign {sorted(found)[:3]}"
    if found := {word for word in traces(call, home) if word.encode() not in content}:
        yield f"trace {sorted(found)[:3]}"


def attack(attacker, rng, home, requests):
    """Send so many forged calls; returns how often each status came, and every fault."""
    statuses, faults = collections.Counter(), []
    for _ in range(requests):
        kind, what, target, content = forged(rng, attacker.bodies)
        answer = attacker.client.post(
            guard.CALLBACKS, data=content, content_type="application/json"
        )
        call = Call(attacker.role, what, target, answer)
        statuses[kind, answer.status_code] += 1
        faults += [
            (attacker.role, kind, what, fault, content[:2_000])
            for fault in faults_of(call, content, home)
        ]
    return statuses, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        city.publish(home)
        store, settings = Store(home), Settings(home=home, auth="local")
        total, began = collections.Counter(), time.monotonic()
        for role in ROLES:
            attacker = Attacker(app_of(settings, store, role), role)
            rng = random.Random(f"{asked.seed} {role}")
            statuses, faults = attack(attacker, rng, home, asked.requests // len(ROLES))
            for (_, status), count in statuses.items():
                total[status] += count
            for fault in faults[:20]:
                print(fault)
            print(f"{role}: {sum(statuses.values()):,} forged calls, {len(faults)} faults")
        print(f"statuses {dict(sorted(total.items()))} in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
