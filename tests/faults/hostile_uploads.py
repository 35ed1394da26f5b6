"""A seeded stream of hostile uploads: files, names and whole requests that aim at one weakness."""

import random
from dataclasses import dataclass, field

from tests.faults import hostile_made
from tests.faults import ledger_samples as samples

BOUNDARY = b"----hostile7f3a"
LARGEST = 20 * 1024 * 1024
NAMES = (
    "../../../../etc/cron.d/x{}", "..\\..\\windows\\x{}", "/etc/passwd{}", "C:\\x{}", "\\\\host\\x{}",
    "a\x00{}", "a{}\x00.png", "a\r\nX-Evil: 1{}", "a\t{}", "\x1b[2Ja{}", "a\u202e{}", "a\u2028{}",
    "a\u200b{}", "\ufeffa{}", "e\u0301{}", "\uff41\uff0e{}", "x" * 5_000 + "{}", "\u4e2d" * 300 + "{}",
    "{}", ".{}", "...{}", "a{}.", "a{} ", "a{}/", "a{}/..", "con{}", "a;{}", "a%00{}", "%2e%2e%2fa{}",
    "<script>alert(1)</script>{}", "'\"><img src=x onerror=alert(1)>{}", "{{7*7}}{}", "$(touch x){}",
    "=cmd|calc{}", "a{}.exe", "a.exe{}", "a{}.zip", "a{}::$DATA", "-rf{}", "~$a{}", ".tmp{}",
    "\U0001f4a3{}", "\ud83d{}", "a\u0085{}", "110105194912310021{}",
)  # fmt: skip
BAD_SOURCES = (
    "", "..", "../calls", "calls/../csv", "/etc", "csv\x00", "CSV", "\uff43\uff53\uff56", "x" * 3_000,
    "rows", ".tmp", ".records", "'; DROP TABLE batches; --", "{{7*7}}",
)  # fmt: skip


@dataclass
class Upload:
    """
    One request.

    Attributes
    ----------
    breaks_off
        The client itself does not end it, so no answer need come.
    """

    what: str
    body: bytes
    content_type: str = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    headers: dict = field(default_factory=dict)
    is_chunked: bool = False
    breaks_off: bool = False


def uploads(folder, *, count, seed, token):
    """Yield so many uploads; the same seed gives the same ones."""
    good = samples.good(folder)
    made = {
        name: kind_content
        for name, kind_content in hostile_made.made(folder).items()
        if name not in hostile_made.APART
    }
    chance = random.Random(seed)
    names = list(made)
    chance.shuffle(names)
    for number in range(count):
        # Every file that was made by hand comes once, if there is room for it; then by chance.
        if number % 3 == 0 and number // 3 < len(names):
            name = names[number // 3]
            kind, content = made[name]
            yield _filed(f"made {name}", kind, content, token)
        else:
            yield chance.choices(_KINDS, _WEIGHTS)[0](chance, good, token)


def form(token, source, filename, content, *, reason="hostile test", fields=None, tail=b"--"):
    """Body of a form as a browser sends it."""
    given = {"form_token": token, "source": source, "reason": reason} if fields is None else fields
    parts = [
        b'Content-Disposition: form-data; name="' + name.encode("utf-8", "surrogatepass") + b'"\r\n\r\n'
        + (value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass"))
        for name, value in given.items()
    ]  # fmt: skip
    raw = filename.encode("utf-8", "surrogatepass").replace(b'"', b"%22")
    parts.append(
        b'Content-Disposition: form-data; name="file"; filename="' + raw + b'"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + content
    )
    lines = [b"--" + BOUNDARY + b"\r\n" + part + b"\r\n" for part in parts]
    return b"".join(lines) + b"--" + BOUNDARY + tail + b"\r\n"


def _filed(what, kind, content, token, name="ledger{}"):
    filename = name.replace("{}", samples.ENDINGS[kind])
    return Upload(what, form(token, kind, filename, content))


def mutated(chance, content):
    """A copy with bits, bytes or runs changed, cut, doubled or left out."""
    out = bytearray(content)
    at = chance.randrange(len(out))
    match chance.randrange(6):
        case 0:
            for _ in range(chance.choice((1, 1, 2, 5, 20))):
                out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
        case 1:
            del out[at:]
        case 2:
            out[at : at + chance.choice((1, 4, 64))] = chance.randbytes(chance.choice((1, 4, 64)))
        case 3:
            run = out[at : at + chance.choice((4, 64, 512))]
            other = chance.randrange(len(out))
            out[other:other] = run
        case 4:
            del out[at : at + chance.choice((1, 4, 64, 512))]
        case _:
            out[at : at + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
    return bytes(out)


def _damaged(chance, good, token):
    kind = chance.choice(list(good))
    return _filed(f"damaged {kind}", kind, mutated(chance, good[kind]), token)


def _damaged_member(chance, good, token):
    """A part inside an archive is damaged, and the archive itself is whole."""
    kind = chance.choice(("xlsx", "shapefile"))
    parts = samples.unpacked(good[kind])
    name = chance.choice(list(parts))
    parts[name] = mutated(chance, parts[name] or b"x")
    return _filed(f"damaged member of {kind}", kind, samples.packed(parts), token)


def _wrong_kind(chance, good, token):
    kind, other = chance.sample(list(good), 2)
    return _filed(f"{other} as {kind}", kind, good[other], token)


def _polyglot(chance, good, token):
    kind, other = chance.sample(list(good), 2)
    content = good[other] + good[kind] if chance.random() < 0.5 else good[kind] + good[other]
    return _filed(f"{kind} joined with {other}", kind, content, token)


def _named(chance, good, token):
    kind, name = chance.choice(list(good)), chance.choice(NAMES)
    # Another content each time, so that none is known already.
    content = good["csv"] + f"\nn{chance.random()},,,,,,,".encode() if kind == "csv" else good[kind]
    return _filed(f"name {name[:30]!r}", kind, content, token, name)


def _encoded(chance, good, token):
    text = good["csv"].decode().replace("A1", chance.choice(("噪声", "A1", "é", "\U00020000")))
    code = chance.choice(
        (
            "gbk",
            "gb18030",
            "big5",
            "utf-8-sig",
            "utf-16",
            "utf-16-le",
            "utf-32",
            "utf-7",
            "shift_jis",
        )
    )
    content = text.encode(code, "replace") + chance.choice(
        (b"", b"\xff", b"\x00", b"\x1a", b"\x80")
    )
    kind = chance.choice(("csv", "tsv", "ndjson", "geojson"))
    return _filed(f"{kind} in {code}", kind, content, token)


def _noise(chance, good, token):
    kind = chance.choice(list(good))
    head = chance.choice((b"", good[kind][:16], good[kind][:512]))
    return _filed(
        f"noise as {kind}", kind, head + chance.randbytes(chance.randrange(20_000)), token
    )


def _formed(chance, good, token):
    """The form itself is wrong."""
    content = good["csv"]
    whole = form(token, "csv", "a.csv", content)
    part = b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    file = part % (BOUNDARY, b"file", b'; filename="a.csv"', content)
    end = b"--" + BOUNDARY + b"--\r\n"
    header = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n' % BOUNDARY
    plain = {"form_token": token, "source": "csv", "reason": "hostile test"}
    choices = {
        "no token": Upload("", form("", "csv", "a.csv", content)),
        "another token": Upload("", form("0" * 64, "csv", "a.csv", content)),
        "a source of its own": Upload("", form(token, chance.choice(BAD_SOURCES), "a.csv", content)),
        "no reason": Upload("", form(token, "csv", "a.csv", content, reason="")),
        "a long reason": Upload("", form(token, "csv", "a.csv", content, reason="x" * 1_000)),
        "a reason of bytes": Upload(
            "", form("", "", "a.csv", content, fields=plain | {"reason": b"\xff\xfe\x00" * 9})
        ),
        "another field": Upload("", form("", "", "a.csv", content, fields=plain | {"path": "/etc"})),
        "fields of megabytes": Upload(
            "", form("", "", "a.csv", content, fields=plain | {"reason": "x" * 3_000_000})
        ),
        "a thousand fields": Upload(
            "", form("", "", "a.csv", b"", fields={f"f{n}": "x" for n in range(1_000)})
        ),
        "two files": Upload("", whole[: -len(end)] + file + end),
        "the file first": Upload("", file + whole),
        "only a file": Upload("", file + end),
        "no end": Upload("", whole[: -len(end)]),
        "cut in the middle": Upload("", whole[: chance.randrange(len(whole))]),
        "no start": Upload("", whole[40:]),
        "nothing": Upload("", b""),
        "endless headers": Upload("", header + b"X: " + b"x" * 3_000_000),
        "headers of bytes": Upload("", header + b"\xff\xfe: \x00\r\n\r\nx\r\n" + end),
        "no name": Upload("", b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + end),
        "no boundary": Upload("", whole, "multipart/form-data"),
        "a long boundary": Upload("", whole, "multipart/form-data; boundary=" + "b" * 3_000),
        "a boundary of marks": Upload("", whole, 'multipart/form-data; boundary="(((*+"'),
        "another type": Upload("", whole, "application/x-www-form-urlencoded"),
        "JSON": Upload("", b"[" * 100_000, "application/json"),
        "packed": Upload("", whole, headers={"Content-Encoding": "gzip"}),
        "another origin": Upload("", whole, headers={"Origin": "https://evil.example"}),
        "in pieces": Upload("", whole, is_chunked=True),
        "a length that lies": Upload("", whole, headers={"Content-Length": "999999999"}, breaks_off=True),
        "more than it says": Upload("", whole, headers={"Content-Length": str(len(whole) + 500)}, breaks_off=True),
        "a length of words": Upload("", whole, headers={"Content-Length": "many"}, breaks_off=True),
    }  # fmt: skip
    name = chance.choice(list(choices))
    choices[name].what = f"form with {name}"
    return choices[name]


def _large(chance, good, token):
    """More than is allowed, in one piece or in many."""
    content = good["csv"] + b"\n" + b"x," * ((LARGEST + chance.randrange(1, 200_000)) // 2)
    upload = _filed("too large", "csv", content, token)
    upload.is_chunked = chance.random() < 0.5
    return upload


_KINDS = (
    _damaged,
    _damaged_member,
    _wrong_kind,
    _polyglot,
    _named,
    _encoded,
    _noise,
    _formed,
    _large,
)
_WEIGHTS = (24, 14, 7, 7, 14, 8, 6, 19, 1)
