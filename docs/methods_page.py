"""Join the texts of the methods page into methods.md: the docs say what the screen says."""

from pathlib import Path
from typing import Final

from dashboard.pages.methods import SECTIONS, source

PAGE: Final = Path(__file__).with_name("methods.md")
_HEADS: Final = {"zh": "# 方法说明", "en": "# Methods"}


def joined() -> str:
    """Every method in Chinese, then every method in English, one heading down."""
    parts = [
        "<!-- python -m docs.methods_page joins dashboard/methods/*.md: edit those -->",
        "[中文](#方法说明) · [English](#methods) · [counting in detail](counting.md)",
    ]
    for language, head in _HEADS.items():
        parts.append(head)
        parts += [_one_down(source(name, language)) for name in SECTIONS]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _one_down(text: str) -> str:
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in text.splitlines())


if __name__ == "__main__":
    PAGE.write_text(joined(), encoding="utf-8")
