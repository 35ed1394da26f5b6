"""A city whose every stored text is an attack on the page that shows it."""

from html.parser import HTMLParser
from unittest import mock
from urllib.parse import unquote

import shapely
from defusedxml import ElementTree

from data.writer import SnapshotWriter
from geo.tiles import cut_tiles
from tests.dashboard import squares

MARK = "zq9x"
"""Stands in each payload and nowhere else."""

_SHAPES = (
    "<script>{0}</script>", "<ScRiPt>{0}</sCrIpT>", "<script src=//{0}>", "<img src=x onerror={0}>",
    "<svg onload={0}>", "<svg/onload={0}>", "<svg><script>{0}</script>", "<iframe src=javascript:{0}>",
    '<iframe srcdoc="<script>{0}</script>">', "<body onload={0}>", "<input autofocus onfocus={0}>",
    "<a href=javascript:{0}>x</a>", "<a href='https://{0}.example'>x</a>", "<math><a xlink:href=javascript:{0}>",
    "<details open ontoggle={0}>", "<video src=x onerror={0}>", "<object data=javascript:{0}>",
    "<embed src=javascript:{0}>", "<form action=javascript:{0}><input type=submit>", "<base href=//{0}/>",
    "<meta http-equiv=refresh content='0;javascript:{0}'>", "<link rel=stylesheet href=//{0}>",
    "<style>@import'//{0}'</style>", "<b style='background:url(//{0})'>", '"><script>{0}</script>',
    "'><script>{0}</script>", '" onmouseover={0} x="', "' onfocus={0} autofocus '", "</title><script>{0}</script>",
    "</textarea><script>{0}</script>", "</style><script>{0}</script>", "</script><script>{0}</script>",
    "--><script>{0}</script>", "]]><script>{0}</script>", "javascript:{0}", "data:text/html,<script>{0}</script>",
    "{{{{{0}}}}}", "${{{0}}}", "{{%{0}%}}", "`${{{0}}}`", "';{0};'", '";{0};"', "\\';{0}//", "<!--{0}",
    "&lt;script&gt;{0}&lt;/script&gt;", "&#60;script&#62;{0}", "%3Cscript%3E{0}", "\\u003cscript\\u003e{0}",
    "＜script＞{0}", "<scr\u200bipt>{0}", "\u202e<script>{0}", "<script\u2028>{0}", "<sub>{0}</sub>",
    "<b>{0}</b>", "<br>{0}", "<span style='color:red'>{0}</span>", "url('javascript:{0}')", "'),url(//{0}",
    "=cmd|'{0}'!A0", "@import url(//{0})",
)  # fmt: skip
_DOES = ("alert('{0}')", "window.{0}=1")


def _payloads():
    made = []
    for number, shape in enumerate(_SHAPES * 2):
        mark = f"{MARK}{number}"
        is_address = any(word in shape for word in ("//{0}", "//{0}.", "href='https"))
        inner = mark if is_address else _DOES[number >= len(_SHAPES)].format(mark)
        made.append(shape.format(inner))
    return tuple(made)


PAYLOADS = _payloads()


class MarkedWriter(SnapshotWriter):
    """Publishes what it is given with every text replaced."""

    def add_table(self, name, rows, **more):
        if name == "areas":
            rows = _marked(rows, "name", "name_en")
        if name == "categories":
            rows = _marked(rows, "name_zh", "name_en")
        super().add_table(name, rows, **more)

    def publish(self, manifest):
        city = {
            key: PAYLOADS[at]
            for at, key in enumerate(
                (
                    "name_zh",
                    "name_en",
                    "notice_zh",
                    "notice_en",
                    "exposure_unit_zh",
                    "exposure_unit_en",
                )
            )
        }
        manifest["city"] = manifest["city"] | city
        texts = iter(PAYLOADS * 2)
        for entry in manifest["levels"]:
            entry |= {"name_zh": next(texts), "name_en": next(texts)}
        for entry in manifest["sources"]:
            entry |= {"title_zh": next(texts), "title_en": next(texts)}
        return super().publish(manifest)


def _marked(rows, *columns):
    n = len(PAYLOADS)
    return rows.assign(
        **{
            column: [PAYLOADS[(at + shift * n // 2) % n] for at in range(len(rows))]
            for shift, column in enumerate(columns)
        }
    )


def _true_tiles(path):
    areas = squares.make_areas()
    rows = areas[areas["level"] == path.stem]
    path.parent.mkdir(parents=True, exist_ok=True)
    boxes = shapely.box(*(rows[edge].to_numpy() for edge in ("west", "south", "east", "north")))
    cut_tiles(boxes, path=path, layer="areas", min_zoom=0, max_zoom=10)


def publish(home, *, is_drawn=False):
    """Publish the city; with tiles that a browser can draw where asked."""
    with mock.patch.object(squares, "SnapshotWriter", MarkedWriter):
        if not is_drawn:
            squares.publish(home)
            return
        with mock.patch.object(squares, "make_tiles", _true_tiles):
            squares.publish(home)


FORBIDDEN = frozenset(
    [
        "script",
        "img",
        "svg",
        "iframe",
        "object",
        "embed",
        "math",
        "video",
        "audio",
        "base",
        "style",
        "textarea",
        "marquee",
        "frame",
        "applet",
    ]
)
TEXTUAL = ("value", "placeholder", "title", "alt", "content", "href", "action", "aria-", "data-")
"""Attributes in which foreign text may stand."""


class Reader(HTMLParser):
    """Reads a page as a browser does, and notes what foreign text has made of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag in FORBIDDEN or MARK in tag:
            self.faults.append(f"element {tag}")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag, name, value):
        if name.startswith("on") or MARK in name or name == "srcdoc":
            self.faults.append(f"attribute {name} of {tag}")
        if name == "style" and MARK in value:
            self._drawn(value)
        elif MARK in value and not name.startswith(TEXTUAL):
            self.faults.append(f"attribute {name}={value}")
        if name in ("href", "action", "src", "formaction") and not value.startswith(
            ("/", "?", "#")
        ):
            self.faults.append(f"address {value}")
        if name in ("href", "action") and value.startswith("//"):
            self.faults.append(f"address {value}")

    def _drawn(self, value):
        """The watermark: a picture of text; nothing else is in it."""
        before, _, rest = value.partition("data:image/svg+xml")
        inner = rest.partition(",")[2].rstrip("\"');")
        if MARK in before or any(c in inner for c in "\"'<>()"):
            self.faults.append(f"style {value[:120]}")
            return
        picture = ElementTree.fromstring(unquote(inner))
        tags = {one.tag.rpartition("}")[2] for one in picture.iter()}
        if tags - {"svg", "text", "g", "defs", "pattern", "rect"}:
            self.faults.append(f"picture of {tags}")

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    """Faults of a page, and its text."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.faults, "".join(reader.text)
