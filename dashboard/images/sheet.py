"""The sheet that is drawn on: a figure without pyplot, its text, and its bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from dashboard.images import palette
from dashboard.images.fonts import families

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

_NAMELESS: Final[dict[str, dict[str, Any]]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Nothing of the machine or the moment, so that the same image has the same bytes."""

# The library's only user: text stays text in every format, names are never formulas. Type 3, as
# its other kind of font would hold a Chinese OpenType font in a form that readers refuse.
mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "pingan-map",
        "pdf.fonttype": 3,
        "text.parse_math": False,
        "hatch.linewidth": 0.6,
        "axes.unicode_minus": False,
    }
)


class Frame(NamedTuple):
    """A rectangle of the sheet, inches from the upper left."""

    left: float
    top: float
    width: float
    height: float


class Sheet:
    """A white page; text is measured as it will be drawn."""

    def __init__(self, *, width: float, height: float, dpi: int, safe: bool) -> None:
        self.width, self.height, self.safe = width, height, safe
        self.figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
        canvas: Any = FigureCanvasAgg(self.figure)  # this method of it is not typed
        self._renderer = canvas.get_renderer()

    def colour(self, text: str) -> palette.Rgba:
        """A colour of the screen."""
        return palette.colour(text, safe=self.safe)

    def axes(self, frame: Frame) -> Axes:
        """Empty axes over a rectangle of the sheet."""
        axes = self.figure.add_axes(
            (
                frame.left / self.width,
                1 - (frame.top + frame.height) / self.height,
                frame.width / self.width,
                frame.height / self.height,
            )
        )
        axes.set_axis_off()
        return axes

    def text(
        self,
        left: float,
        top: float,
        text: str,
        *,
        size: float,
        ink: str,
        bold: bool = False,
        middle: bool = False,
    ) -> None:
        """
        Write one line.

        Parameters
        ----------
        left, top
            Inches: its upper left corner or, with `middle`, the middle of its left side.
        """
        self.figure.text(
            left / self.width,
            1 - top / self.height,
            text,
            fontproperties=font(size, bold=bold),
            color=self.colour(ink),
            ha="left",
            va="center_baseline" if middle else "top",
        )

    def measure(self, text: str, *, size: float, bold: bool = False) -> tuple[float, float]:
        """Width and height of a line, inches."""
        width, height, descent = self._renderer.get_text_width_height_descent(
            text, font(size, bold=bold), ismath=False
        )
        del descent
        return width / self.figure.dpi, height / self.figure.dpi

    def wrapped(self, text: str, *, size: float, width: float) -> list[str]:
        """Break a text into lines of a width in inches: after any Chinese sign, or at a space."""
        lines, line = [], ""
        for piece in _pieces(text):
            if line and self.measure((line + piece).rstrip(), size=size)[0] > width:
                lines.append(line.rstrip())
                line = ""
            line += piece if line else piece.lstrip()
        return [*lines, line.rstrip()] if line.strip() else lines

    def fitted(self, text: str, *, size: float, width: float, bold: bool = False) -> str:
        """Shorten a line that is too long."""
        if self.measure(text, size=size, bold=bold)[0] <= width:
            return text
        while text and self.measure(f"{text}…", size=size, bold=bold)[0] > width:
            text = text[:-1]
        return f"{text.rstrip()}…"

    def content(self, kind: str) -> bytes:
        """The sheet as a file of one of `KINDS`; the same sheet gives the same bytes."""
        stream = io.BytesIO()
        self.figure.savefig(
            stream, format=kind, dpi=self.figure.dpi, facecolor="white", metadata=_NAMELESS[kind]
        )
        return stream.getvalue()


def font(size: float, *, bold: bool = False) -> FontProperties:
    """Font of a size in points, with Chinese."""
    weight = "bold" if bold else "normal"
    return FontProperties(family=list(families()), size=size, weight=weight)


def _pieces(text: str) -> Iterator[str]:
    """Parts of a text that a line must not break."""
    word = ""
    for sign in text:
        if sign.isspace():
            yield word + sign
            word = ""
        elif ord(sign) < 0x2E80 or sign in _CLOSING:
            word += sign
        else:
            if word:
                yield word
            word = sign
    if word:
        yield word


_CLOSING: Final = "\uff0c\u3002\u3001\uff1b\uff1a\uff09\u300b\u201d\uff01\uff1f"
"""Signs that no line begins with."""
