"""The commands about one source: propose it, check it, make its template, list all."""
# ruff: noqa: PLC0415 - libraries are imported inside the commands, as in `etl.cli`

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    from data.city import City
    from data.source import Source
    from etl.rehearsal import Rehearsed

app = typer.Typer(
    help="Describe, check and list the sources of a city.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

CityFolder = Annotated[Path, typer.Option("--city", help="City folder.", file_okay=False)]
MaybeCity = Annotated[
    Path | None, typer.Option("--city", help="City folder, to try areas in.", file_okay=False)
]


_LISTED: Final = ("name", "title_zh", "format", "frame", "channel", "origin", "from")


class SourceNameError(ValueError):
    """The city has no such source; the message names those that it has."""


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Sample file.", exists=True, dir_okay=False)],
    city: MaybeCity = None,
    name: Annotated[str | None, typer.Option(help="Name instead of the file's.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of printing.")] = None,
) -> None:
    """Propose a source from a sample file; read it and confirm its frame before it is used."""
    with told_in_one_line():
        from etl.boundaries import read_boundaries
        from etl.proposal import propose, source_name
        from etl.proposal_text import proposal_text
        from etl.samples import read_sample

        named = name or (out.stem if out else source_name(file.stem))
        known = _read_city(city) if city else None
        built = read_boundaries(known) if known else None
        found = propose(read_sample(file), name=named, city=known, built=built)
        text = proposal_text(found, file=_as_written(file, city))
        if out is None:
            typer.echo(text, nl=False)
            return
        with out.open("x", encoding="utf-8") as stream:
            stream.write(text)
        typer.echo(f"{out} is proposed; read its comments, then: pingan source check {out.stem}")


@app.command()
def check(
    city: CityFolder,
    name: Annotated[str | None, typer.Argument(help="Source; all unless given.")] = None,
    every_row: Annotated[
        bool, typer.Option("--all", help="Read files to their end, not their first 262,144 rows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what a build would make of a source, without doing it; exit 1 if it is unusable."""
    with told_in_one_line():
        from dataclasses import asdict

        from etl.rehearsal import rehearse

        known = _read_city(city)
        names = [source.name for source in known.sources]
        if name is not None:
            _find(known, name)
            names = [name]
        told = []
        for one in rehearse(known, names, every_row=every_row):
            told.append(one)
            if not as_json:
                _print(one)
        if as_json:
            print_json({one.name: {"ok": one.is_usable} | asdict(one) for one in told})
        if not all(one.is_usable for one in told):
            raise typer.Exit(1)


@app.command()
def template(
    name: Annotated[str, typer.Argument(help="Source.")],
    city: CityFolder,
    out: Annotated[Path, typer.Option(help="Workbook (.xlsx) to write.")],
) -> None:
    """Write an empty Excel ledger of a source, to be filled in."""
    with told_in_one_line():
        from etl.sources.template import write_template

        known = _read_city(city)
        write_template(_find(known, name), known, out)
        typer.echo(f"{out} is the template of {name}")


@app.command("list")
def list_sources(city: CityFolder, as_json: AsJson = False) -> None:
    """List the sources of a city."""
    with told_in_one_line():
        known = _read_city(city)
        listed = [
            {
                "name": source.name,
                "title_zh": source.title_zh,
                "title_en": source.title_en,
                "format": source.format,
                "frame": source.frame,
                "channel": source.channel,
                "origin": source.origin,
                "from": _ways(source),
            }
            for source in known.sources
        ]
        if as_json:
            print_json(listed)
        else:
            print_rows(
                f"{known.name_zh} {known.name_en}",
                _LISTED,
                [tuple(one[column] for column in _LISTED) for one in listed],
            )


def _read_city(folder: Path) -> City:
    from data.city import read_city

    return read_city(folder, home=settings().home)


def _as_written(file: Path, city: Path | None) -> str:
    """Name a file as a source of the city does: under its data root, or by its whole path."""
    import tomllib

    from data.city import HOME_MARK

    path = file.resolve()
    if city is None:
        return path.as_posix()
    said = tomllib.loads((city / "city.toml").read_text(encoding="utf-8")).get("data_root", ".")
    if said == HOME_MARK or said.startswith(f"{HOME_MARK}/"):
        root = settings().home / said.removeprefix(HOME_MARK).lstrip("/")
    else:
        root = city / said
    is_under = path.is_relative_to(root.resolve())
    return (path.relative_to(root.resolve()) if is_under else path).as_posix()


def _find(city: City, name: str) -> Source:
    for source in city.sources:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in city.sources)
    raise SourceNameError(f"the city has no source {name!r}; it has {known}")


def _ways(source: Source) -> str:
    count = len(source.files)
    ways = [f"{count} file{'s' if count > 1 else ''}"] if count else []
    for way, given in (
        ("watched folder", source.watch),
        ("view", source.sql),
        ("push", source.push),
        ("topic", source.kafka),
    ):
        if given:
            ways.append(way)
    return ", ".join(ways) or "nowhere"


def _print(told: Rehearsed) -> None:
    part = " (the first rows of each file; --all reads to the end)" if told.is_partial else ""
    typer.echo(f"\n{told.name}: {', '.join(told.files) or 'no file to rehearse'}{part}")
    for file, reason in told.failed.items():
        typer.echo(f"  NOT READ   {file}: {reason}")
    if told.read:
        for title, text in _lines(told):
            typer.echo(f"  {title:<30} {text}")
    for title, names in (
        ("columns named but missing", told.missing_columns),
        ("person columns, not read", told.person_columns),
        ("other columns, not read", told.unread_columns),
    ):
        if names:
            typer.echo(f"  {title:<30} {', '.join(names)}")
    typer.echo(f"  {'usable' if told.is_usable else 'NOT USABLE'}")


def _lines(told: Rehearsed) -> list[tuple[str, str]]:
    account = (
        f"read {told.read:,} = accepted {told.accepted:,} + quarantined {told.quarantined:,} "
        f"+ duplicate {told.duplicate:,} + refused {told.refused:,}"
    )
    lines = [
        ("rows", account),
        ("with a point", _share(told.with_point, told.read)),
        (
            "located by",
            ", ".join(f"{how} {_share(n, told.accepted)}" for how, n in told.located.items()),
        ),
        ("time of the events", f"{told.first_time} to {told.last_time}"),
    ]
    for trial in told.frames:
        mark = "frame of the source" if trial["frame"] == told.frame else "if it were"
        own = trial["own_code"]
        code = "" if own is None else f", in the area of their code {own:.2%}"
        lines.append(
            (
                f"{mark} {trial['frame']}",
                f"in the city {trial['inside']:.2%}{code}, median shift {trial['shift_m']:,.0f} m",
            )
        )
    for reason, entry in told.reasons.items():
        rows = "; ".join(
            f"{name} rows {', '.join(map(str, first))}" for name, first in entry["first"].items()
        )
        lines.append((f"quarantined {reason}", f"{entry['rows']:,} ({rows})"))
    lines += [("refused", message) for message in told.messages]
    lines += [
        (f"unmapped {column}", ", ".join(f"{value} {n:,}" for value, n in values.items()))
        for column, values in told.unmapped.items()
    ]
    lines += [(f"personal in {name}", f"{share:.2%}") for name, share in told.personal.items()]
    lines += [(f"free text in {name}", f"{share:.2%}") for name, share in told.free_text.items()]
    return lines


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.2%})" if whole else f"{part:,}"
