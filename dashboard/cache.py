"""The one cache of query results: its key always holds the snapshot and what the user may see."""

from __future__ import annotations

import functools
import inspect
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

P = ParamSpec("P")
R = TypeVar("R")

LIMIT: Final = 256
"""Small results kept per function; the least recently used goes first."""

FEW: Final = 16
"""The same for results of a value or more per area or cell: megabytes each in a large city."""


class UnscopedError(TypeError):
    """A function that would be cached does not take `scope` and `snapshot` first."""


def scoped_cache(function: Callable[P, R], *, limit: int = LIMIT) -> Callable[P, R]:
    """
    Keep up to `limit` results by snapshot id, allowed areas and the other (hashable) arguments.

    Users who may see the same areas share a result; nobody else does. Callers must not change
    what they get.

    Raises
    ------
    UnscopedError
        When decorating: the first two parameters are not `scope` and `snapshot`.
    """
    names = list(inspect.signature(function).parameters)
    if names[:2] != ["scope", "snapshot"]:
        raise UnscopedError(f"{function.__qualname__} must take scope and snapshot first: {names}")
    kept: OrderedDict[Hashable, R] = OrderedDict()
    lock = threading.Lock()

    @functools.wraps(function)
    def cached(*args: P.args, **kwargs: P.kwargs) -> R:
        scope, snapshot, *rest = args
        key = _key(scope, snapshot, rest, kwargs)
        with lock:
            if key in kept:
                kept.move_to_end(key)
                return kept[key]
        result = function(*args, **kwargs)
        with lock:
            kept[key] = result
            while len(kept) > limit:
                kept.popitem(last=False)
        return result

    return cached


def scoped_cache_of_few(function: Callable[P, R]) -> Callable[P, R]:
    """Keep results that are large, as `scoped_cache` does."""
    return scoped_cache(function, limit=FEW)


def _key(scope: Any, snapshot: Any, rest: list[Any], kwargs: dict[str, Any]) -> Hashable:
    # The home tells two installations in one process apart.
    where = (str(snapshot.home), snapshot.id)
    return where, scope.cache_key, tuple(rest), tuple(sorted(kwargs.items())) if kwargs else ()
