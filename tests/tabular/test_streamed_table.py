"""Parquet files larger than memory: what is measured, what is drawn and what is read are those of all rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from glassbench.contracts.data import Data, Split, Streamed
from glassbench.errors import DataError
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench_plugins.tabular.row_group_stream import SAMPLE, TEST, VALIDATION, Draw
from glassbench_plugins.tabular.streamed_table import streamed_table

ROWS, GROUP = 5000, 400


@pytest.fixture
def frame() -> pd.DataFrame:
    drawn = np.random.default_rng(0)
    x = drawn.normal(50, 10, ROWS)
    return pd.DataFrame(
        {
            "x": np.where(drawn.random(ROWS) < 0.1, np.nan, x),
            "whole": drawn.integers(0, 1000, ROWS),
            "town": drawn.choice(["Bern", "Genf", "Zug"], ROWS, p=[0.6, 0.3, 0.1]),
            "sex": drawn.choice(["f", "m"], ROWS),
            "granted": np.where(x + drawn.normal(0, 5, ROWS) > 50, "yes", "no"),
        }
    )


def write(frame: pd.DataFrame, path: Path, group: int = GROUP) -> Path:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=group)
    return path


def data_of(path: Path, **settings: Any) -> tuple[Data, Streamed, TableEncoder]:
    asked = {"target": "granted", "sensitive": ("sex",), "test": 600, "validation": 300, "sample": 500, "buffer": 900}
    data = streamed_table(3, path=path, **asked | settings)
    assert data.stream is not None
    assert isinstance(data.encoder, TableEncoder)
    return data, data.stream, data.encoder


def training_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The training rows by the rule of the draw, found without reading a file."""
    draw = Draw(seed=3, validation=300 / len(frame), test=600 / len(frame), sample=500 / len(frame))
    sizes = [min(GROUP, len(frame) - start) for start in range(0, len(frame), GROUP)]
    return frame[np.concatenate([draw.learnt(place, size) for place, size in enumerate(sizes)])]


def epoch(stream: Streamed, number: int = 0) -> list[Split]:
    parts: list[Split] = []
    while (part := stream.part(7, number, len(parts))) is not None:
        parts.append(part)
    return parts


def test_numbers_are_measured_on_all_training_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    _, _, encoder = data_of(write(frame, tmp_path / "rows.parquet"))
    learnt = training_rows(frame)
    codes = {code.name: code for code in encoder.inputs}
    whole = codes["whole"]
    assert (whole.mean, whole.std) == pytest.approx((learnt.whole.mean(), learnt.whole.std(ddof=0)), rel=1e-12)
    assert (whole.low, whole.high) == (learnt.whole.min(), learnt.whole.max())
    x = codes["x"]
    filled = learnt.x.fillna(x.median)
    assert x.indicator
    assert (x.mean, x.std) == pytest.approx((filled.mean(), filled.std(ddof=0)), rel=1e-12)
    assert x.median == pytest.approx(learnt.x.median(), abs=2)
    assert codes["town"].categories == ("Bern", "Genf", "Zug")


def test_an_epoch_reads_each_training_row_once(frame: pd.DataFrame, tmp_path: Path) -> None:
    data, stream, encoder = data_of(write(frame, tmp_path / "rows.parquet"))
    learnt, parts = training_rows(frame), epoch(stream)
    rows = np.concatenate([part.rows for part in parts])
    assert stream.rows == len(learnt) == len(rows)
    assert stream.parts == len(parts)
    assert sorted(rows) == learnt.index.tolist()
    expected = encoder.encode(frame.loc[rows])
    assert isinstance(expected.inputs, tuple)
    assert torch.equal(torch.cat([part.inputs[0] for part in parts]), expected.inputs[0])
    assert torch.equal(torch.cat([part.target for part in parts if part.target is not None]), expected.target)
    assert isinstance(data.test, Split)
    assert isinstance(data.train, Split)
    assert len(data.test) == pytest.approx(600, abs=100)
    assert len(data.train) == pytest.approx(500, abs=100)


def test_epochs_have_orders_of_their_own_and_are_the_same_again(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write(frame, tmp_path / "rows.parquet")
    (_, stream, _), (_, again, _) = data_of(path), data_of(path)
    first, second = epoch(stream, 0), epoch(stream, 1)
    assert [part.rows.tolist() for part in first] != [part.rows.tolist() for part in second]
    assert [part.rows.tolist() for part in first] == [part.rows.tolist() for part in epoch(again, 0)]
    assert stream.fingerprint() == again.fingerprint()


def test_the_fingerprint_changes_with_a_cell(frame: pd.DataFrame, tmp_path: Path) -> None:
    _, stream, _ = data_of(write(frame, tmp_path / "rows.parquet"))
    frame.loc[4321, "whole"] += 1
    _, other, _ = data_of(write(frame, tmp_path / "other.parquet"))
    assert stream.fingerprint() != other.fingerprint()


def test_no_row_is_for_two_purposes(frame: pd.DataFrame) -> None:
    parts = Draw(seed=0, validation=0.2, test=0.3, sample=0.1).parts(5, 100_000)
    shares = [float((parts == part).mean()) for part in (VALIDATION, TEST, SAMPLE)]
    assert shares == pytest.approx([0.2, 0.3, 0.1], abs=0.01)


def test_a_column_that_reads_otherwise_after_the_first_row_group(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Texts that look like numbers in the first row group alone are categories; all rows are then measured again."""
    frame["code"] = ["7" if place < GROUP else f"k{place % 5}" for place in range(ROWS)]
    _, stream, encoder = data_of(write(frame, tmp_path / "rows.parquet"))
    codes, learnt = {code.name: code for code in encoder.inputs}, training_rows(frame)
    assert set(codes["code"].categories) == {"7", "k0", "k1", "k2", "k3", "k4"}
    whole = codes["whole"]
    assert (whole.mean, whole.std) == pytest.approx((learnt.whole.mean(), learnt.whole.std(ddof=0)), rel=1e-12)
    assert sum(len(part) for part in epoch(stream)) == stream.rows


def test_rows_without_a_truth_are_not_learnt_from(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[frame.index % 7 == 0, "granted"] = None
    _, stream, _ = data_of(write(frame, tmp_path / "rows.parquet"))
    learnt = training_rows(frame)
    assert stream.rows == learnt.granted.notna().sum() == sum(len(part) for part in epoch(stream))


def test_values_are_learnt_too(frame: pd.DataFrame, tmp_path: Path) -> None:
    _, stream, _ = data_of(write(frame, tmp_path / "rows.parquet"), target="x", kind="value", drop=("granted",))
    learnt = training_rows(frame)
    values = torch.cat([part.target for part in epoch(stream) if part.target is not None])
    assert stream.rows == len(values) == learnt.x.notna().sum()
    assert float(values.double().mean()) == pytest.approx(learnt.x.mean(), rel=1e-6)


def test_a_folder_with_partitions_is_one_table(frame: pd.DataFrame, tmp_path: Path) -> None:
    for town, rows in frame.groupby("town"):
        (tmp_path / "rows" / f"town={town}").mkdir(parents=True)
        write(rows.drop(columns="town"), tmp_path / "rows" / f"town={town}" / "part.parquet")
    data, stream, encoder = data_of(tmp_path / "rows")
    assert "town" in [code.name for code in encoder.inputs]
    assert isinstance(data.test, Split)
    assert sum(len(part) for part in epoch(stream)) == stream.rows == pytest.approx(4100, abs=120)


def test_a_fifth_of_the_rows_at_most_is_held_out_for_each_purpose(frame: pd.DataFrame, tmp_path: Path) -> None:
    data, stream, _ = data_of(write(frame, tmp_path / "rows.parquet"), test=2000, validation=1500, sample=5000)
    sizes = [len(part) for part in (data.validation, data.test, data.train) if isinstance(part, Split)]
    assert sizes == pytest.approx([1000, 1000, 3000], abs=120)
    assert stream.rows == sizes[2] == ROWS - sum(sizes[:2])


def test_a_class_that_the_sample_lacks_is_an_error(frame: pd.DataFrame, tmp_path: Path) -> None:
    learnt = training_rows(frame)
    frame.loc[learnt.index[-1], "granted"] = "perhaps"
    with pytest.raises(DataError, match="lacks a class") as error:
        data_of(write(frame, tmp_path / "rows.parquet"))
    assert error.value.got == "perhaps (1 rows)"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda folder, frame: write(frame.drop(columns="x"), folder / "z.parquet"), "the same columns"),
        (lambda folder, frame: (folder / "z.parquet").write_text("no Parquet"), "cannot be read"),
        (lambda folder, frame: [file.unlink() for file in folder.iterdir()], "holds no Parquet files"),
        (lambda folder, frame: [write(frame.iloc[:0], file) for file in folder.iterdir()], "hold no rows"),
    ],
)
def test_what_is_no_table_is_refused(frame: pd.DataFrame, tmp_path: Path, spoil: Any, problem: str) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    write(frame, folder / "a.parquet")
    spoil(folder, frame)
    with pytest.raises(DataError, match=problem):
        data_of(folder)
