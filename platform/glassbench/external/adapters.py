"""Adapters: one way to call an external model, whatever kind it is."""

import hashlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from glassbench.errors import ComponentError, DataError
from glassbench.external.output_format import Outputs

_BOOSTERS = {
    "xgboost": "give its estimator (XGBClassifier, XGBRegressor), or a function: lambda X: booster.predict(xgboost.DMatrix(X))",
    "lightgbm": "give its estimator (LGBMClassifier, LGBMRegressor), or a function: lambda X: booster.predict(X)",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelAdapter:
    """An external model and how it is called.

    Args:
        ask: From rows in the model's own form to its answers.
        kind: What the model is, in words.
        network: The network behind it where gradients flow through it, or None.
        predicts: `class` or `value` where the model says so itself.
        classes: Names of its classes in the order of its answers where it says so itself.
        decide: From rows to its own decisions where these need not be those of the largest score.
        form: What its answers are, where it says so itself.
        sha256: Checksum of the file it came from, or None.
        notes: What a reader must know of it.
        at_once: Rows that a network is asked at a time.
    """

    ask: Callable[[Any], Any]
    kind: str
    network: nn.Module | None = None
    predicts: str | None = None
    classes: tuple[Any, ...] = ()
    decide: Callable[[Any], Any] | None = None
    form: Outputs | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = field(default=())
    at_once: int = 4096


def adapter_for(model: Any) -> ModelAdapter:
    """Return the adapter for an external model.

    Args:
        model: A network, an exported program, an estimator, the path of an ONNX file, a transformers pipeline, or any callable.

    Raises:
        DataError: It is none of these, or a file in a format that may carry code.
        ComponentError: It needs packages that are not installed.
    """
    _refuse_unusable(model)
    if isinstance(model, str | Path):
        return _onnx(Path(model))
    if isinstance(model, ExportedProgram):
        return _exported(model)
    if isinstance(model, nn.Module):
        return ModelAdapter(ask=model, kind=f"network {_name(model)}", network=model)
    if hasattr(model, "tokenizer") and hasattr(model, "task") and callable(model):
        return _pipeline(model)
    if hasattr(model, "predict") or hasattr(model, "predict_proba"):
        return _estimator(model)
    if callable(model):
        return ModelAdapter(ask=model, kind=f"callable {getattr(model, '__qualname__', _name(model))}")
    raise DataError(
        "this is no model",
        got=type(model).__name__,
        available=["nn.Module", "torch.export program", "estimator", "path of an ONNX file", "transformers pipeline", "callable"],
        fix="give the model itself; decisions that were made already are audited from a frame by the data set 'predictions'",
    )


def _refuse_unusable(model: Any) -> None:
    """Refuse what looks like a model, and say what to give in its place."""
    if isinstance(model, type):
        raise DataError(
            "this is a class, not a model",
            got=f"{model.__module__}.{model.__qualname__}"[:200],
            fix=f"give a trained instance: {model.__name__}().fit(X_train, y_train), for example",
        )
    library = type(model).__module__.partition(".")[0]
    if type(model).__name__ == "Booster" and library in _BOOSTERS:
        raise DataError(f"a Booster of {library} reads no rows as they are", got=_name(model), fix=_BOOSTERS[library])


def _estimator(model: Any) -> ModelAdapter:
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list):
        raise DataError("the estimator decides several things at once", got=_name(model), fix="give it one output at a time")
    said = _estimator_type(model)
    deciding, values = hasattr(model, "predict_proba") or said == "classifier", said == "regressor"
    return ModelAdapter(
        ask=_quietly(model.predict_proba if hasattr(model, "predict_proba") else model.predict),
        kind=f"estimator {_name(model)}",
        predicts="class" if deciding and not values else "value" if values else None,
        classes=() if classes is None else tuple(classes),
        decide=_quietly(model.predict) if deciding and hasattr(model, "predict") else None,
        form="probabilities" if hasattr(model, "predict_proba") else "labels" if deciding else None,
    )


def _estimator_type(model: Any) -> str | None:
    """Return `classifier` or `regressor` where a model says so, by scikit-learn's tags or by the older attribute."""
    if not hasattr(model, "__sklearn_tags__"):
        return getattr(model, "_estimator_type", None)
    from sklearn.base import is_classifier, is_regressor  # a second to import, needed for external models alone

    return "classifier" if is_classifier(model) else "regressor" if is_regressor(model) else None


def _quietly(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Ask without being told at every call that columns have names where the estimator learnt from an array, or the reverse."""

    def asked(rows: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X (has|does not have valid) feature names")
            return ask(rows)

    return asked


def _exported(program: ExportedProgram) -> ModelAdapter:
    """Ask an exported program, as many rows at a time as it was exported for."""
    module = program.module()
    fixed = _fixed_batch(program)

    def ask(rows: Tensor) -> Any:
        if fixed is None or len(rows) == fixed:
            return module(rows)
        parts = [_padded(module, rows[start : start + fixed], fixed) for start in range(0, len(rows), fixed)]
        return torch.cat(parts)

    note = (f"The program was exported for {fixed} rows at a time and asked so.",) if fixed is not None else ()
    return ModelAdapter(ask=ask, kind="torch.export program", network=_Asked(ask), notes=note)


class _Asked(nn.Module):
    """A function of tensors as a network; exported modules refuse `train` and `eval`, so none is registered."""

    def __init__(self, ask: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self._ask = ask

    def forward(self, rows: Tensor) -> Any:
        """From rows `(n, ...)` to whatever the function answers."""
        return self._ask(rows)


def _padded(module: Callable[[Tensor], Any], rows: Tensor, size: int) -> Tensor:
    short = size - len(rows)
    answer = module(rows if not short else torch.cat([rows, rows[-1:].expand(short, *rows.shape[1:])]))
    tensor: Tensor = answer[0] if isinstance(answer, tuple) else answer
    return tensor[: len(rows)]


def _fixed_batch(program: ExportedProgram) -> int | None:
    """Return the number of rows a program was exported for, None where it takes any."""
    wanted = set(program.graph_signature.user_inputs)
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder" and node.name in wanted]
    if len(shapes) != 1:
        raise DataError("the exported program takes several inputs", got=f"{len(shapes)}", fix="export it with one input of rows")
    return int(shapes[0][0]) if isinstance(shapes[0][0], int) else None


def _onnx(path: Path) -> ModelAdapter:
    """Ask an ONNX file through ONNX Runtime, which runs its graph and nothing else."""
    if path.suffix != ".onnx":
        raise DataError(
            "a model file must be an ONNX file; other formats may carry code that runs while they are loaded",
            got=str(path),
            available=["*.onnx"],
            fix="load the model yourself, if you trust it, and give the object: torch.export.load(path), for example, or "
            "transformers.pipeline(task, model=name)",
        )
    if not path.is_file():
        raise DataError("there is no such file", got=str(path))
    if importlib.util.find_spec("onnxruntime") is None:
        raise ComponentError("an ONNX file needs ONNX Runtime", got="no onnxruntime", fix="pip install 'glassbench[onnx]'")
    return _session(path)


def _session(path: Path) -> ModelAdapter:
    import onnxruntime  # the extra `onnx`; absent from most installations

    content = path.read_bytes()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own errors share no base class
        raise DataError("the ONNX file cannot be read", got=str(error).splitlines()[0][:200], where=str(path)) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        raise DataError("the ONNX model takes several inputs", got=", ".join(i.name for i in inputs), where=str(path))
    kind = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}.get(inputs[0].type)
    if kind is None:
        raise DataError("the ONNX model's input is of a type that rows cannot take", got=inputs[0].type, where=str(path))
    wanted = _scores_of([output.name for output in outputs], [output.type for output in outputs])

    def ask(rows: Any) -> Any:
        return _unzipped(session.run([wanted], {inputs[0].name: np.asarray(rows).astype(kind)})[0])

    return ModelAdapter(ask=ask, kind=f"ONNX file {path.name}", sha256=hashlib.sha256(content).hexdigest())


def _scores_of(names: Sequence[str], types: Sequence[str]) -> str:
    """Choose the output that holds scores: the last that is no label, for classifiers put their label first."""
    scored = [name for name, kind in zip(names, types, strict=True) if "float" in kind or "double" in kind]
    return scored[-1] if scored else names[0]


def _unzipped(answer: Any) -> Any:
    """Turn a list of mappings from class to probability, which converters of estimators make, into a table."""
    return pd.DataFrame(answer).to_numpy() if isinstance(answer, list) and answer and isinstance(answer[0], dict) else answer


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a network into evaluation mode, where it is one, and back into the mode each module came in."""
    modes = [(module, module.training) for module in model.modules()] if isinstance(model, nn.Module) else []
    if modes:
        model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _pipeline(pipeline: Any) -> ModelAdapter:
    """Ask a transformers pipeline that classifies, for the scores of all its labels."""
    if "classification" not in str(pipeline.task) or str(pipeline.task).startswith(("token", "zero")):
        raise DataError(
            "this pipeline neither decides a class per row nor goes on with a text",
            got=str(pipeline.task),
            available=["text-classification", "image-classification", "audio-classification", "text-generation"],
        )
    labels = [str(name) for _, name in sorted(pipeline.model.config.id2label.items())]

    def ask(rows: Any) -> np.ndarray:
        with warnings.catch_warnings(), evaluating(pipeline.model):
            warnings.simplefilter("ignore")
            answers = pipeline(list(rows), top_k=len(labels))
        scores = [{str(a["label"]): float(a["score"]) for a in row} for row in answers]
        return np.array([[row[label] for label in labels] for row in scores])

    return ModelAdapter(
        ask=ask, kind=f"transformers pipeline {pipeline.task}", predicts="class", classes=tuple(labels), form="probabilities"
    )


def _name(model: Any) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}".removeprefix("builtins.")
