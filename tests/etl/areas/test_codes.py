import geopandas as gpd
import pytest
import shapely

from etl.areas.codes import PATTERNS, CodeListError, check_against_list, check_codes, read_code_list
from etl.areas.read import AreaFile


def found(level, codes, *, names=None, parent="620102", parents=("620102",), pattern=None):
    rows = gpd.GeoDataFrame(
        {
            "code": codes,
            "name": names or [None] * len(codes),
            "parent_code": parent if isinstance(parent, list) else [parent] * len(codes),
        },
        geometry=[shapely.box(0, 0, 1, 1)] * len(codes),
        crs="EPSG:4326",
        dtype=object,
    )
    file = AreaFile("f", "WGS84", rows, rows.geometry.to_numpy(), {}, ())
    findings = check_codes(file, level=level, pattern=pattern or PATTERNS[level], parents=parents)
    return {finding.kind: finding.examples for finding in findings}


def test_sound_codes_give_no_finding():
    assert found("township", ["620102001", "620102100"], names=["张掖路街道", "青白石镇"]) == {}
    grids = ["620102001001001", "62010200100101", "620102001001A00001"]
    community = "620102001001"
    assert found("grid", grids, parent=community, parents=[community]) == {}
    assert found("county", ["620102", "620171"], parent="620100", parents=["620100"]) == {}


@pytest.mark.parametrize(
    ("level", "code", "kind"),
    [
        ("township", "62010200", "code_format"),
        ("grid", "620102001001", "code_format"),
        ("grid", "620102001001 01", "code_format"),
        ("grid", "6201020010010000001", "code_format"),
        ("grid", "6.20102E+14", "code_number"),
        ("grid", "1.1E+14", "code_number"),
        ("community", "620102001001.0", "code_number"),
    ],
)
def test_forms_are_checked(level, code, kind):
    codes = found(level, [code], parent="6", parents=["6"])
    assert codes[kind] == (code,)


def test_lost_leading_zeros_are_told_from_other_faults():
    codes = found("township", ["1102001", "6201"], pattern=r"0\d{7,8}", parent="01", parents=["01"])
    assert codes["code_zeros"] == ("1102001",)
    assert codes["code_format"] == ("6201",)


def test_a_city_may_have_its_own_form():
    own = found("grid", ["XG-17"], pattern="XG-[0-9]+", parent="c", parents=["c"])
    assert own == {"code_prefix": ("XG-17 → c",)}


def test_missing_and_repeated_codes_and_parents():
    codes = found(
        "township",
        ["620102001", "620102001", None, "620103002", "620102004"],
        parent=["620102", "620102", "620102", "620103", None],
        parents=["620102", "620104"],
    )
    assert codes == {
        "no_code": ("feature 3",),
        "duplicate_code": ("620102001",),
        "no_parent": ("620102004",),
        "unknown_parent": ("620103002 → 620103",),
        "childless_parent": ("620104",),
    }


@pytest.mark.parametrize(
    ("code", "parent", "fits"),
    [
        ("620102", "620100", True),
        ("620202", "620100", False),
        ("500101", "500000", True),
        ("469001", "460000", True),
        ("620102001", "620102", True),
        ("620103001", "620102", False),
    ],
)
def test_codes_begin_like_their_parents(code, parent, fits):
    level = "county" if len(code) == 6 else "township"
    assert ("code_prefix" not in found(level, [code], parent=parent, parents=[parent])) is fits


@pytest.mark.parametrize(
    ("level", "code", "name", "fits"),
    [
        ("township", "620102001", "张掖路街道", True),
        ("township", "620102001", "青白石镇", False),
        ("township", "620102100", "青白石镇", True),
        ("township", "620102200", "高坪乡", True),
        ("township", "620102200", "高坪街道", False),
        ("township", "620102600", "某处", False),
        ("community", "620102001001", "大众巷社区居委会", True),
        ("community", "620102001001", "某某村委会", False),
        ("community", "620102001200", "某某村委会", True),
        ("community", "620102001600", "某某", False),
    ],
)
def test_class_digits_are_held_against_the_name(level, code, name, fits):
    findings = found(level, [code], names=[name], parent=code[:6], parents=[code[:6]])
    assert ("code_class" not in findings) is fits


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_listed_codes_without_a_polygon_are_told(tmp_path, encoding):
    path = tmp_path / "codes.csv"
    text = "code,name,cityCode\n620102,城关区,6201\n620171,兰州新区,6201\n620201,市辖区,6202\n"
    path.write_bytes(text.encode(encoding))
    rows = gpd.GeoDataFrame({"code": ["620102", "620199"]}, geometry=[shapely.Point()] * 2)
    findings = check_against_list(rows, read_code_list(path), city_code="620100")
    assert {finding.kind: finding.examples for finding in findings} == {
        "no_polygon": ("620171 兰州新区",),
        "unlisted_code": ("620199",),
    }


def test_another_csv_is_no_code_list(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("id,title\n1,a\n")
    with pytest.raises(
        CodeListError, match=r"codes.csv: the columns `code` and `name` are missing"
    ):
        read_code_list(path)
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(CodeListError, match="neither UTF-8 nor GB18030"):
        read_code_list(path)
