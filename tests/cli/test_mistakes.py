"""Mistakes that people make with files of data: each gets one screen that names the cause and the fix, and exit code 2."""

import gzip
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from glassbench.cli.app import app, invoke

N = 60


def people(**changed) -> pd.DataFrame:
    """60 applicants; a keyword replaces a column, None takes it out."""
    draw = np.random.default_rng(0)
    columns = {
        "income": [f"{v:.2f}" for v in draw.normal(3000, 500, N)],
        "age": [str(v) for v in draw.integers(18, 80, N)],
        "job": [("clerk", "cook", "nurse")[i % 3] for i in range(N)],
        "sex": ["female", "male"] * (N // 2),
        "granted": [("yes", "no", "no")[i % 3] if i % 7 else "yes" for i in range(N)],
    }
    return pd.DataFrame({name: column for name, column in {**columns, **changed}.items() if column is not None})


def csv(frame: pd.DataFrame | None = None, **options) -> bytes:
    return (people() if frame is None else frame).to_csv(index=False, **options).encode()


def at(column: str, *cells: str) -> dict:
    """The column with its first cells replaced."""
    return {column: [*cells, *people()[column].iloc[len(cells) :]]}


def lines(*changes: tuple[int, str]) -> bytes:
    found = csv().decode().splitlines()
    for place, text in changes:
        found[place] = text
    return "\n".join(found).encode()


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


LATIN = csv(people(job=["köchin"] * 30 + ["b"] * 30)).decode().encode("cp1252")
UNQUOTED = b"".join(b"3%d,5,%d,clerk,male,yes\n" % (i, i) for i in range(N))
NUMBERED = b"".join(b"%d,%d,%d,%d,%d\n" % (i, i + 1, i * i, 7 * i % 5, i % 2) for i in range(N))
HEADER = b"income,age,job,sex,granted\n"
COMMAS = [f"{1 + i % 9},{100 + 7 * i % 800 + 1}" for i in range(N)]
DATES = [f"{1 + i % 28:02d}.05.2020" for i in range(N)]

# name, content of the file (bytes, or columns that are changed), settings of the data set, the cause, the fix
FILES = [
    ("semicolons said to be commas", csv(sep=";"), {"separator": ","}, "one column only", "separator to ';'"),
    ("tabs said to be semicolons", csv(sep="\t"), {"separator": ";"}, "one column only", r"separator to '\t'"),
    ("bars said to be commas", csv(sep="|"), {"separator": ","}, "one column only", "separator to '|'"),
    ("commas said to be semicolons", csv(), {"separator": ";"}, "one column only", "separator to ','"),
    (
        "latin-1 said to be utf-8",
        csv(people(job=["köchin"] * 30 + ["b"] * 30)).decode().encode("cp1252"),
        {"encoding": "utf-8"},
        "not written in utf-8",
        "cp1252",
    ),
    ("utf-16 said to be utf-8", csv().decode().encode("utf-16"), {"encoding": "utf-8"}, "not written in utf-8", "utf-16"),
    ("an encoding that does not exist", csv(), {"encoding": "utf8-german"}, "no encoding 'utf8-german'", "cp1252"),
    ("NUL bytes", lines((5, "1,2\0,clerk,male,yes")), {}, "NUL bytes", "without them"),
    ("an open quote", lines((5, '1,2,"clerk,male,yes')), {}, "cannot be read", "double quotes"),
    ("an empty file", b"", {}, "empty", "header"),
    ("blank lines only", b"\n\n\n", {}, "empty", "header"),
    ("header only", HEADER, {}, "empty", "below its header"),
    ("a row too short", lines((5, "1,2,clerk")), {}, "a row has 3 cells", "double quotes"),
    ("a row too long", lines((5, "1,2,clerk,male,yes,7")), {}, "a row has 6 cells", "double quotes"),
    (
        "unquoted decimal commas",
        HEADER + b"".join(b"3%d,5,%d,clerk,male,yes\n" % (i, i) for i in range(N)),
        {"separator": ","},
        "a row has 6 cells",
        "decimal commas",
    ),
    ("a footer of one cell", csv() + b"60 rows exported\n", {}, "a row has 1 cells", "skip_end"),
    ("a total row", csv() + b"180000,2500,Total,,\n", {}, "looks like a total", "skip_end=1"),
    ("the same name twice", csv().replace(b"age", b"income", 1), {}, "two columns are called 'income'", "rename"),
    (
        "merged cells in the header",
        b"income,,job,,granted\n" + csv().split(b"\n", 1)[1],
        {},
        "2 columns have no name",
        "merged cells",
    ),
    ("no header", csv(header=False), {}, "first line holds values", "dataset.columns"),
    (
        "two headers",
        b"X1,X2,X3,X4,Y\na,b,c,d,y\n" + b"".join(b"%d,%d,%d,%d,%d\n" % (i, i + 1, i * i, 7 * i % 5, i % 2) for i in range(N)),
        {"target": "Y"},
        "holds names too",
        "skip=1",
    ),
    ("names for too few columns", csv(header=False), {"columns": ["a", "b"]}, "a row has 5 cells", "separator"),
    ("a web page", b"<!DOCTYPE html><html></html>", {}, "a web page", "download"),
    ("Parquet called CSV", b"PAR1" + b"\0" * 40, {}, "a Parquet file", ".parquet"),
    ("Excel called CSV", zipped(a__xml=b"<x/>"), {}, "Excel workbook", ".xlsx"),
    ("an old Excel file", b"\xd0\xcf\x11\xe0" + b"\0" * 100, {}, "old Excel workbook", "save it as .xlsx"),
    ("gzip called CSV", gzip.compress(csv()), {}, "a gzip file", ".gz"),
    ("a pickle", b"\x80\x04\x95" + b"\0" * 50, {}, "a pickle", "Parquet or CSV"),
    ("a PDF", b"%PDF-1.7 ...", {}, "a PDF", "CSV"),
    ("a few strange cells", at("income", "see file", "about 3000"), {}, "'income' holds numbers, but 2 of 60", "strange=missing"),
    ("a letter O for a zero", at("age", "3O"), {}, "1 of 60 values are none", "types={age: category}"),
    ("another currency", {"income": ["$30"] * 58 + ["€ 30", "$31"]}, {}, "1 of 60 values are none", "correct them"),
    ("a range among numbers", at("age", "30-40"), {}, "1 of 60 values are none", "missing"),
    ("another decimal mark", at("income", "12,5"), {}, "1 of 60 values are none", "correct them"),
    ("infinite values", at("income", "inf"), {}, "infinite values", "dataset.missing"),
    ("thousands or decimals", {"income": COMMAS}, {}, "nothing in the table tells which", "dataset.decimal"),
    ("dates as text", {"job": DATES}, {}, "'job' holds dates", "dataset.drop"),
    ("dates as month names", {"job": [f"{1 + i % 28} May 2020" for i in range(N)]}, {}, "'job' holds dates", "days since"),
    ("dates as whole numbers", {"age": [f"202005{1 + i % 28:02d}" for i in range(N)]}, {}, "'age' holds dates", "dataset.drop"),
    ("no target in any row", {"granted": [""] * N}, {}, "no row has a value of 'granted'", "dataset.target"),
    ("one class only", {"granted": ["yes"] * N}, {}, "one class only", "dataset.target"),
    ("one class, many spellings", {"granted": ["yes", "Yes", "YES"] * 20}, {}, "one class only", "dataset.target"),
    ("a class of one row", at("granted", "perhaps"), {}, "'perhaps' is too small", "merge"),
    ("too few rows", b"\n".join(csv().split(b"\n")[:10]) + b"\n", {}, "too small to split", "20 rows"),
    ("a mistyped target", {}, {"target": "grantd"}, "no column 'grantd'", "did you mean 'granted'"),
    ("a target in capitals", {}, {"target": "GRANTED"}, "no column 'GRANTED'", "granted"),
    ("a mistyped sensitive column", {}, {"sensitive": ["sexx"]}, "no column 'sexx'", "did you mean 'sex'"),
    ("a mistyped column to drop", {}, {"drop": ["jobb"]}, "no column 'jobb'", "did you mean 'job'"),
    ("a mistyped column in types", {}, {"types": {"agee": "number"}}, "no column 'agee'", "did you mean 'age'"),
    ("an unknown kind in types", {}, {"types": {"age": "integer"}}, "dataset.types.age", "number"),
    ("text declared a number", {}, {"types": {"job": "number"}}, "'job' holds numbers, but 60 of 60", "types"),
    (
        "a target that is sensitive",
        {},
        {"sensitive": ["granted"]},
        "target and a sensitive feature",
        "leave it out of dataset.sensitive",
    ),
    ("a target that is dropped", {}, {"drop": ["granted"]}, "target and dropped", "leave it out of dataset.drop"),
    ("a target that is the cluster", {}, {"cluster": "granted"}, "target and the cluster", "another column"),
    ("a class that is not there", {}, {"positive": "Yes"}, "no class 'Yes'", "yes"),
    ("bins that fall", {}, {"sensitive": [{"column": "age", "bins": [50, 30]}]}, "bins must rise", "50"),
    ("bins of a text", {}, {"sensitive": [{"column": "job", "bins": [1]}]}, "'job' holds numbers, but 60 of 60", "correct"),
    (
        "nothing left to learn from",
        people(income=None, age=None, job=None),
        {"sensitive": ["sex"]},
        "no column is left",
        "other columns",
    ),
    (
        "shares of more than everything",
        {},
        {"split": {"by": "random", "test": 0.9, "validation": 0.3}},
        "shares leave nothing",
        "less than 1",
    ),
    ("a share in percent", {}, {"split": {"by": "random", "test": 20}}, "dataset.split.test", "below 1"),
    ("a target of text for regression", {}, {"kind": "value"}, "'granted' holds numbers, but 60 of 60", "correct"),
    ("a split column of other words", {}, {"split": {"by": "column", "column": "job"}}, "does not say which part", "train"),
    ("a separator of two characters", csv(), {"separator": ";;"}, "separator", "one character"),
    ("a sheet of a text file", {}, {"sheet": "Sheet1"}, "sheet", "Excel"),
]


@pytest.mark.parametrize(("content", "settings", "cause", "fix"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_a_mistake_in_a_file_is_refused_at_plan(tmp_path, capsys, content, settings, cause, fix):
    changed = (
        csv(people(**content)) if isinstance(content, dict) else csv(content) if isinstance(content, pd.DataFrame) else content
    )
    (tmp_path / "people.csv").write_bytes(changed)
    said = planned(tmp_path, capsys, {"path": str(tmp_path / "people.csv"), **settings})
    assert cause in said
    assert fix in said


def planned(tmp_path, capsys, dataset: dict) -> str:
    content = {
        "name": "mistakes",
        "dataset": {"use": "table", "target": "granted", **dataset},
        "task": {"use": "classification"},
        "model": {"use": "linear"},
    }
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(content))
    code = invoke(["plan", str(tmp_path / "e.yaml")])
    said = capsys.readouterr().err
    assert code == 2, said
    assert "something unexpected" not in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 24
    return said


@pytest.mark.parametrize(
    ("name", "content", "cause", "fix"),
    [
        ("two.zip", zipped(a__csv=csv(), b__csv=csv()), "holds 2 files", "unpack"),
        ("none.zip", zipped(), "holds no file", "pack"),
        ("nested.zip", zipped(a__zip=zipped(a__csv=csv())), "holds no text file", "unpack it first"),
        ("broken.zip", b"PK\x03\x04 no", "cannot be read", "whole"),
        ("broken.csv.gz", b"\x1f\x8b no", "cannot be read", "whole"),
        ("text.parquet", csv(), "cannot be read", "ending"),
        ("text.xlsx", csv(), "no Excel workbook", "save it again"),
    ],
)
def test_a_mistake_in_a_packed_file_is_refused(tmp_path, capsys, name, content, cause, fix):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    (tmp_path / name).write_bytes(content)
    said = planned(tmp_path, capsys, {"path": str(tmp_path / name)})
    assert cause in said
    assert fix in said


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path, capsys):
    (tmp_path / "people.csv").write_bytes(csv())
    assert "did you mean 'people.csv'" in planned(tmp_path, capsys, {"path": str(tmp_path / "poeple.csv")})
    assert "a folder" in planned(tmp_path, capsys, {"path": str(tmp_path)})


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"by": "sexx"}, "did you mean 'sex'"),
        ({"group": {"sex": "man"}}, "no row is of"),
    ],
)
def test_gates_on_features_and_groups_that_the_data_lack_are_refused_at_plan(tmp_path, capsys, gate, words):
    content = {
        "name": "mistakes",
        "dataset": {"use": "table", "path": str(tmp_path / "people.csv"), "target": "granted", "sensitive": ["sex"]},
        "task": {"use": "classification"},
        "model": {"use": "linear"},
        "gates": [{"measure": "fairness.selection_rate", "at_least": 0.1, **gate}],
    }
    (tmp_path / "people.csv").write_bytes(csv())
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(content))
    assert invoke(["plan", str(tmp_path / "e.yaml")]) == 2
    assert words in capsys.readouterr().err
    assert invoke(["plan", "--no-data", str(tmp_path / "e.yaml")]) == 0


def test_what_is_no_mistake_is_planned(tmp_path):
    """Targets of yes and Yes, bools and 0/1, with values missing; blank first names and byte order marks."""
    targets = [["yes", "Yes", "YES", "no"] * 15, ["True", "False"] * 30, ["0", "1", "", "1"] * 15, ["1.0", "1", "0", "0.0"] * 15]
    for target in targets:
        frame = people(granted=target)
        (tmp_path / "p.csv").write_bytes(b"\xef\xbb\xbf" + frame.to_csv(sep=";").encode())
        content = {"dataset": {"use": "table", "path": str(tmp_path / "p.csv"), "target": "granted"}}
        content |= {"name": "fine", "task": {"use": "classification"}, "model": {"use": "linear"}}
        (tmp_path / "e.yaml").write_text(yaml.safe_dump(content))
        done = CliRunner().invoke(app, ["plan", str(tmp_path / "e.yaml"), "--json"])
        assert done.exit_code == 0, done.output
        classes = json.loads(done.stdout)["data"]["target"]["test"]
        assert len(classes) == 2
