"""The image of a view: what the screen shows, as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard import controls
from dashboard.images.formats import SIZES, check
from dashboard.images.gather import Shown, focus_name, shown, side
from dashboard.images.legends import legends, main
from dashboard.images.page import Drawn, compose
from dashboard.images.picture import Picture
from dashboard.map import compared, known
from dashboard.text import Words
from dashboard.view import settle

if TYPE_CHECKING:
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot


def draw(
    scope: Scope,
    snapshot: Snapshot,
    search: str,
    *,
    size: str = "screen",
    dpi: int | None = None,
    kind: str = "png",
    mark: str = "",
    archive: known.Archive | None = None,
) -> bytes:
    """
    Draw the map of a view, with what it is compared with beside it.

    Call it in one's turn (`dashboard.images.turns`).

    Parameters
    ----------
    search
        Query of an address.
    size
        One of `dashboard.images.formats.SIZES`.
    dpi
        Pixels per inch; None is the size's own.
    kind
        One of `dashboard.images.formats.KINDS`.
    mark
        Who took it and when, printed at the foot.
    archive
        Earlier snapshots, for a view beside what was known then.

    Returns
    -------
    content
        The file's bytes; the same picture gives the same bytes.

    Raises
    ------
    NotVisibleError
        The scope covers nothing.
    FontError
        No font with Chinese is installed.
    ValueError
        Size, dpi or kind is none of those on offer.
    """
    check(size=size, dpi=dpi, kind=kind)
    made = picture(scope, snapshot, search, mark=mark, archive=archive)
    return composed(made, size=size, dpi=dpi).sheet.content(kind)


def composed(made: Picture, *, size: str, dpi: int | None) -> Drawn:
    """A picture on a sheet of one of the sizes."""
    return compose(made, size=SIZES[size], dpi=dpi or SIZES[size].dpi)


def picture(
    scope: Scope,
    snapshot: Snapshot,
    search: str,
    *,
    mark: str = "",
    archive: known.Archive | None = None,
) -> Picture:
    """What the image of a view shows."""
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    first = shown(scope, snapshot, view, words)
    sides = [(first, "")]
    kind = view.state.compare
    if earlier := known.then(scope, archive, snapshot, view):
        then = shown(scope, earlier.snapshot, earlier.view, words)
        sides = [(each, known.title(each.snapshot, words)) for each in (first, then)]
    elif beside := compared.other(scope, snapshot, view):
        second = shown(scope, snapshot, beside, words)
        sides = [
            (each, compared.title(snapshot, each.view, kind, words)) for each in (first, second)
        ]
    drawn = [*legends(scope, first, words)]
    other = sides[-1][0]
    if other.found and first.found and other.found.name != first.found.name:
        drawn.insert(1, main(scope, other, words))
    return Picture(
        title=title(scope, first, words),
        subtitle=subtitle(snapshot, view, words),
        sides=tuple(side(scope, each, words, title=text) for each, text in sides),
        legends=tuple(drawn),
        foot=foot(snapshot, words, mark),
        safe=view.state.palette == "safe",
    )


def title(scope: Scope, one: Shown, words: Words) -> str:
    """Name of the area in view and what the colours tell."""
    name = focus_name(scope, one.snapshot, one.view.focus, words)
    what = main(scope, one, words).title
    return words("image_heading", area=name, what=what)


def subtitle(snapshot: Snapshot, view: View, words: Words, *, dated: bool = True) -> str:
    """Level, window and filter."""
    window = view.selection.window
    parts = [controls.level_name(snapshot, view.level, words)]
    if dated:
        parts.append(words("week_range", first=window.start, last=window.last_day))
    table = snapshot.categories
    chosen = table[table["code"] == view.state.category]
    if not chosen.empty:
        parts.append(words.pick(chosen["name_zh"].iloc[0], chosen["name_en"].iloc[0]))
    if view.state.severity:
        parts.append(words(f"severity_{view.state.severity}"))
    return words("image_join").join(parts)


def foot(snapshot: Snapshot, words: Words, mark: str) -> tuple[str, ...]:
    """Notice of the city; snapshot and how far it reaches; by whom and when."""
    manifest = snapshot.manifest
    city = manifest.city
    as_of = words("footer_as_of", as_of=manifest.raw["periods"]["as_of"])
    data = words("image_join").join([words("footer_snapshot", snapshot=snapshot.id), as_of])
    notice = words.pick(city["notice_zh"], city["notice_en"])
    taken = words("image_join").join(filter(None, [data, mark and words("image_mark", mark=mark)]))
    return tuple(filter(None, (notice, taken)))
