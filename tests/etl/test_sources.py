import json

import numpy as np
import pandas as pd
import pytest

from etl.sources import SourceError, csv_encoding, read_rows


def read(toy, text, encoding="utf-8"):
    (toy.folder / "calls.csv").write_bytes(text.encode(encoding))
    source = toy.city().sources[0]
    return read_rows(source, source.files[0])


HEADER = "id,when,kind,grade,result,x,y,grid\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_give_the_same_rows(toy, encoding):
    found = read(toy, HEADER + "1,t,A,1,已办结,1,2,\n", encoding)
    assert found.rows["outcome"].tolist() == ["已办结"]
    assert found.rows["incident_id"].tolist() == ["1"]


def test_one_foreign_byte_decides_for_the_whole_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(("a\n" + "甲乙\n" * 400_000).encode() + "丙".encode("gb18030") + b"\n")
    assert csv_encoding(path) == "gb18030"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(SourceError, match="neither UTF-8 nor GB18030"):
        csv_encoding(path)


def test_text_is_kept_as_it_is_and_nothing_else_is_read(toy):
    found = read(toy, "who," + HEADER + "李四,007,t, A ,NA,None,1.50,2,\n")
    row = found.rows.iloc[0]
    assert "李四" not in row.tolist()
    assert row[["incident_id", "category", "severity", "outcome", "lng"]].tolist() == [
        "007", " A ", "NA", "None", "1.50",
    ]  # fmt: skip
    assert pd.isna(row["area_code"])


def test_rows_with_other_numbers_of_fields_keep_their_number(toy):
    lines = [
        "1,t,A,1,,1,2,",
        "2,t",
        "",
        '3,t,A,1,"two\nlines",1,2,',
        "4,t,A,1,,1,2,,,",
        "5,t,A,1,,1,2,",
    ]
    found = read(toy, HEADER + "\n".join(lines) + "\n")
    assert found.rows["row"].tolist() == [1, 3, 5]
    assert found.rows["incident_id"].tolist() == ["1", "3", "5"]
    assert found.malformed.tolist() == [2, 4]
    assert found.read == 5


def test_missing_columns_are_named(toy):
    with pytest.raises(SourceError, match=r"lacks the columns \['kind', 'grid'\]"):
        read(toy, "id,when,grade,result,x,y\n1,t,1,,1,2\n")


def test_a_published_column_may_also_be_the_area_code(toy):
    with (toy.folder / "sources.toml").open("a", encoding="utf-8") as stream:
        stream.write('[[source.published]]\ncolumn = "grid"\nlevel = "grid"\n')
    row = read(toy, HEADER + "1,t,A,1,,1,2,W1\n").rows.iloc[0]
    assert (row["area_code"], row["published_grid"]) == ("W1", "W1")


def test_parquet_and_geojson_give_the_same_columns(toy):
    table = pd.DataFrame(
        {"id": ["1", "2"], "when": ["t", "u"], "kind": ["A", "B"], "grade": ["1", None],
         "result": [None, "x"], "x": [103.0, np.nan], "y": [36.0, np.nan], "grid": ["W1", None],
         "name": ["a", "b"]}
    )  # fmt: skip
    table.to_parquet(toy.folder / "calls.parquet")
    features = [
        {"type": "Feature", "properties": row, "geometry": point}
        for row, point in zip(
            table.drop(columns=["x", "y"])
            .astype(object)
            .where(table.notna(), None)
            .to_dict("records"),
            [{"type": "Point", "coordinates": [103.0, 36.0]}, None],
            strict=True,
        )
    ]
    collection = {"type": "FeatureCollection", "features": features}
    (toy.folder / "calls.geojson").write_text(json.dumps(collection), encoding="utf-8")
    toy.change(
        "sources.toml",
        'files = ["calls.csv"]\nformat = "csv"',
        'files = ["calls.parquet"]\nformat = "parquet"',
    )
    source = toy.city().sources[0]
    parquet = read_rows(source, source.files[0]).rows
    toy.change(
        "sources.toml",
        'files = ["calls.parquet"]\nformat = "parquet"',
        'files = ["calls.geojson"]\nformat = "geojson"',
    )
    toy.change("sources.toml", 'lng = "x"\nlat = "y"\n', "")
    source = toy.city().sources[0]
    geojson = read_rows(source, source.files[0]).rows
    assert set(parquet) == set(geojson)
    pd.testing.assert_frame_equal(parquet[list(geojson)], geojson, check_dtype=False)


def test_a_broken_file_is_told_with_its_name(toy):
    toy.change("sources.toml", 'format = "csv"', 'format = "parquet"')
    source = toy.city().sources[0]
    with pytest.raises(SourceError, match=r"calls: calls\.csv cannot be read"):
        read_rows(source, source.files[0])
