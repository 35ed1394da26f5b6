"""`pingan matches`: pairs that may be one event told by two channels, and what was decided."""
# ruff: noqa: PLC0415 - a command loads its libraries when it runs

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.console import AsJson, print_json, print_rows, settings, told_in_one_line

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Pairs that may be one event, told by two channels: list, decide.", no_args_is_help=True
)

CsvFile = Annotated[
    Path | None, typer.Option("--csv", help="Write all of them to this file.", dir_okay=False)
]

_SHOWN = ("score", "first_id", "second_id", "gap_hours", "distance_m", "same_subcategory")


@app.command("list")
def list_pairs(
    undecided: Annotated[bool, typer.Option("--undecided", help="Only these.")] = False,
    out: CsvFile = None,
    limit: Annotated[int, typer.Option(help="Pairs to print.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Print the proposed pairs, the surest first, with what was decided."""
    with told_in_one_line():
        pairs = _decided(undecided=undecided)
        if out is not None:
            # Spreadsheets take UTF-8 for what it is only with its mark.
            pairs.to_csv(out, index=False, encoding="utf-8-sig")
            typer.echo(f"{len(pairs):,} pairs are in {out}")
        elif as_json:
            print_json(pairs.astype("object").where(pairs.notna(), None).to_dict("records"))
        else:
            _print(pairs, limit)


@app.command()
def decide(
    first: Annotated[str, typer.Argument(help="Incident id.")],
    second: Annotated[str, typer.Argument(help="Incident id.")],
    same: Annotated[bool, typer.Option("--same/--different", help="Whether both are one event.")],
    by: Annotated[str, typer.Option(help="Role that decides, not a name.")] = "operator",
) -> None:
    """Keep a decision about a proposed pair; counts stay as they are."""
    with told_in_one_line():
        from etl import reviews

        review = reviews.decide(
            settings().home,
            _matches(),
            (first, second),
            decision="same" if same else "different",
            by=by,
            now=dt.datetime.now(dt.UTC),
        )
        typer.echo(f"{review.first_id} and {review.second_id}: {review.decision}")


def _matches() -> pd.DataFrame:
    from data.store import Store

    return Store(settings().home).refresh().read("matches")


def _decided(*, undecided: bool) -> pd.DataFrame:
    from etl.reviews import apply_reviews, read_reviews

    pairs = apply_reviews(_matches(), read_reviews(settings().home))
    if undecided:
        pairs = pairs[pairs["decision"].isna()]
    return pairs.sort_values(
        ["score", "first_id", "second_id"], ascending=[False, True, True], ignore_index=True
    )


def _print(pairs: pd.DataFrame, limit: int) -> None:
    shown = pairs.head(limit)
    shown = shown.astype("object").where(shown.notna(), "–")
    names = (*_SHOWN, "decision")
    print_rows(
        f"{len(pairs):,} proposed pairs, the first {len(shown):,}",
        names,
        [tuple(row[name] for name in names) for row in shown.to_dict("records")],
    )
