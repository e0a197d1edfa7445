"""Laws of files: cells that come back, holes, streams and archives at their limits, files that change while they are opened."""

import errno
import gzip
import os
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import DataError, RunError
from glassbench.storage import data_files
from glassbench.storage.csv_text import as_written, csv_text, plain_cell
from glassbench.storage.data_files import SIZE_VARIABLE, check_archive, check_data_file, check_streamed, read_data_file
from glassbench.storage.files import is_temporary, temporary_name, write_file, write_text
from glassbench.storage.frame_files import write_frame
from glassbench.storage.home_paths import without_home
from glassbench.storage.parquet_files import check_parquet, read_parquet
from glassbench.storage.plain_files import inventory, kind_of, open_plain, read_given, read_plain

MEGABYTE = 1 << 20
CELL = st.text(st.sampled_from("=+-@\t\r'a1. "), max_size=6)


@pytest.mark.parametrize("read", [check_parquet, read_parquet, read_data_file])
def test_the_setting_is_told_of_what_unpacks_to_too_much(tmp_path, monkeypatch, read):
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    if read is read_data_file:
        (path := tmp_path / "x.gz").write_bytes(gzip.compress(b"0" * (MEGABYTE + 1)))
    else:
        pd.DataFrame({"a": [True] * (MEGABYTE + 1)}).to_parquet(path := tmp_path / "x.parquet")
    for named in (path, tmp_path / "none.parquet"):
        with pytest.raises(DataError) as error:
            read(named, "dataset.here")
        assert error.value.where == "dataset.here"


@given(CELL)
def test_a_cell_comes_back_as_it_was_written(cell):
    plain = plain_cell(cell)
    assert plain in (cell, f"'{cell}")
    assert as_written(plain) == cell or (plain == cell and plain_cell(cell[1:]) == cell)
    number = True
    try:
        float(cell)
    except ValueError:
        number = False
    assert (plain != cell) == (cell[:1] in set("=+-@\t\r") and cell != "" and not number)


@pytest.mark.parametrize("cell", ["'quoted'", "a", "", "'", "''=1", "'-2", "=1"])
def test_what_no_apostrophe_was_put_before_stays(cell):
    assert as_written(cell) == cell
    assert as_written("'=1") == "=1"


def test_csv_has_cells_columns_and_separators_as_asked():
    frame = pd.DataFrame({"=a": [1.5, -2], "b": ["-x", "y"], "c": pd.Categorical(["@", "z"])}, index=[4, 5])
    assert csv_text(frame) == "'=a,b,c\n1.5,'-x,'@\n-2.0,y,z\n"
    assert csv_text(frame, "\t") == "'=a\tb\tc\n1.5\t'-x\t'@\n-2.0\ty\tz\n"
    assert csv_text(pd.DataFrame({1: ["a"]})) == "1\na\n"


def test_frames_are_written_without_their_index_and_as_they_are_read(tmp_path):
    frame = pd.DataFrame({"a": ["ä", "/"], "b": [1, 2]}, index=[7, 8])
    for name, text in (("x.csv", "a,b\nä,1\n/,2\n"), ("x.tsv", "a\tb\nä\t1\n/\t2\n")):
        write_frame(frame, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    write_frame(frame, tmp_path / "x.jsonl")
    assert (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines() == ['{"a":"ä","b":1}', '{"a":"\\/","b":2}']
    write_frame(frame, tmp_path / "x.xlsx")
    pd.testing.assert_frame_equal(pd.read_excel(tmp_path / "x.xlsx"), frame.reset_index(drop=True))


@pytest.fixture
def sizes(monkeypatch) -> list[tuple[int, int]]:
    """What files are said to unpack to, and to take."""
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(data_files, "check_unpacked", lambda size, packed, path, where: seen.append((size, packed)))
    return seen


def told(size: int, blocks: int, mode: int = stat.S_IFREG) -> SimpleNamespace:
    return SimpleNamespace(st_size=size, st_blocks=blocks, st_mode=mode, st_nlink=1)


@pytest.mark.parametrize(("blocks", "looked"), [(2, False), (1, True), (0, True)])
def test_a_file_that_keeps_a_hundredth_of_its_size_is_looked_at_for_holes(tmp_path, monkeypatch, sizes, blocks, looked):
    (path := tmp_path / "x").write_bytes(b"a" * 102_400)
    monkeypatch.setattr(Path, "stat", lambda self: told(102_400, blocks))
    opened = []
    real = data_files._without_holes
    monkeypatch.setattr(data_files, "_without_holes", lambda *given: (opened.append(given), real(*given))[1])
    check_data_file(path)
    assert opened == ([(path, blocks * 512)] if looked else [])
    assert sizes == [(102_400, 102_400)]  # it has no hole, whatever the file system says


def test_a_hole_anywhere_counts_for_what_is_kept(tmp_path, sizes):
    for name, start in (("ahead", MEGABYTE * 4), ("behind", 0)):
        with open(path := tmp_path / name, "wb") as file:
            file.seek(start)
            file.write(b"a")
            file.truncate(MEGABYTE * 8)
        check_data_file(path)
    assert [size for size, _ in sizes] == [MEGABYTE * 8] * 2
    assert all(packed < MEGABYTE for _, packed in sizes)
    opened = len(os.listdir("/proc/self/fd"))
    check_data_file(tmp_path / "behind")
    assert len(os.listdir("/proc/self/fd")) == opened


def test_a_stream_that_ends_where_the_limit_is_passes_and_one_byte_more_does_not(tmp_path, monkeypatch):
    monkeypatch.delenv(SIZE_VARIABLE, raising=False)
    monkeypatch.setattr(data_files, "_UNSUSPICIOUS", MEGABYTE)
    for size, fine in ((MEGABYTE, True), (MEGABYTE + 1, False), (3 * MEGABYTE, False)):
        (path := tmp_path / "x.gz").write_bytes(gzip.compress(b"0" * size))
        if fine:
            check_streamed(path, "here")
            continue
        with pytest.raises(DataError, match="too large") as error:
            check_streamed(path, "here")
        assert error.value.where == "here"
        assert "2,097,152 bytes or more" in error.value.got or "1,048,577 bytes or more" in error.value.got


@pytest.mark.parametrize("check", [check_streamed, check_archive, check_data_file, read_data_file])
def test_the_setting_that_named_a_file_is_told(tmp_path, monkeypatch, check):
    with pytest.raises(DataError) as error:
        check(tmp_path / "none", "dataset.here")
    assert error.value.where == "dataset.here"
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    with zipfile.ZipFile(path := tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"0" * (MEGABYTE + 1))
        archive.writestr("b", os.urandom(MEGABYTE))
    if check is check_streamed:
        check(path, "dataset.here")
        return
    with pytest.raises(DataError, match="too large") as error:
        check(path, "dataset.here")
    assert error.value.where == "dataset.here"


def test_names_that_are_no_text_are_listed_escaped_and_below_their_folder(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/d\xff")
    os.close(os.open(os.fsencode(tmp_path) + b"/d\xff/x", os.O_CREAT | os.O_WRONLY))
    found = inventory(tmp_path)
    assert [(entry.name, entry.folder, entry.strange) for entry in found] == [("d\\xff", True, None), ("d\\xff/x", False, None)]
    assert found[1].path.exists()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (stat.S_IFREG, None),
        (stat.S_IFLNK, "a symbolic link"),
        (stat.S_IFDIR, "a folder"),
        (stat.S_IFIFO, "a named pipe"),
        (stat.S_IFCHR, "a device"),
        (stat.S_IFBLK, "a device"),
        (stat.S_IFSOCK, "a socket"),
        (0, "of an unknown kind"),
    ],
)
def test_kinds_are_told_by_their_mode(mode, kind):
    assert kind_of(told(0, 0, mode | 0o644)) == kind
    twice = told(0, 0, stat.S_IFREG)
    twice.st_nlink = 2
    assert kind_of(twice) == "a hard link, it has another name elsewhere"


def test_a_file_that_becomes_a_link_or_grows_while_it_is_opened_is_refused(tmp_path, monkeypatch):
    (tmp_path / "small").write_text("x")
    (tmp_path / "large").write_bytes(b"x" * 99)
    (tmp_path / "link").symlink_to("small")
    small, opened = os.lstat(tmp_path / "small"), len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "lstat", lambda path: small)
    with pytest.raises(OSError) as error:  # noqa: PT011 - the number says which
        open_plain(tmp_path / "link")
    assert error.value.errno == errno.ELOOP
    with pytest.raises(RunError, match="large is too large") as told_:
        open_plain(tmp_path / "large", most=98)
    assert told_.value.got == "99 bytes"
    assert len(os.listdir("/proc/self/fd")) == opened


def test_files_are_made_with_the_rights_of_the_umask_and_read_whole(tmp_path):
    before = os.umask(0o022)
    try:
        with open_plain(tmp_path / "x", os.O_RDWR | os.O_CREAT) as file:
            file.write(b"12345")
            assert os.get_inheritable(file.fileno()) is False
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "x").st_mode) == 0o644
    assert read_plain(tmp_path / "x") == read_given(tmp_path / "x", 5) == b"12345"
    assert read_data_file(tmp_path / "x", first=3) == b"123"
    with pytest.raises(FileNotFoundError):
        open_plain(tmp_path / "none", os.O_WRONLY)
    assert not (tmp_path / "none").exists()


def test_a_draft_stands_beside_its_file_and_is_gone_afterwards(tmp_path):
    seen = []

    def write(draft: Path) -> None:
        seen.append((draft.parent, is_temporary(draft), draft.exists()))
        draft.write_text("x")

    write_file(tmp_path / "a" / "x.txt", write)
    write_file(tmp_path / "a" / "x.txt", write)
    assert seen == [(tmp_path / "a", True, True)] * 2
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["x.txt"]
    assert temporary_name(tmp_path / ("n" * 120)).name.startswith(f".{'n' * 100}.")
    write_text(tmp_path / "y", "ä")
    assert (tmp_path / "y").read_bytes() == "ä".encode()


def test_whose_home_is_not_known_hides_those_of_others(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("no home")

    for home, own in ((homeless, "/srv/eve/x"), (lambda: Path("/"), "/srv/eve/x"), (lambda: Path("/srv/eve"), "~/x")):
        monkeypatch.setattr(Path, "home", home)
        assert without_home("/srv/eve/x") == own
        assert without_home(["/home/ada/x", ("/root/y",), 3, None]) == ["~/x", ("~/y",), 3, None]
    assert without_home({"png": "/home/ada", "x": {"png": ["/home/ada"], "y": "/home/ada"}}) == {
        "png": "/home/ada",
        "x": {"png": ["/home/ada"], "y": "~"},
    }
