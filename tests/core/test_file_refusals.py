"""What is said where a file is refused: what was wrong, where, what was got, what there is and the fix.

A text that changes on purpose changes `file_refusals.json` with it: `GLASSBENCH_GOLDEN=write pytest` of this file, and the
difference is read before it is committed. The folder of the test reads `<folder>`.
"""

import errno
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from glassbench.errors import GlassbenchError
from glassbench.storage import data_files, plain_files
from glassbench.storage.data_files import SIZE_VARIABLE, check_archive, check_data_file, check_streamed, read_data_file
from glassbench.storage.files import read_json, read_object, sha256, storage, understood, write_json, write_text
from glassbench.storage.frame_files import check_writable
from glassbench.storage.parquet_files import check_parquet
from glassbench.storage.plain_files import inventory, open_plain, read_plain, refuse_strange

TEXTS = Path(__file__).parent / "file_refusals.json"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an entry of each kind, files that may hold a MB, and no openpyxl."""
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    monkeypatch.setenv("GLASSBENCH_MAX_RUN_FILE_MB", "1")
    monkeypatch.setattr(plain_files, "MOST_ENTRIES", 1100)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(data_files.PACKED, ".gz", wordless)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to("rows.csv")
    (tmp_path / "linked").symlink_to("run")
    (tmp_path / "rows.csv").write_bytes(b"1" * ((1 << 20) + 1))
    (tmp_path / "rows.gz").write_bytes(b"none")
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bad.json").write_text('{"a": 1, "a": 2}')
    (tmp_path / "many").mkdir()
    return tmp_path


def wordless(*_: object) -> None:
    raise EOFError


def raising(error: Exception) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        with understood(folder / "x.json"):
            raise error

    return act


def stopped(code: int) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        with storage(folder / "x.json"):
            raise OSError(code, "stopped")

    return act


def too_many(folder: Path) -> None:
    for k in range(1101):
        (folder / "many" / f"{k}").touch()
    inventory(folder / "many")


def archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a", b"0" * ((1 << 20) + 1))
    check_archive(folder / "x.zip")


REFUSED: dict[str, Callable[[Path], object]] = {
    "no such file": lambda folder: check_data_file(folder / "row.csv"),
    "no such folder": lambda folder: check_data_file(folder / "none" / "rows.csv"),
    "a folder for a file": lambda folder: check_data_file(folder / "run"),
    "a device for a file": lambda folder: check_data_file(Path("/dev/null"), "dataset.split.test"),
    "a large file": lambda folder: read_data_file(folder / "rows.csv"),
    "a damaged file": lambda folder: read_data_file(folder / "rows.gz"),
    "a damaged stream": lambda folder: check_streamed(folder / "rows.gz"),
    "a large archive": archive,
    "no archive": lambda folder: check_archive(folder / "rows.gz"),
    "no format": lambda folder: check_writable(folder / "x.doc"),
    "no name": lambda folder: check_writable(Path(".doc.x")),
    "no openpyxl": lambda folder: check_writable(folder / "x.xlsx"),
    "a file of a run that is missing": lambda folder: read_json(folder / "x.json"),
    "no JSON": lambda folder: read_json(folder / "bad.json"),
    "no object": lambda folder: read_object(folder / "list.json"),
    "no hash": lambda folder: sha256(folder / "none"),
    "no place": lambda folder: write_text(folder / "run", "x"),
    "no device to write": lambda folder: write_text(Path("/dev/null"), "x"),
    "a link in a run": lambda folder: refuse_strange(folder / "run"),
    "a link to a run": lambda folder: refuse_strange(folder / "linked"),
    "no list": lambda folder: inventory(folder / "none"),
    "too many files": too_many,
    "a link for a plain file": lambda folder: read_plain(folder / "run" / "link"),
    "a large plain file": lambda folder: read_plain(folder / "rows.csv"),
    "a plain file larger than asked": lambda folder: open_plain(folder / "rows.csv", most=1234),
    "a key that lacks": raising(KeyError("a")),
    "a value that is none": raising(ValueError("no number")),
    **{
        f"stopped by {errno.errorcode[code]}": stopped(code)
        for code in (
            *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS),
            *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EIO),
        )
    },
}


def said(error: GlassbenchError, folder: Path) -> dict[str, object]:
    parts = {"problem": error.problem, "where": error.where, "got": error.got, "fix": error.fix, "available": [*error.available]}
    told = json.dumps({name: part for name, part in parts.items() if part}, ensure_ascii=False)
    found: dict[str, object] = json.loads(told.replace(str(folder), "<folder>"))
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_files_are_refused_in_these_words(name, folder):
    with pytest.raises(GlassbenchError) as error:
        REFUSED[name](folder)
    known = json.loads(TEXTS.read_text()) if TEXTS.exists() else {}
    if os.environ.get("GLASSBENCH_GOLDEN") == "write":
        known[name] = said(error.value, folder)
        TEXTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    assert said(error.value, folder) == known[name]


@pytest.mark.parametrize(
    "text", ["[1e999]", "[NaN]", '["\\ud800"]', "[" * 100_000, '{"' + "k" * 99 + '": 1, "' + "k" * 99 + '": 1}']
)
def test_json_that_is_none_is_told_in_few_words(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(GlassbenchError) as error:
        read_json(tmp_path / "x.json")
    assert error.value.got in {
        *("1e999 is too large for a number", "NaN is no number in JSON", "it holds half a character (a lone surrogate)"),
        *("it nests too deeply", f"the key '{'k' * 80}' is given twice"),
    }
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "y.json", float("inf"))
    assert not (tmp_path / "y.json").exists()


def test_long_words_are_cut(tmp_path):
    (tmp_path / "x.json").write_text("[1" + "0" * 99 + "e999]")
    with pytest.raises(GlassbenchError) as error:
        read_json(tmp_path / "x.json")
    assert error.value.got == "1" + "0" * 39 + " is too large for a number"
    with pytest.raises(GlassbenchError) as error:
        check_writable(tmp_path / ("n" * 120) / ("m" * 120 + ".doc"))
    assert len(error.value.got) == 200
    assert f"name it {'m' * 100}.csv" in error.value.fix
    pd.DataFrame({"a": [1]}).to_parquet(path := tmp_path / ("p" * 200 + ".parquet"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(GlassbenchError) as error:
        check_parquet(path)
    assert len(error.value.got) <= 300
    assert error.value.where == "dataset.path"
