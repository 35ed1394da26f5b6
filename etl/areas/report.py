"""The report of a boundary check: findings as Markdown, JSON, and GeoJSON of the faulty places."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely

from data.writer import replace_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo.tiling import Places

Severity = Literal["error", "warning", "note"]

EXAMPLES: Final = 5
MOST_PLACES: Final = 2_000
"""Places of one kind that the GeoJSON names; the largest ones."""

KINDS: Final[dict[str, tuple[Severity, str, str]]] = {
    "no_code": ("error", "没有编码", "areas without a code"),
    "no_area": ("error", "没有图形", "areas without a polygon"),
    "duplicate_code": ("error", "编码重复", "features that repeat a code"),
    "code_format": ("error", "编码不合规则", "codes that break the level's rule"),
    "code_number": (
        "error",
        "编码已变成数字（如 1.1E+14），末位丢失",
        "codes turned into numbers, digits lost",
    ),
    "code_zeros": ("error", "编码疑似丢失前导零", "codes that seem to lack leading zeros"),
    "no_parent": ("error", "没有上级编码", "areas without a parent code"),
    "unknown_parent": ("error", "上级不存在", "areas whose parent does not exist"),
    "reused_code": ("error", "启用了已废止的编码", "ended codes that are used again"),
    "overlap": ("error", "重叠", "overlaps"),
    "gap": ("error", "空隙", "gaps"),
    "outside_parent": ("error", "超出上级边界", "parts outside the parent"),
    "outside_city": ("error", "完全在市域之外", "areas outside the city"),
    "wrong_frame": ("error", "坐标系疑似有误", "another frame fits better"),
    "sliver": ("warning", "细缝（平均宽度不足 1 米）", "slivers, less than 1 m wide in the mean"),
    "repaired": ("warning", "图形无效，已修复", "invalid polygons, repaired"),
    "unknown_shift": (
        "warning",
        "该坐标系到 WGS 84 的参数未公开，可能偏移上百米",
        "no known shift from this datum to WGS 84, off by 100 m or so",
    ),
    "numeric_column": ("warning", "编码列为数字格式", "code columns stored as numbers"),
    "code_prefix": ("warning", "编码前缀与上级不一致", "codes that do not start with the parent's"),
    "code_class": ("warning", "编码类别段与名称不符", "codes of a class that the name contradicts"),
    "childless_parent": ("warning", "上级没有下级", "parents without areas"),
    "no_polygon": ("warning", "有编码而无图形", "listed codes without a polygon"),
    "unlisted_code": ("warning", "编码不在代码表中", "codes that the code list lacks"),
    "households": ("warning", "户数不在 300–500 之间", "grids outside 300-500 households"),
    "stated_area": ("warning", "面积与填报相差 5% 以上", "areas 5 % or more from the stated one"),
    "beyond_city": ("warning", "有顶点超出市域", "areas with vertices outside the city"),
    "redrawn": ("warning", "编码不变而边界已变", "areas that kept their code and changed"),
    "orphaned": ("warning", "下级仍指向已废止的编码", "lower areas that name an ended parent"),
    "holes": ("note", "有洞", "areas with holes"),
    "multi_part": ("note", "由多块组成", "areas of several parts"),
}
"""Kind to its severity and its names; errors keep a file from being loaded."""

_SEVERITY_ZH: Final = {"error": "错误", "warning": "提醒", "note": "说明"}


@dataclass(frozen=True)
class Finding:
    """
    One kind of fault and where it is.

    `examples` are the first or largest few in words (codes, places); `km2` is the area concerned
    where that means something. `places` and `codes` belong together, one row per place.
    """

    kind: str
    count: int
    examples: tuple[str, ...] = ()
    km2: float | None = None
    places: Places | None = None
    codes: tuple[tuple[str, ...], ...] = ()

    @property
    def severity(self) -> Severity:
        """How grave the kind is."""
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class Report:
    """
    What a check found.

    `frame_shares` is the share of the areas' ground inside their parents under each frame;
    `changes` counts what the load does to the edition before. `file` is the stored file, under
    the city's data root, where one was written.
    """

    level: str
    name: str
    frame: str
    areas: int
    findings: tuple[Finding, ...]
    accepted: tuple[str, ...] = ()
    parent_level: str | None = None
    frame_shares: Mapping[str, float] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    file: str | None = None

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Errors that were not accepted."""
        return tuple(
            finding
            for finding in self.findings
            if finding.severity == "error" and finding.kind not in self.accepted
        )

    @property
    def is_sound(self) -> bool:
        """Whether the file may be loaded."""
        return not self.blocking

    def as_dict(self) -> dict[str, Any]:
        """Everything but the geometry, for JSON."""
        return {
            "level": self.level,
            "name": self.name,
            "frame": self.frame,
            "areas": self.areas,
            "parent_level": self.parent_level,
            "sound": self.is_sound,
            "accepted": list(self.accepted),
            "file": self.file,
            "changes": dict(self.changes),
            "frame_shares": {name: round(share, 6) for name, share in self.frame_shares.items()},
            "findings": [_finding_dict(finding) for finding in self.findings],
        }

    def as_markdown(self) -> str:
        """Report for reading, Chinese first."""
        verdict = "可以导入 may be loaded" if self.is_sound else "不能导入 must not be loaded"
        lines = [
            f"# 边界检查 Boundary check: {self.level} · {self.name}",
            "",
            f"- 结论 Verdict: **{verdict}**",
            f"- 区域数 Areas: {self.areas:,}",
            f"- 坐标系 Frame: {self.frame}",
            f"- 上级 Parents: {self.parent_level or '无 none'}",
            f"- 已写入 Written: {self.file or '否 nothing'}",
        ]
        if self.changes:
            told = ", ".join(f"{_CHANGES_ZH[key]} {key} {n:,}" for key, n in self.changes.items())
            lines.append(f"- 变更 Changes: {told}")
        if self.frame_shares:
            told = ", ".join(f"{name} {share:.2%}" for name, share in self.frame_shares.items())
            lines.append(f"- 落在上级之内的面积 Ground inside parents: {told}")
        lines += ["", "| 级别 | 检查 | kind | 数量 | km² | 示例 |", "|---|---|---|---:|---:|---|"]
        lines += [self._row(finding) for finding in self.findings]
        if not self.findings:
            lines.append("| – | 未发现问题 nothing found | – | 0 | – | – |")
        return "\n".join(lines) + "\n"

    def as_geojson(self) -> dict[str, Any]:
        """Faulty places as a FeatureCollection in WGS 84, for the office that keeps the file."""
        features = [
            feature for finding in self.findings for feature in _features(finding, self.level)
        ]
        return {"type": "FeatureCollection", "features": features}

    def write(self, folder: Path) -> Path:
        """
        Write the three forms as `<level>.md`, `.json` and `.geojson`.

        Returns
        -------
        path
            The Markdown file.
        """
        forms = {
            "json": json.dumps(self.as_dict(), ensure_ascii=False, indent=1) + "\n",
            "geojson": json.dumps(self.as_geojson(), ensure_ascii=False) + "\n",
            "md": self.as_markdown(),
        }
        for suffix, text in forms.items():
            replace_text(folder / f"{self.level}.{suffix}", text)
        return folder / f"{self.level}.md"

    def _row(self, finding: Finding) -> str:
        severity, name_zh, name_en = KINDS[finding.kind]
        told = _SEVERITY_ZH[severity] + (" 已接受" if finding.kind in self.accepted else "")
        km2 = "–" if finding.km2 is None else f"{finding.km2:,.4f}"
        examples = "; ".join(finding.examples).replace("|", "\\|") or "–"
        return (
            f"| {told} | {name_zh} {name_en} | `{finding.kind}` | {finding.count:,} | {km2} "
            f"| {examples} |"
        )


_CHANGES_ZH: Final = {
    "unchanged": "不变",
    "updated": "更名或更新",
    "redrawn": "重划",
    "new": "新增",
    "ended": "终止",
}


def listed(kind: str, values: list[str]) -> list[Finding]:
    """A finding of one kind with its first few values; nothing where there is none."""
    return [Finding(kind, len(values), tuple(values[:EXAMPLES]))] if values else []


def located(kind: str, places: Places, codes: list[tuple[str, ...]]) -> list[Finding]:
    """A finding of faulty places, the largest few in words; nothing where there is none."""
    if not len(places):
        return []
    points = shapely.point_on_surface(places.polygons[:EXAMPLES])
    examples = [
        f"{'/'.join(owners)} {area:.4f} km² @ {point.x:.6f},{point.y:.6f}"
        for owners, area, point in zip(codes, places.area_km2, points, strict=False)
    ]
    total = float(places.area_km2.sum())
    return [Finding(kind, len(places), tuple(examples), total, places, tuple(codes))]


def _finding_dict(finding: Finding) -> dict[str, Any]:
    severity, name_zh, name_en = KINDS[finding.kind]
    return {
        "kind": finding.kind,
        "severity": severity,
        "name_zh": name_zh,
        "name_en": name_en,
        "count": finding.count,
        "km2": None if finding.km2 is None else round(finding.km2, 9),
        "examples": list(finding.examples),
    }


def _features(finding: Finding, level: str) -> list[dict[str, Any]]:
    if finding.places is None:
        return []
    shown = finding.places.only(np.arange(len(finding.places)) < MOST_PLACES)
    points = shapely.point_on_surface(shown.polygons)
    return [
        {
            "type": "Feature",
            "properties": {
                "kind": finding.kind,
                "name_zh": KINDS[finding.kind][1],
                "severity": finding.severity,
                "level": level,
                "codes": "/".join(codes),
                "km2": round(float(area), 9),
                "width_m": round(float(width), 3),
                "lng": round(point.x, 7),
                "lat": round(point.y, 7),
            },
            "geometry": json.loads(shapely.to_geojson(polygon)),
        }
        for polygon, area, width, codes, point in zip(
            shown.polygons, shown.area_km2, shown.width_m, finding.codes, points, strict=False
        )
    ]
