"""Whatever goes into a checkpoint comes out equal, and nothing else comes out of a damaged one."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from glassbench.errors import RunError
from glassbench_plugins.training import checkpoint

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.tuples(st.integers(), st.text())
NESTED = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "state.safetensors"


@given(content=NESTED)
def test_plain_values_come_back_equal_in_value_and_type(content: object, path: Path) -> None:
    checkpoint.write(content, path)
    assert repr(checkpoint.read(path)) == repr(content)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.uint8, torch.float64])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_tensors_come_back_bit_for_bit(path: Path, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = (torch.randn(shape) * 3).to(dtype)
    turned = tensor.permute(tuple(reversed(range(tensor.ndim))))
    checkpoint.write({0: (tensor, [turned])}, path)
    first, [second] = checkpoint.read(path)[0]
    assert first.dtype == dtype
    assert torch.equal(first, tensor)
    assert torch.equal(second, turned)


def test_numbers_that_are_not_numbers_come_back(path: Path) -> None:
    checkpoint.write([math.inf, -math.inf, math.nan, -0.0, torch.tensor(math.nan)], path)
    plus, minus, nan, zero, tensor = checkpoint.read(path)
    assert (plus, minus, math.copysign(1, zero)) == (math.inf, -math.inf, -1.0)
    assert math.isnan(nan)
    assert tensor.isnan()


def test_what_cannot_be_kept_is_named(path: Path) -> None:
    with pytest.raises(RunError, match="cannot be saved") as error:
        checkpoint.write({"callbacks": {"mine": {"seen": {1, 2}}}}, path)
    assert error.value.where == "callbacks/mine/seen"
    assert error.value.got == "set"


def test_same_path_names_do_not_collide(path: Path) -> None:
    checkpoint.write({"a": {"b": torch.tensor(1)}, "a/b": torch.tensor(2)}, path)
    content = checkpoint.read(path)
    assert (int(content["a"]["b"]), int(content["a/b"])) == (1, 2)


@pytest.mark.parametrize("cut", [0, 7, 200, -1])
def test_a_cut_file_is_refused(path: Path, cut: int) -> None:
    checkpoint.write({"w": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(RunError, match="cannot be read"):
        checkpoint.read(path)


@pytest.mark.parametrize("place", [-3, 60, 120])
def test_a_flipped_bit_is_noticed(path: Path, place: int) -> None:
    checkpoint.write({"w": torch.ones(100)}, path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError):
        checkpoint.read(path)


@pytest.mark.parametrize("tensor", ["a", "b", "c"])
def test_a_flipped_bit_is_noticed_in_whichever_tensor_it_is(path: Path, tensor: str) -> None:
    values = {"a": torch.full((100,), 1.5), "b": torch.full((100,), 2.5), "c": torch.full((100,), 3.5)}
    checkpoint.write(values, path)
    content = bytearray(path.read_bytes())
    first = content.index(values[tensor].numpy().tobytes())
    content[first + 200] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="cannot be read") as refused:
        checkpoint.read(path)
    assert "checksum" in str(refused.value)


def test_a_missing_file_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        checkpoint.read(tmp_path / "none.safetensors")


def test_another_kind_of_file_is_refused(path: Path) -> None:
    save_file({"w": torch.ones(2)}, path)
    with pytest.raises(RunError) as error:
        checkpoint.read(path)
    assert error.value.got == "another kind of safetensors file"


def test_another_version_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "VERSION", "0")
    checkpoint.write({}, path)
    monkeypatch.undo()
    with pytest.raises(RunError, match="another version") as error:
        checkpoint.read(path)
    assert error.value.got == "version 0"


def test_a_folder_that_takes_no_files_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="could not be written"):
        checkpoint.write({}, tmp_path / "file" / "state.safetensors")


def test_writing_leaves_nothing_else_behind(tmp_path: Path) -> None:
    checkpoint.write({"w": torch.ones(2)}, tmp_path / "deep" / "state.safetensors")
    assert [p.name for p in tmp_path.rglob("*")] == ["deep", "state.safetensors"]
