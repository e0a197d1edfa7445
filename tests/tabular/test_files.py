"""Tables from files."""

import bz2
import gzip
import lzma
import zipfile

import pandas as pd
import pytest
import torch

from glassbench.errors import DataError
from glassbench.toolkit.reading.tables import Format, load, read_table
from glassbench_plugins.tabular.files import table


@pytest.fixture
def path(people, tmp_path):
    people.to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


def write(tmp_path, text: str, name: str = "rows.csv") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_csv_parquet_and_frames_give_the_same_data(people, path, tmp_path):
    people.to_parquet(tmp_path / "people.parquet")
    options = {"target": "repaid", "sensitive": ("sex",)}
    text, typed = table(1, path=str(path), **options), table(1, path=str(tmp_path / "people.parquet"), **options)
    assert torch.equal(text.train.inputs[0], typed.train.inputs[0])
    assert text.encoder == typed.encoder
    assert text.schema == typed.schema


def test_compressed_files_are_unpacked(path, tmp_path):
    plain = read_table(str(path), Format())
    content = path.read_bytes()
    for ending, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        (tmp_path / f"p.csv{ending}").write_bytes(pack(content))
    with zipfile.ZipFile(tmp_path / "p.csv.zip", "w") as archive:
        archive.write(path, "people.csv")
    for ending in (".gz", ".bz2", ".xz", ".zip"):
        pd.testing.assert_frame_equal(read_table(str(tmp_path / f"p.csv{ending}"), Format()), plain)


def test_an_official_test_file_is_the_test_split(people, path, tmp_path):
    people[people.columns[::-1]].iloc[:50].to_csv(tmp_path / "test.csv", index=False)
    data = table(0, path=str(path), split={"by": "file", "test": tmp_path / "test.csv", "validation": 0.1}, target="repaid")
    assert (len(data.train), len(data.validation), len(data.test)) == (180, 20, 50)
    assert data.test.rows.tolist() == list(range(200, 250))
    assert data.test.raw["income"].iloc[1] == people["income"].iloc[1]


def test_a_split_column_decides_the_parts(people, tmp_path):
    people["part"] = ["train"] * 150 + ["test"] * 50
    people.to_csv(tmp_path / "p.csv", index=False)
    data = table(0, path=str(tmp_path / "p.csv"), split={"by": "column", "column": "part", "validation": 0}, target="repaid")
    assert data.validation is None
    assert data.test.rows.tolist() == list(range(150, 200))
    assert "part" not in [feature.name for feature in data.schema.features]


def test_files_without_a_header_and_with_comments(tmp_path):
    path = write(tmp_path, "| a note\n1; x.\n2; y\n")
    frame = read_table(path, Format(separator=";", columns=("a", "b"), comment="|"))
    assert frame.to_dict("list") == {"a": ["1", "2"], "b": ["x.", "y"]}
    tabs = write(tmp_path, "a\tb\n1\t2\n", "rows.tsv")
    assert read_table(tabs, Format()).to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_quoted_separators_and_line_breaks_are_text(tmp_path):
    path = write(tmp_path, 'a,b\n1,"x, y"\n2,"two\nlines"\n')
    assert read_table(path, Format())["b"].tolist() == ["x, y", "two\nlines"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = write(tmp_path, "\ufeffa,b\n1,2\n")
    assert list(read_table(path, Format())) == ["a", "b"]


def test_labels_with_a_trailing_dot_are_one_class(tmp_path):
    rows = "".join(f"{i},{'<=50K' if i % 2 else '>50K'}{'.' if i > 30 else ''}\n" for i in range(60))
    path = write(tmp_path, "x,income\n" + rows)
    assert table(0, path=path, target="income", strip_end=".").schema.target.classes == ("<=50K", ">50K")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("a,b\n", "empty"),
        ("a,b\n1,2\n3\n", "a row has 1 cells"),
        ("a,b\n1,2\n3,4,5\n", "a row has 3 cells"),
        ("a,a\n1,2\n", "two columns are called 'a'"),
        ('a,b\n1,"x\n', "cannot be read"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, text, problem):
    with pytest.raises(DataError, match=problem):
        read_table(write(tmp_path, text), Format())


def test_a_ragged_row_is_found_by_its_line(tmp_path):
    with pytest.raises(DataError) as error:
        read_table(write(tmp_path, "a,b\n1,2\n3\n"), Format())
    assert error.value.where.endswith("rows.csv, line 3")


def test_a_missing_file_is_refused_with_its_neighbour(path):
    with pytest.raises(DataError, match="no such file") as error:
        table(0, path=str(path.parent / "poeple.csv"), target="repaid")
    assert error.value.fix == "did you mean 'people.csv'?"


def test_other_damage_is_refused(tmp_path):
    (tmp_path / "a.csv.gz").write_text("not gzip")
    (tmp_path / "a.parquet").write_text("not parquet")
    (tmp_path / "a.csv").write_bytes("a,b\n1,ä\n".encode("latin-1"))
    for name in ("a.csv.gz", "a.parquet"):
        with pytest.raises(DataError, match="cannot be read"):
            read_table(str(tmp_path / name), Format())
    with pytest.raises(DataError, match="not written in utf-8") as error:
        read_table(str(tmp_path / "a.csv"), Format(encoding="utf-8"))
    assert "cp1252" in error.value.fix


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [";", "\t", "|", ",", " "])
def test_separator_and_encoding_are_detected(tmp_path, encoding, separator):
    rows = [["größe", "b", "c"], *([f"{i}.5", "Zoë", f"x{i}"] for i in range(30))]
    path = tmp_path / "a.csv"
    path.write_bytes("".join(separator.join(row) + "\r\n" for row in rows).encode(encoding))
    loaded = load(path, Format())
    assert loaded.frame.to_numpy().tolist() == rows[1:]
    assert list(loaded.frame) == rows[0]
    said = " ".join(map(str, loaded.treatments))
    assert (separator != ",") is ("between cells" in said)
    assert (not encoding.startswith("utf-8")) is ("encoding" in said)


def test_an_excel_workbook_reads_like_a_text_file(people, path, tmp_path):
    pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    people.to_excel(tmp_path / "p.xlsx", index=False)
    read, plain = read_table(tmp_path / "p.xlsx", Format()), read_table(path, Format())
    assert list(read) == list(plain)
    assert read["income"].replace("", "nan").astype(float).equals(plain["income"].replace("", "nan").astype(float))
    assert read["job"].tolist() == plain["job"].tolist()


def test_a_test_file_must_have_the_same_columns(people, path, tmp_path):
    people.drop(columns="job").to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(DataError, match="'job'") as error:
        table(0, path=str(path), split={"by": "file", "test": tmp_path / "test.csv"}, target="repaid")
    assert error.value.where == "dataset.split.test"


def test_a_column_without_a_name_that_holds_a_value_is_refused_and_an_empty_one_left_out(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,,b,\n1,,2,\n3, ,4,\n")
    found = load(path, Format())
    assert list(found.frame.columns) == ["a", "b"]
    assert [(one.action, one.count) for one in found.treatments if "without a name" in one.sentence] == [("left out", 2)]
    path.write_text("a,,b,\n1,,2,\n3,x,4,\n")
    with pytest.raises(DataError, match="1 columns have no name") as refused:
        load(path, Format())
    assert "column 2" in str(refused.value)


@pytest.mark.parametrize("cell", ["Total", "TOTAL:", " total: ", "Summe", "grand total"])
def test_a_last_row_that_is_a_total_is_refused_however_it_is_written(tmp_path, cell):
    with pytest.raises(DataError, match="total of the others"):
        load(write(tmp_path, f"kind,n\na,1\nb,2\n{cell},3\n"), Format())
    assert len(load(write(tmp_path, f"kind,n\na,1\nb,2\n{cell},3\n"), Format(skip_end=1)).frame) == 2
    assert len(load(write(tmp_path, f"kind,n\n{cell},1\nb,2\n{cell},3\n"), Format()).frame) == 3  # a kind that others are of too
    assert len(load(write(tmp_path, f"kind,n\na,1\nb,2\nnot {cell},3\n"), Format()).frame) == 3
