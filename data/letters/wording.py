"""Text that a person wrote into a letter: fit to be stored, and about no person."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the field of a data class
import re
from dataclasses import dataclass, fields
from typing import Final

import pyarrow as pa

from data.personal import names_a_person

LONGEST: Final = {"addressee": 60, "title": 100, "body": 4_000}
SHORTEST: Final = {"addressee": 2, "title": 4, "body": 10}

# Common surnames; those that are also everyday words before a verb (于, 和, 向, 应 …) are left out.
_SURNAME: Final = (
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁"
    "沈姚卢姜崔钟谭陆汪范廖石韦贾夏付邹熊孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤]"
)
_SIGN: Final = "[\u4e00-\u9fff]"
_ROLE: Final = (
    "姓名|联系人|当事人|报警人|来电人|投诉人|举报人|求助人|信访人|责任人|嫌疑人|受害人|承办人|经办人|"
    "被调解人"
)
_NAMED: Final = re.compile(
    rf"(?:{_ROLE})\s*(?:[:：为是叫]\s*)?{_SURNAME}{_SIGN}{{1,2}}(?!{_SIGN}*[区县市镇乡街路村社])"
    rf"|{_SURNAME}{_SIGN}{{0,2}}(?:先生|女士|同志|某某|某)"
    r"|\b(?:Mr|Mrs|Ms|Miss|Dr)\.? [A-Z][a-z]+"
)


class WordingError(ValueError):
    """
    A text cannot be taken.

    Attributes
    ----------
    faults
        Field to `short`, `long`, `unprintable` or `personal`.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {what}" for name, what in faults.items()))
        self.faults = faults


@dataclass(frozen=True)
class Wording:
    """What a person may change in a letter; texts in Chinese and English."""

    addressee_zh: str
    addressee_en: str
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    due: dt.date | None


def checked(wording: Wording) -> Wording:
    """
    The wording with plain line ends.

    Raises
    ------
    WordingError
        With every text that is too short, too long, or holds what cannot be printed, or an identity
        or telephone number, a plate, a mail address or the name of a person.
    """
    texts = {one.name: _plain(getattr(wording, one.name)) for one in fields(Wording)[:-1]}
    faults = {name: what for name, text in texts.items() if (what := _fault(name, text))}
    if faults:
        raise WordingError(faults)
    return Wording(**texts, due=wording.due)


def is_personal(text: str) -> bool:
    """Whether a text names a person, by a number or by a name."""
    # Across line ends too: a number may be cut in two.
    joined = text.replace("\n", " ")
    return bool(names_a_person(pa.array([joined]))[0]) or _NAMED.search(joined) is not None


def _plain(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _fault(name: str, text: str) -> str:
    part = name.rpartition("_")[0]
    if len(text) < SHORTEST[part]:
        return "short"
    if len(text) > LONGEST[part]:
        return "long"
    if not text.replace("\n", "").isprintable():
        return "unprintable"
    return "personal" if is_personal(text) else ""
