"""What a run keeps of a model and its predictions, in formats that cannot carry code."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor, nn

from glassbench.contracts.data import Split
from glassbench.contracts.estimator import EstimatorModule, OwnFormat
from glassbench.contracts.packed import Packed
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions
from glassbench.errors import FOREIGN, FitError, RunError, said
from glassbench.storage.files import read_object, understood, write_file

_NETWORK, _ESTIMATOR = "model.safetensors", "model.skops"
_PREDICTIONS, _TENSORS = "predictions.parquet", "predictions.safetensors"

TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "sklearn.tree._tree.Tree"]
"""Compiled scikit-learn types that hold arrays only; skops knows all others it loads."""


def save_trained(folder: Path, model: nn.Module) -> str:
    """Save a trained model: a network's weights as safetensors, an estimator as skops, what has a format of its own in that.

    Returns:
        The file's name.
    """
    if isinstance(model, OwnFormat):
        content = model.to_bytes()
        write_file(folder / model.own_file, lambda path: path.write_bytes(content))
        return model.own_file
    if isinstance(model, EstimatorModule):
        from skops.io import dumps  # seconds to import, and networks need none of it

        write_file(folder / _ESTIMATOR, lambda path: path.write_bytes(dumps(model.estimator)))
        return _ESTIMATOR
    write_file(folder / _NETWORK, lambda path: save_model(model, str(path)))
    return _NETWORK


def check_storable(fresh: Any, name: str, trusts: Sequence[str] = ()) -> None:
    """Make sure that an estimator, as yet untrained, is of types that can be loaded again.

    Args:
        fresh: The estimator, or a network, which always can.
        name: The model's name, for messages.
        trusts: Types that its file may hold, beyond those of scikit-learn and NumPy.

    Raises:
        FitError: It is not.
    """
    if isinstance(fresh, nn.Module):
        return
    from skops.io import dumps

    try:
        strange = _untrusted(dumps(fresh), trusts)
    except FOREIGN as error:
        raise FitError(
            f"the estimator of '{name}' cannot be stored without pickle",
            got=said(error),
            fix="give what skops can store, or a torch.nn.Module",
        ) from error
    if strange:
        raise FitError(
            f"the estimator of '{name}' could be trained and stored, and not loaded again: its types are not trusted",
            got=", ".join(strange),
            fix=f"where they run no code when they are loaded, its plugin names them: ModelSpec(trusts={strange!r})",
        )


def load_trained(folder: Path, fresh: Any, trusts: Sequence[str] = ()) -> nn.Module:
    """Load a trained model.

    Args:
        folder: The run's folder.
        fresh: The model as its component makes it, untrained: a network to fill, or an estimator to be replaced.
        trusts: Types that an estimator's file may hold, beyond those of scikit-learn and NumPy (`ModelSpec.trusts`).

    Raises:
        RunError: The file is missing, damaged, holds types that are not trusted, or fits another version of the model.
    """
    if not isinstance(fresh, nn.Module):
        return _load_estimator(folder / _ESTIMATOR, type(fresh), trusts)
    if isinstance(fresh, OwnFormat):
        _fill(fresh, folder / fresh.own_file)
        return fresh.eval()
    path = folder / _NETWORK
    try:
        load_model(fresh, str(path))
    except FileNotFoundError as error:
        raise RunError("the run has no trained model", where=str(path), fix="`glassbench resume` it") from error
    except SafetensorError as error:
        raise RunError("the model file is damaged", where=str(path), got=str(error)) from error
    except RuntimeError as error:
        raise RunError(
            "the saved weights do not fit the model as it is now",
            where=str(path),
            got=str(error).splitlines()[-1].strip(),
            fix="install the version of the model's plugin that provenance.json names",
        ) from error
    return fresh.eval()


def _fill(fresh: OwnFormat, path: Path) -> None:
    """Have a model read the file of its own format."""
    try:
        fresh.from_bytes(path.read_bytes())
    except FileNotFoundError as error:
        raise RunError("the run has no trained model", where=str(path), fix="`glassbench resume` it") from error
    except ValueError as error:
        fix = "install the version that provenance.json names, or restore the file"
        raise RunError("the model file cannot be read", where=str(path), got=str(error), fix=fix) from error


def read_schema(path: Path) -> Schema:
    """Read what a run's rows are.

    Raises:
        RunError: The file is missing or damaged.
    """
    content = read_object(path)
    with understood(path):
        TypeAdapter(Schema).validate_json(json.dumps({**content, "facts": None}), strict=True)  # facts are checked by their class
        return Schema.from_json(content)


def save_predictions(folder: Path, predictions: Predictions, known: Split | None) -> tuple[str, ...]:
    """Save predictions, and the inputs they were made on unless these are the `known` split's; return the files' names."""
    tensors: dict[str, Tensor] = {}
    if predictions.target_index is not None:
        tensors["target_index"] = predictions.target_index.contiguous()
    source = predictions.source
    if source is not None and source is not known:
        tensors |= _tensors(source)
    write_file(folder / _TENSORS, lambda path: save_file(tensors, str(path)))
    write_file(folder / _PREDICTIONS, lambda path: predictions.frame.to_parquet(path, index=False))
    return _PREDICTIONS, _TENSORS


def load_predictions(folder: Path, known: Split | None) -> Predictions:
    """Load predictions; inputs that were not saved are those of the `known` split.

    Raises:
        RunError: They are missing or damaged.
    """
    frame = read_predictions(folder)
    try:
        tensors = load_file(folder / _TENSORS)
    except (OSError, SafetensorError, ValueError) as error:
        raise _unreadable(folder, error) from error
    plain = tuple(tensors[f"inputs.{i}"] for i in range(sum(name.startswith("inputs.") for name in tensors)))
    inputs = Packed.from_tensors(tensors) or plain
    source = _source(inputs, frame["row"].to_numpy(), known) if inputs else known
    return Predictions(frame=frame, source=source, target_index=tensors.get("target_index"))


def read_predictions(folder: Path) -> pd.DataFrame:
    """Read the rows of a run's predictions.

    Raises:
        RunError: They are missing or damaged.
    """
    try:
        return pd.read_parquet(folder / _PREDICTIONS)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: Exception) -> RunError:
    return RunError("the predictions cannot be read", where=str(folder), got=str(error).splitlines()[0])


def _tensors(source: Split) -> dict[str, Tensor]:
    if isinstance(source.inputs, Packed):
        return source.inputs.tensors()
    return {f"inputs.{i}": tensor.contiguous() for i, tensor in enumerate(source.batch(slice(None)).inputs)}


def _source(inputs: tuple[Tensor, ...] | Packed, rows: np.ndarray, known: Split | None) -> Split:
    """Return the inputs of predictions as a split; all else of the `known` one where it holds their rows, all of them or some."""
    bare = Split(inputs=inputs, rows=rows)
    if known is None or not (ids := pd.Index(known.rows)).is_unique:
        return bare
    if np.array_equal(known.rows, rows):
        return replace(known, inputs=inputs)
    places = ids.get_indexer(pd.Index(rows))
    return bare if (places < 0).any() else replace(replace(known, inputs=()).take(places), inputs=inputs)


def _load_estimator(path: Path, expected: type, trusts: Sequence[str]) -> nn.Module:
    from skops.io import loads

    try:
        content = path.read_bytes()
        strange = _untrusted(content, trusts)
        if strange:
            raise RunError("the model file holds types that are not trusted", where=str(path), got=", ".join(strange))
        estimator = loads(content, trusted=[*TRUSTED, *trusts])
    except FileNotFoundError as error:
        raise RunError("the run has no trained model", where=str(path), fix="`glassbench resume` it") from error
    except RunError:
        raise
    except Exception as error:  # skops raises many kinds of error on a damaged archive
        raise RunError("the model file is damaged", where=str(path), got=said(error)) from error
    if not isinstance(estimator, expected):
        raise RunError(
            "the saved estimator is not of the model's kind",
            where=str(path),
            got=type(estimator).__name__,
            available=[expected.__name__],
        )
    return EstimatorModule(estimator).eval()


def _untrusted(content: bytes, trusts: Sequence[str]) -> list[str]:
    """Return the types of a stored estimator that are neither known to hold data only nor trusted by the model's spec."""
    from skops.io import get_untrusted_types

    return sorted(set(get_untrusted_types(data=content)) - {*TRUSTED, *trusts})
