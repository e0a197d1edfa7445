"""The output format of an external model: what it answers, read as log-probabilities or values whatever form it comes in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.estimator import FLOOR
from glassbench.errors import DataError

Outputs = Literal["auto", "probabilities", "logits", "labels", "values"]
_CLOSE = 1e-4
_SOME = 5


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
    """How the answers of a model are read.

    Args:
        form: `probabilities` of every class, or of the positive one alone; `logits` likewise; `labels`; or `values`.
        classes: Names in index order; empty for values.
    """

    form: Outputs
    classes: tuple[str, ...] = ()

    @property
    def scored(self) -> bool:
        """Whether the answers say how sure the model is."""
        return self.form in ("probabilities", "logits")

    def read(self, answer: Any) -> Tensor:
        """From a model's answer to log-probabilities or logits `(n, classes)`, or to values `(n,)` or `(n, k)`.

        Gradients flow through where they did.

        Raises:
            DataError: The answer cannot be read so.
        """
        if self.form == "labels":
            return _log(torch.as_tensor(_one_hot(_texts(answer), self.classes)))
        numbers = _numbers(answer)
        if self.form == "values":
            return numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers
        single = numbers.ndim == 1 or numbers.shape[1] == 1
        alone = numbers.reshape(len(numbers)) if single else None
        if alone is not None:
            both = (torch.zeros_like(alone), alone) if self.form == "logits" else (1 - alone, alone)
            numbers = torch.stack(both, dim=1)
        return numbers if self.form == "logits" else _log(numbers)


def output_format_of(answer: Any, how: Outputs, classes: Sequence[str], *, network: bool) -> OutputFormat:
    """Return how the answers of a classifier are read, from its answers to the audited rows.

    Args:
        answer: What the model answered.
        how: What the person says they are; `auto` looks: texts, or numbers that are all names of classes, are labels; numbers
            between 0 and 1 that add up to 1 are probabilities; other numbers are logits where a network gave them.
        classes: Names of the classes.
        network: Whether a network gave them.

    Raises:
        DataError: They are neither, or speak of another number of classes.
    """
    form = _seen(answer, classes, network=network) if how == "auto" else how
    if form in ("probabilities", "logits"):
        _check_shape(_numbers(answer), classes)
    if form == "probabilities":
        _check_probabilities(_numbers(answer))
    if form == "labels":
        _one_hot(_texts(answer), classes)
    return OutputFormat(form=form, classes=tuple(classes))


def width_of(answer: Any) -> int | None:
    """Return how many classes an answer speaks of: its columns; None where it has one or holds labels."""
    try:
        numbers = _numbers(answer)
    except DataError:
        return None
    return int(numbers.shape[1]) if numbers.ndim == 2 and numbers.shape[1] > 1 else None


def labels_in(answer: Any, known: Sequence[str]) -> list[str] | None:
    """Return the labels a model answers, one of each; None where its answers are scores.

    Args:
        answer: What the model answered.
        known: Names of classes; numbers with a fraction are labels only where all of them are such names.
    """
    array = array_of(answer)
    if array.ndim == 2 and array.shape[1] != 1:
        return None
    names = names_of(array.reshape(len(array)))
    found = list(names.dropna().unique())
    return found if array.dtype.kind != "f" or (names.notna().all() and set(found) <= set(known)) else None


def name_of(value: object) -> str:
    """Return a class or group as text: whole numbers without a fraction, so that 1 and 1.0 are the same.

    Example:
        >>> name_of(1.0), name_of(True), name_of("yes")
        ('1', 'True', 'yes')
    """
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def names_of(values: Any) -> pd.Series:
    """Return values as text `(n,)`, absent where there is none."""
    series = pd.Series(values.detach().cpu().numpy() if isinstance(values, Tensor) else values).reset_index(drop=True)
    codes, distinct = pd.factorize(series)
    return pd.Series(np.array([*map(name_of, distinct), None], dtype=object)[codes], dtype=object)


def _seen(answer: Any, classes: Sequence[str], *, network: bool) -> Outputs:
    array = array_of(answer)
    if labels_in(array, classes) is not None:
        return "labels"
    _numbers(answer)
    inside = bool(((array >= -_CLOSE) & (array <= 1 + _CLOSE)).all())
    complete = array.ndim == 1 or array.shape[1] == 1 or bool((np.abs(array.sum(axis=1) - 1) < _CLOSE).all())
    if inside and complete:
        return "probabilities"
    if network:
        return "logits"
    what = "do not add up to 1" if inside else "lie outside 0 to 1"
    raise DataError(
        f"the model's scores are no probabilities: some {what}",
        got=", ".join(f"{v:g}" for v in array.reshape(-1)[:_SOME]),
        fix='say what they are: outputs="logits", or return probabilities or labels',
    )


def _check_shape(numbers: Tensor, classes: Sequence[str]) -> None:
    width = 2 if numbers.ndim == 1 or numbers.shape[1] == 1 else numbers.shape[1]
    if numbers.ndim > 2 or width != len(classes):
        raise DataError(
            f"the model scores {width} classes, but {len(classes)} are known",
            got=f"answers of shape {tuple(numbers.shape)}",
            available=classes,
            fix="name every class in the order of the model's outputs: classes=[...]",
        )


def _check_probabilities(numbers: Tensor) -> None:
    outside = (numbers < -_CLOSE) | (numbers > 1 + _CLOSE)
    if bool(outside.any()):
        got = ", ".join(f"{v:g}" for v in numbers[outside][:_SOME].tolist())
        raise DataError("scores lie outside 0 to 1", got=got, fix='rescale them, or say outputs="logits"')


def array_of(answer: Any) -> np.ndarray:
    """Return what a model answered as an array `(n,)` or `(n, k)`.

    Raises:
        DataError: It is of another shape, or its rows differ in length.
    """
    found = plain(answer)
    try:
        array = found.detach().cpu().numpy() if isinstance(found, Tensor) else np.asarray(found)
    except ValueError as error:
        raise DataError("the model's answers differ in length", got=str(error).splitlines()[0]) from error
    if array.ndim not in (1, 2):
        raise DataError("a model answers one label, value or row of scores per row", got=f"answers of shape {array.shape}")
    return array


def plain(answer: Any) -> Any:
    """Return the scores out of what some libraries wrap them in: a mapping with `logits`, a frame, a tuple."""
    if isinstance(answer, Mapping) and "logits" in answer:
        return answer["logits"]
    if isinstance(answer, pd.DataFrame | pd.Series):
        return answer.to_numpy()
    return answer[0] if isinstance(answer, tuple) and answer else answer


def _numbers(answer: Any) -> Tensor:
    found = plain(answer)
    try:
        numbers = found.cpu() if isinstance(found, Tensor) else torch.as_tensor(np.array(found, dtype=np.float64))
    except (ValueError, TypeError) as error:
        raise DataError("the model's answers are no numbers", got=str(error).splitlines()[0]) from error
    if numbers.ndim not in (1, 2):
        raise DataError(
            "a model answers one label, value or row of scores per row", got=f"answers of shape {tuple(numbers.shape)}"
        )
    if not bool(torch.isfinite(numbers.detach()).all()):
        wrong = int((~torch.isfinite(numbers.detach())).reshape(len(numbers), -1).any(dim=1).sum())
        raise DataError("the model's answers are not all finite numbers", got=f"{wrong} of {len(numbers)} rows")
    return numbers


def _texts(answer: Any) -> pd.Series:
    array = array_of(answer)
    if array.ndim == 2 and array.shape[1] != 1:
        raise DataError("labels are one per row", got=f"answers of shape {array.shape}")
    return names_of(array.reshape(len(array)))


def _one_hot(labels: pd.Series, classes: Sequence[str]) -> np.ndarray:
    places = pd.Index(list(classes)).get_indexer(pd.Index(labels))
    if (places < 0).any():
        strange = sorted(set(labels[places < 0].map(str)))
        raise DataError("the model decides what is no known class", got=", ".join(strange[:_SOME]), available=classes)
    return np.eye(len(classes))[places]


def _log(probabilities: Tensor) -> Tensor:
    """Logarithms with a floor, as estimators of a run have it: a leaf may say exactly 0."""
    return probabilities.clamp(min=FLOOR).log()
