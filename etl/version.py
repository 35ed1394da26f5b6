"""The version of the program that stands in every manifest."""

from __future__ import annotations

import importlib.metadata

_UNINSTALLED = "source"


def code_version() -> str:
    """Version of the installed distribution; `source` where the code runs uninstalled."""
    try:
        return importlib.metadata.version("pingan-map")
    except importlib.metadata.PackageNotFoundError:
        return _UNINSTALLED
