"""Where somebody goes after signing in: a page of this application, never another address."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 2_000

# Browsers drop tabs and line ends inside an address and read a backslash as a slash.
_PLAIN: Final = re.compile(r"/[!-\[\]-~]*")
_LEADING_NOWHERE: Final = ("/signin", "/signout", "/setup", "/_", "/assets")


def local_path(text: str) -> str:
    """Return a path of this application with its query, or "" for anything else."""
    if len(text) > LONGEST or not _PLAIN.fullmatch(text) or text.startswith("//"):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc or parts.path.startswith(("//", *_LEADING_NOWHERE)):
        return ""
    return text
