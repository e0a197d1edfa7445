"""Devices, pipes, giants and bombs in the place of data files are refused in seconds, with the limit and how to raise it."""

import bz2
import gzip
import lzma
import os
import threading
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glassbench.errors import DataError
from glassbench.storage.data_files import SIZE_VARIABLE, check_streamed, read_data_file
from glassbench.storage.parquet_files import read_parquet
from glassbench.toolkit.reading.tables import Format, column_names, read_table
from glassbench_plugins.audio.clips import Format as SoundFormat
from glassbench_plugins.audio.clips import read_clip
from glassbench_plugins.language.datasets import text_file
from glassbench_plugins.predictions.engines import count_rows
from glassbench_plugins.predictions.files import Files
from glassbench_plugins.series.files import series_table
from glassbench_plugins.tabular.files import table
from glassbench_plugins.tabular.inspecting import inspect_table
from glassbench_plugins.text.files import read_lines, read_texts
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.idx import read_idx
from glassbench_plugins.vision.npz import npz

ROWS = b"age,sex,granted\n" + b"41,f,yes\n" * 200
GIANT = 1 << 40
UNPACKED = 100 << 20

READERS = {
    "table": lambda file: table(0, path=file, target="granted"),
    "header": lambda file: column_names(file, Format()),
    "inspect": lambda file: inspect_table(file, {}),
    "predictions": lambda file: count_rows(Files(paths=(file,), form=Format()), ["sex"], "duckdb"),
    "series": lambda file: series_table(0, path=str(file), time="age", target="granted"),
    "texts": lambda file: read_texts(str(file), Format()),
    "lines": lambda file: read_lines(str(file), "utf-8", "dataset.path"),
    "language": lambda file: text_file(0, path=str(file)),
    "digits": read_idx,
    "arrays": lambda file: npz(0, path=str(file)),
    "picture": lambda file: read_image(file, Form(height=8, width=8)),
    "sound": lambda file: read_clip(file, SoundFormat(rate=8000, samples=8)),
    "parquet": read_parquet,
}


def refused(reader, file):
    """Return what a reader says; it must say it within 10 seconds."""
    said = []

    def read():
        try:
            reader(file)
        except DataError as error:
            said.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "hangs"
    assert said, "was read"
    return said[0]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device", "giant"])
def test_what_is_no_file_is_not_opened(name, kind, tmp_path):
    file = tmp_path / "rows.csv"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        file.symlink_to("/dev/zero")
    elif name in ("header", "predictions"):
        pytest.skip("reads the beginning alone, or in a stream")
    else:
        file.write_bytes(ROWS)
        os.truncate(file, GIANT)
    error = refused(READERS[name], file)
    if kind == "giant":
        assert error.problem == "the file is too large to be read"
        assert SIZE_VARIABLE in error.fix
    else:
        assert f"a {'named pipe' if kind == 'pipe' else 'device'}" in error.got


def bombs(folder):
    """Files of less than 1 MB that unpack to more than 100 MB."""
    for ending, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        (folder / f"rows.csv{ending}").write_bytes(pack(ROWS) + pack(b"1,m,no\n" * (UNPACKED // 700)) * 100)
    with zipfile.ZipFile(folder / "rows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", ROWS + b"1,m,no\n" * (UNPACKED // 7))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    bombs(folder)
    return folder


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.bz2", ".csv.xz", ".zip"])
@pytest.mark.parametrize("name", ["table", "inspect", "series", "predictions", "lines", "language", "digits"])
def test_bombs_are_stopped_while_they_are_unpacked(name, ending, packed):
    if ending == ".zip" and name not in ("table", "inspect", "series"):
        pytest.skip("reads no zip archives")
    error = refused(READERS[name], packed / f"rows{ending}")
    assert error.problem == "the file is too large to be read"
    assert SIZE_VARIABLE in error.fix


def test_the_limit_is_raised_by_the_variable(packed, monkeypatch):
    monkeypatch.setenv(SIZE_VARIABLE, "101")
    assert read_data_file(packed / "rows.csv.bz2").startswith(ROWS)
    check_streamed(packed / "rows.csv.xz")
    monkeypatch.setenv(SIZE_VARIABLE, "1")
    (plain := packed / "plain.csv").write_bytes(b"x" * (1 << 20) + b"x")
    assert "up to 1 MB" in str(refused(read_data_file, plain))


def test_an_archive_of_arrays_is_judged_by_all_of_its_members(tmp_path):
    file = tmp_path / "images.npz"
    np.savez_compressed(file, **{f"{part}_images": np.zeros((40_000, 28, 28), np.uint8) for part in ("train", "val", "test")})
    assert refused(READERS["arrays"], file).problem == "the file is too large to be read"


def test_constant_columns_of_parquet_count_by_their_cells(tmp_path):
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"old": pa.repeat(pa.scalar(True), UNPACKED)}), file)
    assert file.stat().st_size < 1 << 20
    assert refused(read_table_of, file).problem == "the file is too large to be read"


def read_table_of(file):
    return read_table(file, Format())


def test_silence_packed_to_nothing_is_not_unpacked(tmp_path):
    import soundfile

    file = tmp_path / "silence.flac"
    soundfile.write(file, np.zeros(UNPACKED // 4, np.int16), 8000)
    assert refused(READERS["sound"], file).problem == "the file is too large to be read"


def test_a_picture_that_is_a_program_is_refused(tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(ran) print\nshowpage\n%%EOF\n")
    assert "is no image" in refused(READERS["picture"], file).got


def test_honest_packed_files_read_as_before(tmp_path):
    text = "a,b\n" + "".join(f"{i},{i * i % 997}\n" for i in range(1_000_000)) * 7
    (file := tmp_path / "rows.csv.gz").write_bytes(gzip.compress(text.encode(), 1))
    assert read_data_file(file) == text.encode()
    check_streamed(file)
