"""Find Chinese names as they are typed without an input method: by full or first letters."""

from __future__ import annotations

import functools

import pypinyin

Readings = tuple[str, ...]


def matches(letters: str, name: str) -> bool:
    """
    Whether letters spell consecutive characters of a name.

    Each character may be spelled in full or by its first letter, the last one by any beginning:
    `xgq`, `xigu` and `xiguq` all find Xigu Qu. Every reading of a character counts.

    Parameters
    ----------
    letters
        Latin letters without tones or spaces, in lower case.
    """
    spelled = [readings(character) for character in name]
    return any(_spell(letters, spelled[start:]) for start in range(len(spelled)))


@functools.lru_cache(maxsize=20_000)
def readings(character: str) -> Readings:
    """Readings of a character in plain letters; a character that has none stands for itself."""
    found = pypinyin.pinyin(
        character, style=pypinyin.Style.NORMAL, heteronym=True, errors="default"
    )
    return tuple(dict.fromkeys(str(each).casefold() for each in found[0])) if found else ()


def _spell(letters: str, spelled: list[Readings]) -> bool:
    if not letters:
        return True
    if not spelled:
        return False
    here, rest = spelled[0], spelled[1:]
    return any(
        reading.startswith(letters)
        or (letters.startswith(reading) and _spell(letters[len(reading) :], rest))
        or (letters[0] == reading[:1] and _spell(letters[1:], rest))
        for reading in here
    )
