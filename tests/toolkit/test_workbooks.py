"""Excel workbooks: what they hold is read, and what cannot be read is said."""

import datetime
import zipfile
from pathlib import Path

import pytest

from glassbench.errors import DataError
from glassbench.toolkit.reading.workbooks import read_workbook

openpyxl = pytest.importorskip("openpyxl")
ROWS = [[20 + i, "mf"[i % 2], ["yes", "no"][i % 3 == 0]] for i in range(30)]


def book(path: Path, *sheets) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for place, rows in enumerate(sheets):
        page = made.create_sheet(f"page{place}")
        for row in rows:
            page.append(row)
    made.save(path)
    return path


def changed(path: Path, change) -> Path:
    """Return the workbook with the XML of its first sheet changed."""
    other = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            made.writestr(name, change(given.read(name)) if name.endswith("sheet1.xml") else given.read(name))
    return other


@pytest.mark.parametrize("ending", ["xlsx", "xlsm"])
def test_the_only_sheet_with_cells_is_read(tmp_path, ending):
    rows, (said,) = read_workbook(book(tmp_path / f"b.{ending}", [["age", "sex", "granted"], *ROWS], []), None, "FILE")
    assert rows == [["age", "sex", "granted"], *([str(cell) for cell in row] for row in ROWS)]
    assert "page0" in str(said)


def test_dates_read_as_dates(tmp_path):
    days = [[datetime.datetime(2024, 2, day)] for day in (1, 29)]
    rows, _ = read_workbook(book(tmp_path / "b.xlsx", [["when"], *days]), None, "FILE")
    assert rows == [["when"], ["2024-02-01"], ["2024-02-29"]]


BOMB = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)
)
HOSTILE = {
    "cut off": lambda xml: xml[: len(xml) // 2],
    "entities": lambda xml: (
        BOMB + b"]>" + xml.split(b"?>", 1)[-1].replace(b"</sheetData>", b"<row><c><v>&j;</v></c></row></sheetData>")
    ),
    "large": lambda xml: xml.replace(b"</sheetData>", b" " * (100 << 20) + b"</sheetData>"),
    "no XML": lambda xml: b"\0\1\2",
    "odd numbers": lambda xml: xml.replace(b"<v>20</v>", b"<v>twenty</v>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_or_hostile_workbook_is_an_error(tmp_path, name):
    path = changed(book(tmp_path / "b.xlsx", [["age", "sex", "granted"], *ROWS]), HOSTILE[name])
    with pytest.raises(DataError) as raised:
        read_workbook(path, None, "FILE")
    assert raised.value.fix


def test_formulas_without_a_value_are_refused(tmp_path):
    path = book(tmp_path / "b.xlsx", [["a", "twice"], *([i, f"=A{i + 2}*2"] for i in range(9))])
    with pytest.raises(DataError, match="9 formulas have no computed value"):
        read_workbook(path, None, "FILE")
    computed = changed(path, lambda xml: xml.replace(b"</f><v></v>", b"</f><v>4</v>").replace(b"</f><v />", b"</f><v>4</v>"))
    assert read_workbook(computed, None, "FILE")[0][1] == ["0", "4"]


def test_an_encrypted_workbook_says_so(tmp_path):
    (tmp_path / "b.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)
    with pytest.raises(DataError, match="protected by a password"):
        read_workbook(tmp_path / "b.xlsx", None, "FILE")


def test_a_value_merged_over_rows_counts_for_each_of_them(tmp_path):
    path = book(
        tmp_path / "b.xlsx", [["site", "age", "granted"], *([["north", "", "south"][i % 3], i + 20, "yes"] for i in range(3))]
    )
    made = openpyxl.load_workbook(path)
    made["page0"].merge_cells("A2:A3")
    made["page0"].merge_cells("B4:C4")
    made.save(path)
    rows, said = read_workbook(path, None, "FILE")
    assert [row[0] for row in rows] == ["site", "north", "north", "south"]
    assert rows[3] == ["south", "22", ""]
    assert [(t.action, t.count) for t in said[1:]] == [("converted", 1), ("detected", 1)]


def test_areas_that_reach_beyond_the_sheet_cost_nothing(tmp_path):
    path = book(tmp_path / "b.xlsx", [["a", "b"], [1, 2]])
    wrong = b'<mergeCells><mergeCell ref="A2:A1048576"/><mergeCell ref="XFD5:XFD7"/></mergeCells></worksheet>'
    rows, _ = read_workbook(changed(path, lambda xml: xml.replace(b"</worksheet>", wrong)), None, "FILE")
    assert rows == [["a", "b"], ["1", "2"]]
