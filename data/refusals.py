"""
What is refused at the door: registers of persons, and classes about opinion or belief.

A safety map shows places and events. A file that lists persons is refused as a whole; a row whose
category is about opinion, belief, ethnicity, petitioning, assembly, or matters of organisation and
discipline is turned away before anything of it is written. Both are counted and said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.codebooks import read_book

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from data.source import Source

PERSON_REGISTER: Final = "person_register"
REFUSED_CLASS: Final = "refused_class"
REASONS: Final = (PERSON_REGISTER, REFUSED_CLASS)

# Words of categories, never of places: 民族路 is a street, but a street is no category. Each word
# is written so that ordinary work does not hold it by chance: 网上访问, 召集会议, 宣传教育, 走访.
_FORBIDDEN_ZH: Final = (
    "涉法涉诉", "涉诉", "涉稳", "维稳", "群体性事件", "群体事件", "非法集会", "集会游行",
    "集会示威", "聚集维权", "游行", "示威", "请愿", "静坐", "罢工", "罢课", "罢运",
    "民族", "少数族裔", "宗教", "信仰", "邪教",
    "舆情", "舆论", "谣言", "意识形态",
    "组织人事", "涉组织", "涉纪检", "纪检", "纪委", "监察委", "巡察", "干部作风", "党风", "选举",
    "重点人员", "重点人群", "特殊人群", "社区矫正", "刑满释放", "刑释", "吸毒人员",
    "精神障碍", "精神病人", "精神病患", "艾滋",
)  # fmt: skip
_FORBIDDEN_PATTERNS: Final = (
    r"[信上涉闹缠]\s*访(?:$|[^问客谈])", r"言\s*论(?:$|[^坛])",
    r"\bpetition", r"\breligio", r"\bethnic", r"\bcults?\b", r"^opinions?$",
    r"\b(?:public|online|political) opinions?\b", r"\bideolog", r"\bdissent", r"\bdissident",
    r"\bprotest", r"\bdemonstrations?\b", r"\bmass incident",
    r"\b(?:unlawful|public|mass|illegal) (?:assembly|gathering)", r"\blabou?r strikes?\b",
    r"\belections?\b", r"\bdisciplin(?:e|ary) inspection", r"\bparty discipline",
    r"\bpersons? of (?:interest|concern)", r"\bkey persons?\b",
)  # fmt: skip


def _spaced(word: str) -> str:
    return r"\s*".join(word)


# One pattern for RE2 (Arrow) and for `re`; blanks between the characters do not hide a word.
_FORBIDDEN: Final = "(?i)" + "|".join([*map(_spaced, _FORBIDDEN_ZH), *_FORBIDDEN_PATTERNS])

_REGISTER_MARKS: Final = re.compile(
    "服刑|矫正|吸毒|戒毒|精神障碍|精神病|精神疾病|肇事肇祸|艾滋|感染途径|邪教|刑释|刑满释放|罪名|刑期|"
    "信访人|上访|管控|帮教|帮扶|安置情况|衔接情况|监护人|危险性评估|目前诊断|住院治疗原因|收治|"
    "四史|三涉|有无犯罪史|违法犯罪情况|重点人员|人员类别|人员类型|关注类型|关注程度|留守|来华目的|"
    "流入原因|人户一致|与户主关系|户主姓名"
)
_PERSON_MARKS: Final = re.compile(
    "^(?:性别|民族|出生日期|出生年月|年龄|籍贯|户籍地?|户籍(?:详址|地址|所在地)|现住(?:地|详址|地址)|"
    "居住(?:地|详址|地址)|家庭住址|政治面貌|文化程度|学历|婚姻状况|职业(?:类别)?|宗教信仰|曾用名|"
    "别名|服务处所|工作单位|身高|血型|兵役状况|国籍|联系方式|联系电话|手机号码?|健康状况)$"
)
# The bare heading: one with a role before it (当事人姓名) is a column of an event.
_NAME: Final = re.compile("^(?:人员|居民|本人|信访人|服刑人员|矫正对象)?(?:姓名|信访人)$")
_NUMBER: Final = re.compile(
    "^(?:本人|人员|居民)?(?:公民)?(?:有效)?(?:身份证?|身份证件|证件)(?:号码?|编号)?$"
)
_EVENT_MARKS: Final = re.compile(
    "(?:事件|案件|案事件|案\\(事\\)件|警情|工单|纠纷|隐患|任务|问题)(?:单)?(?:编号|名称|类别|类型|规模|分类)|"
    "(?:发生|事发|报警|接警|来电|受理|上报|发现|立案|发案)(?:日期|时间|地点|地址)|化解(?:方式|时限)|处理结果"
)
_BRACKETS: Final = str.maketrans("（）：　", "(): ")
# A two-row heading, joined: 人员信息·姓名 is a bare name, 当事人·姓名 is not.
_GROUP: Final = re.compile("^(?:人员|人口|居民|个人|本人|身份|基本|户籍)*(?:信息|情况|资料)?·")
_REMARKS: Final = re.compile(r"\([^)]*\)$|[:*\s]")


class Message(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str


def person_register(headings: Sequence[str]) -> str | None:
    """
    Reason to refuse a whole file because its headings are those of a register of persons.

    A register (GB/T 31000-2015, 4.2 residents, 4.3 persons under control, 4.4 youths, 4.8.3
    persons around schools) has the name or number of a person without a role, beside columns that
    only a person has. A ledger of events may name parties: those columns are simply not read.

    Parameters
    ----------
    headings
        Every heading of the file, also of columns that are not read.
    """
    bare = {_bare(heading) for heading in headings}
    named = any(_NAME.match(heading) for heading in bare)
    numbered = any(_NUMBER.match(heading) for heading in bare)
    control = sum(bool(_REGISTER_MARKS.search(heading)) for heading in bare)
    traits = sum(bool(_PERSON_MARKS.match(heading)) for heading in bare)
    events = sum(bool(_EVENT_MARKS.search(heading)) for heading in bare)
    if not (named or numbered):
        return None
    # Two headings of an event outweigh the traits of its party, not a file on someone's control.
    traits_say = named and numbered and traits >= 2 and events < 2
    control_says = control >= (2 if events < 2 else 4) or (
        control == 1 and named and numbered and events < 2
    )
    return PERSON_REGISTER if traits_say or control_says else None


def turn_away(rows: pa.Table, source: Source) -> tuple[pa.Table, dict[str, int]]:
    """
    Rows without those of refused classes, and how many of each reason were left out.

    Refused are the codes (or names) that the source's code book flags, and category texts with a
    forbidden word. The source's own `category_codes` cannot bring them back.

    Parameters
    ----------
    rows
        Raw rows by our column names; text or numbers in `category`.
    """
    if "category" not in rows.column_names or not len(rows):
        return rows, {}
    column = rows.column("category").combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    flags = _refused_values(column.dictionary, source)
    if not flags.any():
        return rows, {}
    position = np.asarray(pc.fill_null(column.indices, len(flags)).cast(pa.int64()))
    refused = np.append(flags, False)[position]
    count = int(refused.sum())
    if not count:
        return rows, {}
    return rows.filter(pa.array(~refused)), {REFUSED_CLASS: count}


def forbidden_category(name_zh: str, name_en: str) -> bool:
    """Tell whether a category is about what the product does not hold, by its two names."""
    return any(re.search(_FORBIDDEN, name) for name in (name_zh, name_en))


def message(reason: str, count: int, source: str) -> Message:
    """
    What the command line says of rows that were turned away.

    Raises
    ------
    KeyError
        The reason is none of `REASONS`.
    """
    said = _MESSAGES[reason]
    return Message(*(text.format(count=f"{count:,}", source=source) for text in said))


_MESSAGES: Final = {
    PERSON_REGISTER: Message(
        zh="{source}：文件是人员名册（{count} 行），整份拒收，未保存任何内容。"
        "本系统只收地点和事件。",
        en="{source}: the file is a register of persons ({count} rows) and is refused whole; "
        "nothing of it is stored. Send events, not persons.",
    ),
    REFUSED_CLASS: Message(
        zh="{source}：{count} 行属于不收的类别（信访、民族宗教、舆情、组织纪检、聚集等），"
        "已拒收，未保存任何内容。",
        en="{source}: {count} rows are of classes that are refused (petitioning, ethnicity and "
        "religion, opinion, organisation and discipline, assembly); nothing of them is stored.",
    ),
}


def _refused_values(values: pa.Array, source: Source) -> NDArray[np.bool_]:
    """Which of the distinct category values are refused."""
    texts = pc.utf8_trim_whitespace(_as_text(values))
    found = pc.fill_null(pc.match_substring_regex(texts, _FORBIDDEN), fill_value=False)
    flags = np.array(found, dtype=np.bool_)
    if source.category_book:
        listed = pa.array(_refused_words(source), pa.string())
        flags |= np.asarray(pc.is_in(texts.cast(pa.string()), value_set=listed))
    return flags


def _refused_words(source: Source) -> list[str]:
    """Refused codes of the source's book, and their names where the book uses the name once."""
    book = read_book(source.category_book)
    codes = list(book.refused)
    if source.numeric_codes:
        codes += [code.lstrip("0") for code in codes]
    return codes + [name for name, code in book.by_name.items() if code.refused is not None]


def _as_text(values: pa.Array) -> pa.Array:
    """Values as a text file would hold them: whole numbers without a point."""
    if pa.types.is_floating(values.type):
        whole = pc.and_(pc.is_finite(values), pc.equal(values, pc.floor(values)))
        numbers = pc.if_else(whole, values, pa.scalar(None, values.type)).cast(pa.int64())
        return pc.coalesce(numbers.cast(pa.string()), values.cast(pa.string()))
    return values.cast(pa.string())


def _bare(heading: str) -> str:
    """Heading without blanks, remarks in brackets and marks."""
    flat = _REMARKS.sub("", str(heading).translate(_BRACKETS))
    return _GROUP.sub("", _REMARKS.sub("", flat))
