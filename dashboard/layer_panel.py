"""The panel of layers on the map: what is coloured, what is drawn over it, and every legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dashboard.elements import html
from dashboard.map import overlays
from dashboard.map.layers import UNLABELLED
from dashboard.map.overlays import Overlay
from dashboard.markup import attributes
from dashboard.state import OPACITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.state import ViewState
    from dashboard.text import Words

Component = Any

SHOWN: Final = 2
"""Lines of an overlay's legend that are never folded: its icon, and what it is."""


def draw(
    state: ViewState,
    *,
    measures: Sequence[str],
    known: Sequence[str],
    level_names: Mapping[str, str],
    comparisons: Sequence[tuple[str, str]],
    main: Sequence[Component],
    legends: Mapping[str, Sequence[Component]],
    words: Words,
    has_image: bool = False,
) -> list[Component]:
    """
    The whole panel.

    Every choice is a link to the view that it leads to, so that the address stays the one place
    where a view is kept.

    Parameters
    ----------
    measures
        What the areas' colour may tell, as far as there is data.
    known
        Overlays on offer.
    level_names
        Name of each level, for its boundaries.
    comparisons
        What the view can be compared with: value of `compare`, and its words.
    main
        Legend of the main layer.
    legends
        Legend of each overlay that is on.
    has_image
        With the way to an image of the view, for those who may export.
    """
    main_layer = Overlay("main", state.opacity)
    on = {each.name: each for each in overlays.read(state.overlays, known=known)}
    rows = [
        _row(
            state,
            name,
            on.get(name),
            known=known,
            text=_name(name, level_names, words),
            words=words,
        )
        for name in known
    ]
    return [
        *([_measures(state, measures, words)] if state.layer == "areas" else []),
        html.Div(list(main), className="legend-main"),
        html.Details(
            [
                html.Summary(words("layers_title", n=len(on))),
                html.Div(
                    [
                        _opacity(main_layer, words("layer_main"), words, _set_main(state)),
                        html.Ul(rows, className="layers"),
                        _safe_palette(state, words),
                    ],
                    className="layer-list-body",
                ),
            ],
            className="layer-list",
            **attributes(data_fold="layers"),
        ),
        _comparisons(state, comparisons, words),
        *([_image(state, words)] if has_image else []),
        # Last: however many there are, the choices above stay in reach.
        *_shown_legends(on, legends, words),
    ]


def _image(state: ViewState, words: Words) -> html.A:
    """The way to the view as a file."""
    return html.A(
        words("menu_image"), href=f"/image{state.to_search()}", className="choice map-image"
    )


def _safe_palette(state: ViewState, words: Words) -> html.Div:
    """The same colours for everybody, or ones that a weak colour sense tells apart."""
    is_safe = state.palette == "safe"
    return html.Div(
        html.A(
            [html.Span("✓" if is_safe else "", className="layer-mark"), words("palette_safe")],
            href=state.to_href(palette="" if is_safe else "safe"),
            className="layer-switch" + (" is-on" if is_safe else ""),
            **attributes(data_choice="palette"),
        ),
        className="palette",
    )


def _comparisons(
    state: ViewState, comparisons: Sequence[tuple[str, str]], words: Words
) -> html.Details:
    """What a second map may show beside the first."""
    none = _choice(
        "compare",
        words("twin_none"),
        state.to_href(compare=""),
        is_current=not state.compare,
        title=words("twin_none"),
    )
    rows = [
        _choice(
            f"compare {value}",
            text,
            state.to_href(compare=value),
            is_current=value == state.compare,
            title=words("twin_with", name=text),
        )
        for value, text in comparisons
    ]
    return html.Details(
        [
            html.Summary(words("twin_title")),
            html.Div(
                [
                    *([_split(state, words)] if state.compare else []),
                    html.Div([none, *rows], className="choices compare"),
                ],
                className="layer-list-body",
            ),
        ],
        className="layer-list",
        **attributes(data_fold="compare"),
    )


def _split(state: ViewState, words: Words) -> html.Div:
    """How two maps share the room."""
    kinds = {"": "twin_split_line", "side": "twin_split_side"}
    return html.Div(
        [
            _choice(
                f"split {split}",
                words(name),
                state.to_href(split=split),
                is_current=split == state.split,
                title=words(name),
            )
            for split, name in kinds.items()
        ],
        className="choices split",
        role="group",
        **attributes(aria_label=words("twin_split")),
    )


def _measures(state: ViewState, measures: Sequence[str], words: Words) -> html.Nav:
    """What the colour tells: one of several."""
    return html.Nav(
        [
            _choice(
                f"measure {name}",
                words(f"measure_short_{name}"),
                state.to_href(measure=name),
                is_current=name == state.measure,
                title=words(f"measure_about_{name}"),
            )
            for name in measures
        ],
        className="choices measures",
        **attributes(aria_label=words("measures_title")),
    )


def _choice(choice: str, text: str, href: str, *, is_current: bool, title: str) -> Component:
    """
    One of several; the present one leads nowhere.

    Parameters
    ----------
    choice
        What it chooses, whatever else the address says; unique in the panel.
    """
    if is_current:
        marks = attributes(aria_current="true", data_choice=choice)
        return html.Span(text, className="choice current", title=title, **marks)
    marks = attributes(data_choice=choice)
    return html.A(text, href=href, className="choice", title=title, **marks)


def _shown_legends(
    on: dict[str, Overlay], legends: Mapping[str, Sequence[Component]], words: Words
) -> list[Component]:
    """Legends of what is on, the topmost first; what is more than two lines is folded."""
    drawn = []
    for name in reversed(on):
        rows = list(legends.get(name, ()))
        folded = []
        if name != overlays.CELLS and len(rows) > SHOWN:
            rest = [html.Summary(words("legend_more")), *rows[SHOWN:]]
            rows, folded = rows[:SHOWN], [html.Details(rest)]
        if rows:
            drawn.append(html.Div([*rows, *folded], className="legend-overlay"))
    return drawn


def _row(
    state: ViewState,
    name: str,
    shown: Overlay | None,
    *,
    known: Sequence[str],
    text: str,
    words: Words,
) -> html.Li:
    """One layer: its switch and, while it is on, its opacity and its place in the order."""
    switch = html.A(
        [html.Span("✓" if shown else "", className="layer-mark"), text],
        href=overlays.toggled(state, name, known=known).to_href(),
        className="layer-switch" + (" is-on" if shown else ""),
        title=words("layer_off" if shown else "layer_on", name=text),
        **attributes(data_choice=f"layer {name}"),
    )
    if shown is None or name == UNLABELLED:
        return html.Li([switch])

    def faded(percent: int) -> str:
        return overlays.faded(state, name, percent, known=known).to_href()

    up = html.A(
        "↑",
        href=overlays.raised(state, name, known=known).to_href(),
        className="choice layer-up",
        title=words("layer_up", name=text),
        **attributes(data_choice=f"up {name}"),
    )
    return html.Li([switch, _opacity(shown, text, words, faded), up])


def _opacity(layer: Overlay, name: str, words: Words, href: Any) -> html.Span:
    """Steps of opacity as links."""
    return html.Span(
        [
            _choice(
                f"fade {layer.name} {percent}",
                f"{percent}",
                href(percent),
                is_current=percent == layer.opacity,
                title=words("layer_opacity", name=name, percent=percent),
            )
            for percent in OPACITIES
        ],
        className="choices opacity",
        role="group",
        **attributes(aria_label=words("layer_opacity_of", name=name)),
    )


def _set_main(state: ViewState) -> Any:
    return lambda percent: state.to_href(opacity=percent)


def _name(name: str, level_names: Mapping[str, str], words: Words) -> str:
    level = level_names.get(name.removeprefix(overlays.LINES))
    if name.startswith(overlays.LINES) and level:
        return words("overlay_lines", level=level)
    return words(f"overlay_{name}")
