"""Draw the permission matrix in security.md: what the program reads is what the reader sees."""

import re
from pathlib import Path
from typing import Final

from data.permissions import Right, matrix

PAGE: Final = Path(__file__).with_name("security.md")
BEGIN: Final = "<!-- matrix: python -m docs.permission_matrix -->"
END: Final = "<!-- /matrix -->"

_WORDS: Final = {"-": "–", "self": "own", "own": "areas", "wider": "protected", "all": "yes"}


def table() -> str:
    """The matrix as a Markdown table: one row per action, one column per role."""
    known = matrix()
    roles = known.roles.values()
    rows = [
        ["action", *(f"{role.title_en}<br>{role.title_zh}" for role in roles)],
        ["---"] * (len(known.roles) + 1),
    ]
    for action, (title_zh, title_en) in known.actions.items():
        cells = [_cell(known.right(action, role.name)) for role in roles]
        rows.append([f"{title_en}<br>{title_zh}", *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def drawn(page: str) -> str:
    """
    The page with the table as it is now between the two marks.

    Raises
    ------
    ValueError
        The page does not hold the marks once each.
    """
    found, count = re.subn(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}",
        lambda _: f"{BEGIN}\n{table()}\n{END}",
        page,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{PAGE.name} holds the marks {BEGIN} … {END} {count} times; keep one")
    return found


def _cell(right: Right) -> str:
    return _WORDS[right.reach] + (" +" if right.needs_reason else "")


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE}: {len(matrix().actions)} actions × {len(matrix().roles)} roles")
