"""Files, held against hand-made ones: written whole or not at all, read as what they should be or not at all."""

import errno
import hashlib
import json
import os
import socket
import stat

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from glassbench.errors import ComponentError, DataError, RunError
from glassbench.storage import data_files, plain_files
from glassbench.storage.data_files import (
    SIZE_VARIABLE,
    check_archive,
    check_data_file,
    check_streamed,
    check_unpacked,
    read_data_file,
    unpacked,
)
from glassbench.storage.files import (
    content_hash,
    digests,
    is_temporary,
    json_text,
    parse_json,
    read_json,
    read_object,
    sha256,
    storage,
    temporary_name,
    understood,
    write_file,
    write_json,
    write_text,
)
from glassbench.storage.frame_files import check_writable, write_frame
from glassbench.storage.home_paths import without_home
from glassbench.storage.limits import given_limit
from glassbench.storage.parquet_files import check_parquet, read_parquet
from glassbench.storage.plain_files import inventory, kind_of, open_plain, read_given, read_plain, readable, refuse_strange

MEGABYTE = 1 << 20


def raised(exception, code: int = 0):
    """Return a writer that writes a part and is then stopped."""

    def write(path):
        path.write_text("half")
        raise exception(code, "stopped") if code else exception()

    return write


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, SystemExit, ValueError, MemoryError, GeneratorExit])
def test_whatever_stops_a_write_leaves_the_old_file_and_nothing_else(tmp_path, stopped):
    (path := tmp_path / "kept.txt").write_text("whole")
    with pytest.raises(stopped):
        write_file(path, raised(stopped))
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("kept.txt", "whole")]


def test_a_file_appears_in_new_folders_with_the_rights_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(path := tmp_path / "a" / "b" / "new.txt", replacing)
    finally:
        os.umask(before)
    assert path.read_text() == "made anew"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(path.parent.iterdir()) == [path]


def replacing(path):
    """Write as libraries do that make a file anew, with rights of their own."""
    path.unlink()
    path.write_text("made anew")
    path.chmod(0o600)


def test_what_was_written_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda number: seen.append(os.fstat(number).st_size))
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append(b.name), real(a, b)))
    write_text(tmp_path / "x.txt", "four")
    assert seen == [4, "x.txt"]


def test_a_link_is_replaced_and_never_written_through(tmp_path):
    (other := tmp_path / "other").write_text("not ours")
    (path := tmp_path / "x.txt").symlink_to(other)
    write_text(path, "ours")
    assert (other.read_text(), path.read_text(), path.is_symlink()) == ("not ours", "ours", False)


def test_no_device_and_no_folder_is_written_over(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "null").symlink_to("/dev/null")
    for name, kind in (("folder", "a folder"), ("null", "a device")):
        with pytest.raises(RunError, match=f"cannot write {name}: it is {kind}") as caught:
            write_text(tmp_path / name, "x")
        assert caught.value.where == str(tmp_path / name)


@pytest.mark.parametrize(
    ("code", "words", "fix"),
    [
        (errno.ENOSPC, "the disk is full", "resume"),
        (errno.EDQUOT, "quota is used up", "resume"),
        (errno.EFBIG, "larger than this process may write", "ulimit"),
        (errno.EACCES, "no permission to write", "--runs"),
        (errno.EROFS, "read-only", "--runs"),
        (errno.ENAMETOOLONG, "the name is too long", "shorter"),
        (errno.EIO, "stopped", "--runs"),
    ],
)
def test_what_the_system_says_of_a_place(tmp_path, code, words, fix):
    with pytest.raises(RunError, match=words) as caught:
        write_file(tmp_path / "x", raised(OSError, code))
    assert fix in caught.value.fix
    assert str(tmp_path / "x") == caught.value.where
    assert not list(tmp_path.iterdir())


def test_other_errors_pass_through_a_place_as_they_are(tmp_path):
    with pytest.raises(KeyError), storage(tmp_path):
        raise KeyError


def test_temporary_names_are_known_again_and_differ(tmp_path):
    names = {temporary_name(tmp_path / ("n" * 300)).name for _ in range(50)}
    assert len(names) == 50
    assert all(is_temporary(tmp_path / name) and name.startswith(".n") and len(name) <= 255 for name in names)
    for other in ("x.txt", ".x.part", f".x.{'0' * 15}.part", f".x.{'g' * 16}.part", f".x.{'0' * 16}.part2", f"x.{'0' * 16}.part"):
        assert not is_temporary(tmp_path / other)


def test_json_comes_back_and_is_strict(tmp_path):
    content = {"ä": [1, 2.5, None, True], "b": {"c": "\U0001f600"}}
    write_json(tmp_path / "x.json", content)
    assert read_json(tmp_path / "x.json") == read_object(tmp_path / "x.json") == content
    assert (tmp_path / "x.json").read_bytes() == json_text(content).encode()
    assert json_text({"a": "ä"}) == '{\n "a": "ä"\n}\n'
    assert json.loads(json_text(content)) == content
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            json_text({"a": [number]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' is given twice"),
        ('{"x": {"a": 1, "a": 1}}', "'a' is given twice"),
        ("[1e999]", "too large for a number"),
        ("[-1e999]", "too large for a number"),
        ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ('["\\ud800"]', "lone surrogate"),
        ('{"\\uD812": 1}', "lone surrogate"),
        ("[" * 100_000, "nests too deeply"),
        ("[1", "Expecting"),
    ],
)
def test_what_is_no_json(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        parse_json(text, finite=True)
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(RunError, match="cannot be read") as caught:
        read_json(tmp_path / "x.json")
    assert words in caught.value.got
    assert caught.value.where == str(tmp_path / "x.json")


def test_numbers_that_are_none_may_be_asked_for():
    assert parse_json("[1e999, -Infinity]", finite=False) == [float("inf"), float("-inf")]
    assert np.isnan(parse_json("[NaN]", finite=False)[0])
    assert parse_json('["\\ud83d\\ude00", "\\\\ud800"]', finite=True) == ["\U0001f600", "\\ud800"]


def test_missing_and_other_content_is_said(tmp_path):
    with pytest.raises(RunError, match="a file of the run is missing") as caught:
        read_json(tmp_path / "x.json")
    assert caught.value.where == str(tmp_path / "x.json")
    write_json(tmp_path / "x.json", [1])
    with pytest.raises(RunError, match=r"x\.json is damaged") as caught:
        read_object(tmp_path / "x.json")
    assert (caught.value.got, caught.value.where) == ("a list in place of an object", str(tmp_path / "x.json"))
    (tmp_path / "x.json").write_bytes(b"\xff")
    with pytest.raises(RunError, match="cannot be read") as caught:
        read_json(tmp_path / "x.json")
    assert caught.value.where == str(tmp_path / "x.json")


@pytest.mark.parametrize("error", [KeyError("k"), TypeError("t"), ValueError("v"), AttributeError("a"), ZeroDivisionError("z")])
def test_odd_content_names_the_damaged_file(tmp_path, error):
    with (
        pytest.raises(RunError, match=r"x\.json cannot be read: it is damaged") as caught,
        understood(tmp_path / "x.json", "mend it"),
    ):
        raise error
    assert caught.value.got.startswith(f"{type(error).__name__}: ")
    assert (caught.value.fix, caught.value.where) == ("mend it", str(tmp_path / "x.json"))
    with pytest.raises(OSError, match="else"), understood(tmp_path / "x.json"):
        raise OSError("else")


class Form(BaseModel):
    """A form with two fields that must be there."""

    first: int
    inner: dict[str, int]


def test_of_a_form_the_first_thing_that_is_wrong_is_said(tmp_path):
    with pytest.raises(RunError, match="it is damaged") as caught, understood(tmp_path / "x.json"):
        Form.model_validate({"first": 1, "inner": {"a": "x"}})
    assert caught.value.got.startswith("inner.a: Input should be a valid integer")
    with pytest.raises(RunError, match="it is damaged") as caught, understood(tmp_path / "x.json"):
        Form.model_validate({"first": "1" * 300, "inner": {"a" * 200: "x"}})
    assert len(caught.value.got) <= 80 + 2 + 120
    with pytest.raises(RunError, match="it is damaged") as caught, understood(tmp_path / "x.json"):
        raise ValueError("x" * 300)
    assert caught.value.got == f"ValueError: {'x' * 188}"


def test_hashes_are_sha256(tmp_path):
    contents = [b"", b"a" * 100_000, b"b"]
    paths = [tmp_path / f"{place}.bin" for place in range(3)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
        assert sha256(path) == hashlib.sha256(content).hexdigest()
    joined = b"".join(hashlib.sha256(content).digest() for content in contents)
    assert content_hash(paths) == hashlib.sha256(joined).hexdigest() != content_hash(paths[::-1])
    assert list(digests({"b": b"1", "a": b"2"}).items()) == [
        ("a", hashlib.sha256(b"2").hexdigest()),
        ("b", hashlib.sha256(b"1").hexdigest()),
    ]
    with pytest.raises(RunError, match="cannot be read") as caught:
        sha256(tmp_path / "none")
    assert (caught.value.where, caught.value.got) == (str(tmp_path / "none"), os.strerror(errno.ENOENT))


@pytest.fixture
def strange(tmp_path):
    """A folder with one entry of each kind."""
    folder = tmp_path / "run"
    (folder / "inner" / "deep").mkdir(parents=True)
    (folder / "plain").write_text("x")
    (folder / "inner" / "deep" / "kept").write_text("y")
    os.link(folder / "plain", tmp_path / "elsewhere")
    (folder / "link").symlink_to("plain")
    os.mkfifo(folder / "pipe")
    return folder


def test_everything_below_a_folder_is_listed_and_told_apart(strange):
    found = {entry.name: (entry.strange, entry.folder) for entry in inventory(strange)}
    assert found == {
        "inner": (None, True),
        "inner/deep": (None, True),
        "inner/deep/kept": (None, False),
        "link": ("a symbolic link", False),
        "pipe": ("a named pipe", False),
        "plain": ("a hard link, it has another name elsewhere", False),
    }
    assert list(found) == sorted(found)
    with pytest.raises(RunError, match="not a plain file") as caught:
        refuse_strange(strange)
    assert (caught.value.got, caught.value.where) == ("link is a symbolic link (and 2 more)", str(strange))
    (strange / "link").unlink()
    with pytest.raises(RunError, match="not a plain file") as caught:
        refuse_strange(strange)
    assert caught.value.got == "pipe is a named pipe (and 1 more)"


def test_a_folder_of_plain_files_is_let_pass_and_a_link_to_it_is_not(tmp_path):
    (tmp_path / "run" / "inner").mkdir(parents=True)
    (tmp_path / "run" / "inner" / "x").write_text("x")
    refuse_strange(tmp_path / "run")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with pytest.raises(RunError, match="plain file") as caught:
        refuse_strange(tmp_path / "link")
    assert caught.value.got == "the folder itself is a symbolic link"
    with pytest.raises(RunError, match="cannot be listed") as caught:
        inventory(tmp_path / "none")
    assert (caught.value.where, caught.value.got) == (str(tmp_path / "none"), os.strerror(errno.ENOENT))


def test_a_folder_of_too_many_entries_is_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr(plain_files, "MOST_ENTRIES", 3)
    for name in "abc":
        (tmp_path / name).touch()
    assert len(inventory(tmp_path)) == 3
    (tmp_path / "d").touch()
    with pytest.raises(RunError, match="too much to be a run") as caught:
        inventory(tmp_path)
    assert (caught.value.where, caught.value.got) == (str(tmp_path), "more than 3 files")


def test_kinds_of_files(tmp_path):
    (tmp_path / "x").touch()
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.close()
    assert kind_of(os.lstat(tmp_path / "x")) is None
    assert kind_of(os.lstat(tmp_path)) == "a folder"
    assert kind_of(os.lstat(tmp_path / "s")) == "a socket"
    assert kind_of(os.stat("/dev/null")) == "a device"


@pytest.mark.parametrize("name", ["link", "pipe", "plain"])
def test_nothing_but_a_plain_file_of_one_name_is_opened(strange, name):
    with pytest.raises(RunError, match=f"{name} is not a plain file") as caught:
        read_plain(strange / name)
    assert caught.value.where == str(strange / name)
    assert caught.value.got == {entry.name: entry.strange for entry in inventory(strange)}[name]
    with pytest.raises(RunError, match="not a plain file"):
        open_plain(strange / name, os.O_WRONLY | os.O_CREAT)


def test_plain_files_are_opened_as_asked(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(FileNotFoundError):
        open_plain(path)
    with open_plain(path, os.O_WRONLY | os.O_CREAT) as file:
        file.write(b"12345")
    with open_plain(path, os.O_RDWR) as file:
        file.write(b"ab")
    assert read_plain(path) == b"ab345"
    with open_plain(path) as file, pytest.raises(OSError, match="write"):
        file.write(b"x")


def test_the_largest_size_is_itself_allowed(tmp_path, monkeypatch):
    (path := tmp_path / "x").write_bytes(b"12345")
    assert read_plain(path, most=5) == read_given(path, 5) == b"12345"
    with pytest.raises(RunError, match="too large to be read") as caught:
        read_plain(path, most=4)
    assert (caught.value.got, caught.value.fix, caught.value.where) == ("5 bytes", None, str(path))
    assert list(caught.value.available) == ["up to 4 bytes"]
    with pytest.raises(OSError, match="5 bytes") as told:
        read_given(path, 4)
    assert told.value.errno == errno.EFBIG
    monkeypatch.setenv("GLASSBENCH_MAX_RUN_FILE_MB", "1")
    os.truncate(path, MEGABYTE)
    assert len(read_plain(path)) == MEGABYTE
    os.truncate(path, MEGABYTE + 1)
    with pytest.raises(RunError, match="too large") as caught:
        read_plain(path)
    assert "GLASSBENCH_MAX_RUN_FILE_MB" in caught.value.fix
    monkeypatch.delenv("GLASSBENCH_MAX_RUN_FILE_MB")
    os.truncate(path, 512 * MEGABYTE)
    open_plain(path).close()
    os.truncate(path, 512 * MEGABYTE + 1)
    with pytest.raises(RunError, match="too large"):
        open_plain(path)


def test_a_named_file_may_be_a_link_and_no_device(tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "link").symlink_to("x")
    assert read_given(tmp_path / "link", 10) == b"1"
    opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    os.mkfifo(tmp_path / "pipe")  # nobody writes: opening it must not wait
    for path, kind in (("/dev/null", "a device"), (tmp_path, "a folder"), (tmp_path / "pipe", "a named pipe")):
        with pytest.raises(OSError, match=f"it is {kind}, not a file") as caught:
            read_given(path, 10)
        assert caught.value.errno == errno.EINVAL
    assert opened in (None, len(os.listdir("/proc/self/fd")))


def test_names_are_shown_escaped_and_short():
    assert readable("a\x1b[31m\nb\u202e") == "a\\x1b[31m\\nb\\u202e"
    assert readable("n" * 200) == "n" * 200
    assert readable("n" * 201) == "n" * 197 + "..."


@pytest.mark.parametrize(
    ("size", "packed", "given", "let_pass"),
    [
        (64 * MEGABYTE, 1, None, True),
        (64 * MEGABYTE + 1, 1, None, False),
        (100 * MEGABYTE, MEGABYTE, None, True),
        (100 * MEGABYTE + 1, MEGABYTE, None, False),
        (2048 * MEGABYTE, 2048 * MEGABYTE, None, True),
        (2048 * MEGABYTE + 1, 2048 * MEGABYTE, None, False),
        (3 * MEGABYTE, 1, "3", True),
        (3 * MEGABYTE + 1, 3 * MEGABYTE, "3", False),
        (4000 * MEGABYTE, 1, "4000", True),
    ],
)
def test_how_large_data_may_be(tmp_path, monkeypatch, size, packed, given, let_pass):
    monkeypatch.delenv(SIZE_VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(SIZE_VARIABLE, given)
    if let_pass:
        check_unpacked(size, packed, tmp_path / "x.csv")
        return
    with pytest.raises(DataError, match="too large to be read") as caught:
        check_unpacked(size, packed, tmp_path / "x.csv", "dataset.here")
    assert caught.value.where == "dataset.here"
    assert f"{-(-size // MEGABYTE)} or more" in caught.value.fix
    assert caught.value.got == f"x.csv: {packed:,} bytes on the disk, {size:,} bytes or more when read"
    most = int(given) if given else min(2048, max(64, 100 * packed // MEGABYTE))
    assert list(caught.value.available) == [f"up to {most:,} MB"]


def test_data_files_that_are_none(tmp_path):
    (tmp_path / "rows.csv").write_text("a\n1\n")
    for path, problem, kind in (
        (tmp_path, "the path is a folder", "a folder"),
        ("/dev/null", "the path is not a file", "a device"),
    ):
        with pytest.raises(DataError, match=problem) as caught:
            check_data_file(type(tmp_path)(path), "dataset.here")
        assert (caught.value.where, caught.value.got) == ("dataset.here", f"{path}: {kind}")
    with pytest.raises(DataError, match="there is no such file") as caught:
        check_data_file(tmp_path / "row.csv", "dataset.here")
    assert "rows.csv" in caught.value.fix
    assert (caught.value.where, caught.value.got) == ("dataset.here", str(tmp_path / "row.csv"))
    with pytest.raises(DataError, match="there is no such file") as caught:
        read_data_file(tmp_path / "row.csv", "dataset.there")
    assert caught.value.where == "dataset.there"
    with pytest.raises(DataError, match="there is no such file") as caught:
        check_data_file(tmp_path / "none" / "rows.csv")
    assert "isn't there either" in caught.value.fix
    with pytest.raises(DataError, match="the file cannot be read"):
        check_data_file(tmp_path / "a\0b")


def test_a_file_of_holes_is_as_small_as_what_it_keeps(tmp_path, monkeypatch):
    monkeypatch.delenv(SIZE_VARIABLE, raising=False)
    (path := tmp_path / "x.csv").write_bytes(b"a\n")
    os.truncate(path, 65 * MEGABYTE)
    with pytest.raises(DataError, match="too large"):
        check_data_file(path)
    check_data_file(path, whole=False)
    assert read_data_file(path, first=2) == b"a\n"


def test_pieces_are_put_together_and_stopped_at_the_limit(tmp_path, monkeypatch):
    import io

    content = os.urandom(3 * MEGABYTE + 17)
    assert unpacked(io.BytesIO(content), tmp_path / "x", len(content)) == content
    monkeypatch.setenv(SIZE_VARIABLE, "2")
    stream = io.BytesIO(content)
    with pytest.raises(DataError, match="too large"):
        unpacked(stream, tmp_path / "x", len(content))
    assert stream.tell() == 3 * MEGABYTE


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_packed_files_are_unpacked_and_damaged_ones_refused(tmp_path, ending, monkeypatch):
    pack = __import__({"gz": "gzip", "xz": "lzma"}.get(ending, ending)).compress
    (path := tmp_path / f"x.csv.{ending}").write_bytes(whole := pack(b"a,b\n1,2\n" * 300_000))
    assert read_data_file(path) == b"a,b\n1,2\n" * 300_000
    assert read_data_file(path, first=4) == b"a,b\n"
    check_streamed(path)
    monkeypatch.setenv(SIZE_VARIABLE, "2")
    with pytest.raises(DataError, match="too large"):
        read_data_file(path)
    path.write_bytes(whole[: len(whole) // 2])
    monkeypatch.delenv(SIZE_VARIABLE)
    for read in (read_data_file, check_streamed):
        with pytest.raises(DataError, match="the file cannot be read") as caught:
            read(path, "dataset.here")
        assert caught.value.where == "dataset.here"
        assert caught.value.got.startswith(f"{path}: ")


def test_what_an_engine_reads_in_a_stream_may_be_large_and_no_bomb(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setenv(SIZE_VARIABLE, "1")
    (path := tmp_path / "x.csv.gz").write_bytes(gzip.compress(os.urandom(3 * MEGABYTE)))
    check_streamed(path)
    path.write_bytes(gzip.compress(b"0" * (3 * MEGABYTE)))
    with pytest.raises(DataError, match="too large") as caught:
        check_streamed(path, "dataset.here")
    assert caught.value.where == "dataset.here"


def test_damage_without_a_word_is_told_by_its_kind(tmp_path, monkeypatch):
    def opened(*_):
        raise EOFError

    (path := tmp_path / "x.gz").write_bytes(b"x")
    monkeypatch.setitem(data_files.PACKED, ".gz", opened)
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_data_file(path)
    assert caught.value.got == f"{path}: EOFError"


READERS = (check_data_file, read_data_file, check_streamed, check_archive, check_parquet, read_parquet)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_every_refusal_names_the_file_the_setting_and_a_way_out(tmp_path, monkeypatch, read):
    (path := tmp_path / "rows.csv.gz").write_bytes(b"no such format" * (MEGABYTE // 10))
    with pytest.raises(DataError, match="no such file") as missing:
        read(tmp_path / "rows.csv.xz")
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    refusals = [missing.value]
    if read is not check_streamed:  # it keeps nothing, so that the size of the file does not count
        with pytest.raises(DataError, match="too large to be read") as large:
            read(path)
        refusals.append(large.value)
    monkeypatch.delenv(SIZE_VARIABLE)
    if read is not check_data_file:  # it opens nothing
        with pytest.raises(DataError, match="cannot be read") as damaged:
            read(path)
        assert "check that the file is whole" in damaged.value.fix
        refusals.append(damaged.value)
    assert all(error.where == "dataset.path" and "rows.csv" in error.got for error in refusals)
    assert all(error.fix for error in refusals)


def test_an_archive_is_judged_by_the_sum_of_its_members(tmp_path, monkeypatch):
    import zipfile

    with zipfile.ZipFile(path := tmp_path / "x.zip", "w") as archive:
        for name in "ab":
            archive.writestr(name, b"0" * MEGABYTE)
    monkeypatch.setenv(SIZE_VARIABLE, "2")
    with pytest.raises(DataError, match="too large"):  # the archive's own headers come on top
        check_archive(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "ab":
            archive.writestr(name, b"0" * MEGABYTE)
    check_archive(path)
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    with pytest.raises(DataError, match="too large"):
        check_archive(path)
    path.write_bytes(b"none")
    with pytest.raises(DataError, match="the archive cannot be read") as caught:
        check_archive(path, "dataset.here")
    assert caught.value.where == "dataset.here"
    assert caught.value.got.startswith("x.zip: ")


def test_parquet_counts_cells_and_stated_bytes(tmp_path, monkeypatch):
    frame = pd.DataFrame({"a": np.zeros(MEGABYTE, dtype=bool), "b": np.zeros(MEGABYTE, dtype=bool)})
    frame.to_parquet(path := tmp_path / "x.parquet")
    monkeypatch.setenv(SIZE_VARIABLE, "2")
    pd.testing.assert_frame_equal(read_parquet(path), frame)
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    with pytest.raises(DataError, match="too large"):
        check_parquet(path)
    pd.DataFrame({"a": np.arange(140_000.0)}).to_parquet(path, row_group_size=70_000)  # two times 70,000 numbers of 8 bytes
    with pytest.raises(DataError, match="too large"):
        check_parquet(path)
    monkeypatch.delenv(SIZE_VARIABLE)
    whole = bytearray(path.read_bytes())
    whole[1000:200_000] = b"\xff" * 199_000  # what the file says of itself stands at its end
    path.write_bytes(whole)
    check_parquet(path)
    with pytest.raises(DataError, match="the file cannot be read") as caught:
        read_parquet(path, "dataset.here")
    assert caught.value.where == "dataset.here"
    assert caught.value.got.startswith(f"{path}: ")
    assert len(caught.value.got) > len(f"{path}: None")
    path.write_bytes(b"PAR1 none")
    for read in (read_parquet, check_parquet):
        with pytest.raises(DataError, match="the file cannot be read") as caught:
            read(path, "dataset.here")
        assert caught.value.where == "dataset.here"
        assert caught.value.got.startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("x.csv", pd.read_csv),
        ("x.TSV", lambda path: pd.read_csv(path, sep="\t")),
        ("x.parquet", pd.read_parquet),
        ("x.pq", pd.read_parquet),
        ("x.jsonl", lambda path: pd.read_json(path, lines=True)),
        ("x.ndjson", lambda path: pd.read_json(path, lines=True)),
    ],
)
def test_frames_come_back_from_each_format(tmp_path, name, read):
    frame = pd.DataFrame({"a": [1, 2], "b": ["ä", "y"]})
    write_frame(frame, tmp_path / name)
    pd.testing.assert_frame_equal(read(tmp_path / name), frame, check_dtype=False)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_formats_that_are_not_written(tmp_path, monkeypatch):
    for write in (check_writable, lambda path: write_frame(pd.DataFrame(), path)):
        with pytest.raises(DataError, match="no format that is written") as caught:
            write(tmp_path / "x.tar.doc")
        assert " x.csv" in caught.value.fix
        assert caught.value.got == str(tmp_path / "x.tar.doc")[-200:]
        assert ".csv" in caught.value.available
    with pytest.raises(DataError, match="no format") as caught:
        check_writable(tmp_path / ".doc.x")
    assert "name it decided.csv" in caught.value.fix
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "openpyxl" else name)
    with pytest.raises(ComponentError, match="openpyxl"):
        check_writable(tmp_path / "x.xlsx")
    check_writable(tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/home/ada/x.csv", "~/x.csv"),
        ("at /Users/ada", "at ~"),
        ("'/root/x', \"/root\"", "'~/x', \"~\""),
        (r"C:\Users\ada\x", r"~\x"),
        ("/homes/ada/x", "/homes/ada/x"),
        ("s3:/data/home/ada", "s3:/data/home/ada"),
        ("/rooted", "/rooted"),
    ],
)
def test_home_folders_are_not_told(monkeypatch, text, written):
    monkeypatch.setenv("HOME", "/srv/people/eve")
    assert without_home(text) == written
    assert without_home({"a": [text, (text, 1)], "png": text}) == {"a": [written, (written, 1)], "png": text}
    assert without_home("/srv/people/eve/x:/srv/people/evelyn/y") == "~/x:/srv/people/evelyn/y"


@pytest.mark.parametrize(("given", "limit"), [("12", 12), ("0", 0), ("", None), ("-1", None), ("1.5", None), ("many", None)])
def test_limits_are_whole_numbers(monkeypatch, given, limit):
    monkeypatch.setenv("GLASSBENCH_ANY", given)
    assert given_limit("GLASSBENCH_ANY") == limit
    monkeypatch.delenv("GLASSBENCH_ANY")
    assert given_limit("GLASSBENCH_ANY") is None
