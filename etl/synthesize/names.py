"""Invented place names: a word of nature and a thing of the house, which no real place bears."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_FIRST = (
    "云yun 青qing 霜shuang 松song 竹zhu 梅mei 兰lan 荷he 桂gui 枫feng 桐tong 梧wu 岚lan 溪xi "
    "汀ting 岩yan 峦luan 澜lan 波bo 晴qing 星xing 月yue 晨chen 暮mu 秋qiu 春chun 雪xue 雨yu "
    "露lu 雁yan 鹤he 鹭lu 莺ying 鹿lu 麟lin 虹hong 霁ji 曦xi 絮xu 苔tai 菱ling 蓼liao 芷zhi "
    "蕙hui 萤ying 蝉chan"
)
_SECOND = (
    "砚yan 笺jian 弦xian 瑟se 笛di 箫xiao 韵yun 黛dai 簪zan 蓑suo 绡xiao 篆zhuan 绫ling 帛bo "
    "缕lyu 梭suo 杼zhu 镜jing 匣xia 匙chi 壶hu 盏zhan 樽zun 磬qing 烛zhu 檐yan 牖you 扉fei "
    "帘lian 榻ta 橹lu 篷peng 帆fan 桨jiang 钟zhong 笙sheng 铃ling 扇shan 棋qi 卷juan"
)

SUFFIXES_EN = {
    "区": "District",
    "市": "City",
    "县": "County",
    "街道": "Subdistrict",
    "镇": "Town",
    "乡": "Township",
    "社区": "Community",
    "村": "Village",
}


def _words(text: str) -> list[tuple[str, str]]:
    return [(word[0], word[1:]) for word in text.split()]


def draw_names(rng: np.random.Generator, *, suffixes: list[str]) -> list[tuple[str, str]]:
    """
    Draw different names.

    Parameters
    ----------
    rng
        Source of chance.
    suffixes
        What each place is, one of `SUFFIXES_EN`; at most 1,840 places.

    Returns
    -------
    names
        Chinese name, such as 云砚镇, and pinyin name, such as Yunyan Town; no two places share the
        first two characters.

    Raises
    ------
    ValueError
        More places than pairs of words.
    """
    first, second = _words(_FIRST), _words(_SECOND)
    pairs = [(a, b) for a in first for b in second]
    if len(suffixes) > len(pairs):
        raise ValueError(f"draw_names: {len(suffixes)} places, only {len(pairs)} names")
    picked = rng.permutation(len(pairs))[: len(suffixes)]
    names = []
    for number, suffix in zip(picked.tolist(), suffixes, strict=True):
        (zh_a, en_a), (zh_b, en_b) = pairs[number]
        english = f"{(en_a + en_b).capitalize()} {SUFFIXES_EN[suffix]}"
        names.append((f"{zh_a}{zh_b}{suffix}", english))
    return names
