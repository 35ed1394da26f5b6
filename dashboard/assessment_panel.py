"""The assessment of one area, to be read in a minute: index, signals, forecast, clocks, trust."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from dashboard import assessment, controls, index_panel, numerals, panels, queries
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache
from dashboard.elements import html
from dashboard.state import ViewState
from dashboard.text import Words
from dashboard.view import View
from data.periods import Window

if TYPE_CHECKING:
    from dashboard.areas import Area
    from dashboard.assessment import Chance, Record, Signal, Verdict
    from data.access import Scope
    from data.shown_settings import Names, ShownSettings
    from data.store import Snapshot

Component = Any


def draw(scope: Scope, snapshot: Snapshot, view: View, name: str, words: Words) -> html.Section:
    """
    The assessment of the area in view, or why there is none.

    Signals, forecasts and clocks stand as of now: an earlier window shows the index and the trust.

    Raises
    ------
    NotVisibleError
        The scope covers no area exactly.
    """
    is_filtered = view.selection.categories is not None or view.selection.min_severity > 0
    return _drawn(scope, snapshot, _plain(view, words.lang), name, is_filtered)


def _plain(view: View, lang: str) -> View:
    """All of a view that the panel tells of, so that other views of the area share the panel."""
    window = view.selection.window
    selection = queries.Selection(Window(window.end, 1, window.grain), None, 0)
    return View(ViewState(lang=lang), view.subject, view.subject.level, None, selection, ())


@scoped_cache
def _drawn(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    name: str,
    is_filtered: bool,
) -> html.Section:
    words = Words(view.state.lang)
    title = words("assess_title", name=name)
    settings, area = assessment.settings(scope, snapshot), view.subject
    is_there = hierarchy(scope, snapshot).at(area.level).valid_on(view.selection.window.last_day)
    if settings is None or not is_there[area.index]:
        said = words("assess_none" if settings is None else "assess_not_there")
        return panels.panel(title, panels.empty(words, said), about="index", words=words)
    is_newest = view.selection.window.end == _last(snapshot)
    notes = [words("assess_unfiltered")] * is_filtered + [words("assess_earlier")] * (not is_newest)
    parts = [index_part(scope, snapshot, view, settings, words)]
    if is_newest:
        parts += [
            _signals(scope, snapshot, area, settings, words),
            _forecast(scope, snapshot, area, settings, words),
            _clocks(scope, snapshot, area, settings, words),
        ]
    parts.append(_trust(scope, snapshot, view, words))
    return panels.panel(
        title, *parts, about="index", words=words, note=words("assess_join").join(notes)
    )


def silence(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[Component]:
    """Say which sources of the area have gone silent."""
    if scope.is_protected or "analysis" not in snapshot.manifest.raw:
        return []
    known = assessment.trust(scope, snapshot, view.subject, _last(snapshot))
    if known is None or not known.is_silent:
        return []
    told = words("assess_silent", sources=_titles(snapshot, known.silent_sources, words))
    return [html.P(told, className="silence", role="status")]


def _last(snapshot: Snapshot) -> dt.date:
    """Last analysed period."""
    said = snapshot.manifest.raw["analysis"].get("last")
    return dt.date.fromisoformat(said) if said else snapshot.manifest.last_period


def _as_of(snapshot: Snapshot) -> dt.date:
    return dt.date.fromisoformat(snapshot.manifest.raw["analysis"]["as_of"])


def _part(title: str, *content: Component, about: str, words: Words, aside: str = "") -> html.Div:
    label = [html.Span(title), *([html.Small(aside)] if aside else [])]
    head = html.H3([*label, panels.method_link(about, words)], className="assess-head")
    return html.Div([head, *content], className="assess-part")


def index_part(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    settings: ShownSettings,
    words: Words,
    *,
    is_open: bool = False,
) -> html.Div:
    """
    Verdict, reasons and glass box of the area in view.

    Parameters
    ----------
    is_open
        The glass box is unfolded from the start.
    """
    area, window = view.subject, view.selection.window
    row = assessment.index(scope, snapshot, area, window.end)
    if row is None:
        said = html.P(words("assess_no_index"), className="panel-note")
        return html.Div(said, className="assess-part")
    known = assessment.trust(scope, snapshot, area, window.end)
    is_alone = assessment.stands_alone(scope, snapshot, area.level, window.last_day)
    trace = assessment.trace(scope, snapshot, area, window.end)
    span = settings.index.span(area.level, window.grain).periods
    verdict = index_panel.verdict(
        row,
        settings.index,
        level_name=controls.level_name(snapshot, area.level, words),
        ranked=assessment.ranked(scope, snapshot, area.level, window.end),
        periods=words(f"assess_span_{window.grain}", n=span),
        is_silent=known is not None and known.is_silent,
        words=words,
    )
    if is_alone:
        # The ratios behind the risk would tell of the one or two other areas.
        withheld = html.P(words("assess_alone"), className="panel-note")
        return html.Div([*verdict, withheld], className="assess-part")
    return html.Div(
        [
            *verdict,
            *index_panel.explanation(row, settings.index, words),
            *index_panel.reasons(row, trace, settings.index, words),
            *index_panel.glass_box(row, trace, settings.index, words, is_open=is_open),
        ],
        className="assess-part",
    )


def _signals(
    scope: Scope, snapshot: Snapshot, area: Area, settings: ShownSettings, words: Words
) -> html.Div:
    day = _as_of(snapshot)
    shown = assessment.signals(scope, snapshot, area, day)
    chances = assessment.chances(scope, snapshot, area.level, day)
    is_alone = assessment.stands_alone(scope, snapshot, area.level, day)
    records = () if is_alone else assessment.records(scope, snapshot, area.level)
    if not chances:
        body: list[Component] = [html.P(words("assess_no_signals"), className="panel-note")]
    else:
        none = "" if shown else words("assess_signal_none")
        lines = [html.Li(_signal(one, chances, settings, words)) for one in shown]
        body = [
            *([html.Ul(lines, className="signals")] if lines else []),
            _track_record(chances, records, settings, words, none=none),
        ]
    aside = words("assess_signal_label")
    return _part(words("assess_signals"), *body, about="signals", words=words, aside=aside)


def _signal(
    one: Signal, chances: tuple[Chance, ...], settings: ShownSettings, words: Words
) -> list[Component]:
    by_chance = sum(
        chance.by_chance
        for chance in chances
        if (chance.group, chance.colour) == (one.group, one.colour)
    )
    told = words(
        "assess_signal",
        group=group_name(one.group, settings, words),
        days=one.window_days,
        observed=f"{one.observed:,.0f}",
        expected=_mean(one.expected),
        lower=f"{one.lower:,.0f}",
        upper=f"{one.upper:,.0f}",
    )
    detail = words(
        "assess_signal_detail",
        by=words(f"assess_by_{one.by}"),
        reached=one.reached_on,
        expires=one.expires,
        chance=_mean(by_chance),
    )
    return [
        _attention(one.colour, settings, words),
        html.Span([told, html.Small(detail)], className="signal-text"),
    ]


def _track_record(
    chances: tuple[Chance, ...],
    records: tuple[Record, ...],
    settings: ShownSettings,
    words: Words,
    *,
    none: str,
) -> html.Details:
    """Beside each colour: what chance alone would give today, and what became of earlier ones."""
    rows = []
    by_colour = {one.colour: one for one in records}
    for colour in sorted(settings.signals, reverse=True):
        today = sum(one.by_chance for one in chances if one.colour == colour)
        past = by_colour.get(colour)
        cells = (
            [words("no_value")] * 3
            if past is None
            else [f"{past.issued:,d}", f"{past.followed:,d}", _mean(past.by_chance)]
        )
        rows.append(
            html.Tr(
                [
                    html.Td(_attention(colour, settings, words)),
                    html.Td(_mean(today), className="number"),
                    *(html.Td(cell, className="number") for cell in cells),
                ]
            )
        )
    tested = max((one.tested for one in chances), default=0)
    periods = max((one.periods for one in records), default=0)
    heads = ("colour", "today", "issued", "followed", "by_chance")
    head = html.Tr([html.Th(words(f"assess_record_{key}"), scope="col") for key in heads])
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="glass-box")
    total = _mean(sum(one.by_chance for one in chances))
    return html.Details(
        [
            html.Summary(words("assess_record", none=none, n=f"{tested:,d}", chance=total)),
            html.Div(table, className="table-box"),
            html.P(words("assess_record_note", n=periods), className="panel-note"),
        ],
        className="glass",
    )


def _forecast(
    scope: Scope, snapshot: Snapshot, area: Area, settings: ShownSettings, words: Words
) -> html.Div:
    title, grain = words("assess_forecast"), snapshot.manifest.grain
    verdicts = {one.group: one for one in assessment.verdicts(scope, snapshot, area.level)}
    found = assessment.forecasts(scope, snapshot, area)
    if not found:
        none = html.P(words("assess_no_forecast"), className="panel-note")
        return _part(title, none, about="forecast", words=words)
    shown, hidden = [], []
    for one in found:
        verdict, name = verdicts.get(one.group), group_name(one.group, settings, words)
        if verdict is not None and verdict.is_shown:
            told = (_mean(one.mean), f"{one.lower:,.0f}–{one.upper:,.0f}")
            shown.append(index_panel.figure(name, told[0], told[1]))
        else:
            hidden.append(words("assess_hidden", group=name, reason=hidden_reason(verdict, words)))
    start = words(f"assess_next_{grain}", start=found[0].period_start)
    body: list[Component] = [html.Dl(shown, className="assess-figures")] if shown else []
    body += [html.P(text, className="panel-note") for text in hidden]
    return _part(title, *body, about="forecast", words=words, aside=start)


def hidden_reason(verdict: Verdict | None, words: Words) -> str:
    """Why a forecast is not shown, in words."""
    if verdict is None:
        return words("assess_hidden_few_periods")
    plain = verdict.reason_method
    method = words(f"assess_method_{plain}") if plain else words("assess_method_any")
    return words(f"assess_hidden_{verdict.reason}", method=method)


def _clocks(
    scope: Scope, snapshot: Snapshot, area: Area, settings: ShownSettings, words: Words
) -> html.Div:
    found = assessment.clocks(scope, snapshot, area)
    known = [one for one in found if one.started]
    body: list[Component] = []
    if known:
        heads = ("clock", "overdue", "running", "6h", "24h", "oldest")
        head = html.Tr([html.Th(words(f"assess_clock_{key}"), scope="col") for key in heads])
        rows = [
            html.Tr(
                [
                    html.Td(_named(settings.clocks, one.clock, words)),
                    *(
                        html.Td(text, className="number")
                        for text in (
                            f"{one.overdue:,d}",
                            f"{one.running:,d}",
                            _known(one.expected_breach_6h),
                            _known(one.expected_breach_24h),
                            _days(one.oldest_overdue_days, words),
                        )
                    ),
                ]
            )
            for one in known
        ]
        table = html.Table([html.Thead(head), html.Tbody(rows)], className="glass-box")
        body.append(html.Div(table, className="table-box"))
    untold = [_named(settings.clocks, one.clock, words) for one in found if not one.started]
    if untold:
        names = words("assess_list").join(untold)
        body.append(html.P(words("assess_clock_untold", clocks=names), className="panel-note"))
    if not found:
        body.append(html.P(words("assess_no_clocks"), className="panel-note"))
    body += _cohort(scope, snapshot, area, words)
    as_of = words("assess_as_of", day=_as_of(snapshot))
    return _part(words("assess_clocks"), *body, about="clocks", words=words, aside=as_of)


def _cohort(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> list[Component]:
    one = assessment.cohort(scope, snapshot, area)
    if one is None:
        return []
    told = words(
        f"assess_cohort_{snapshot.manifest.grain}",
        start=one.period_end,
        n=f"{one.resolved_30d:,.0f}",
        m=f"{one.received:,d}",
        share=numerals.share(int(one.resolved_30d), one.received, words),
    )
    more = words("assess_cohort_unknown", n=f"{one.unknown:,d}") if one.unknown else ""
    return [html.P(told + more, className="assess-line")]


def _trust(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> html.Div:
    title = words("assess_trust")
    one = assessment.trust(scope, snapshot, view.subject, view.selection.window.end)
    if one is None:
        none = html.P(words("assess_no_trust"), className="panel-note")
        return _part(title, none, about="origin", words=words)
    total = one.reported + one.discovered
    found = words("assess_found_of", n=f"{one.discovered:,d}", m=f"{total:,d}")
    figures = [
        index_panel.figure(words("assess_discovered"), _share(one.discovered_share, words), found),
        index_panel.figure(words("assess_complete"), _share(one.complete, words)),
    ]
    if not math.isnan(one.unplaced_share):
        figures.append(
            index_panel.figure(words("assess_unplaced"), _share(one.unplaced_share, words))
        )
    quiet = _titles(snapshot, one.silent_sources, words) or words("assess_silent_none")
    figures.append(index_panel.figure(words("assess_silent_sources"), quiet))
    return _part(title, html.Dl(figures, className="assess-figures"), about="origin", words=words)


def _attention(colour: int, settings: ShownSettings, words: Words) -> html.Span:
    """A level of statistical attention: the names are its own, the tints those of the index."""
    return index_panel.colour_chip(colour, words.pick(*settings.signals[colour]), settings.index)


def group_name(name: str, settings: ShownSettings, words: Words) -> str:
    """Name of a group of categories."""
    return words("assess_all") if name == "all" else _named(settings.groups, name, words)


def _named(names: dict[str, Names] | Any, name: str, words: Words) -> str:
    return words.pick(*names.get(name, (name, name)))


def _titles(snapshot: Snapshot, names: str, words: Words) -> str:
    """Titles of sources whose names stand with spaces between."""
    titles = {
        one["name"]: words.pick(one["title_zh"], one["title_en"])
        for one in snapshot.manifest.raw["sources"]
    }
    return words("assess_list").join(titles.get(name, name) for name in names.split())


def _mean(value: float) -> str:
    """A mean with as many decimals as it needs: 2,783; 23.9; 0.13."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _known(value: float) -> str:
    return "–" if math.isnan(value) else _mean(value)


def _days(value: float, words: Words) -> str:
    return "–" if math.isnan(value) else words("assess_days", n=f"{value:,.0f}")


def _share(value: float, words: Words) -> str:
    return words("no_value") if math.isnan(value) else f"{value:.1%}"
