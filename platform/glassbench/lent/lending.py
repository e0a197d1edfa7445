"""From what a person lends to what a run works on: data, model, and the decisions that are the model's own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.data import MISSING, Data, Modality, Schema, Split, Target
from glassbench.errors import DataError, suggest
from glassbench.lent.callers import Caller, caller_of
from glassbench.lent.faces import Answered, CalledFace, NetworkFace
from glassbench.lent.outputs import Outputs, Reading, name_of, names_of, reading_of, width_of
from glassbench.lent.rows import Form, Tensors, form_of, table_of
from glassbench.task import Predictions, Task

Kind = Literal["class", "value"]

_FEW = 20
"""Whole numbers with no more different values than these are taken for classes."""

_MOST_GROUPS = 50
_TRIED = 64
_ONLY_DECISIONS = "only its decisions were audited"
_NO_TENSOR = f"The rows are things that no tensor stands for; {_ONLY_DECISIONS}."


class Lent:
    """What a person lent, ready for a run.

    Args:
        data: The audited rows; there is no training split unless a background was given.
        model: The model with the face of a network; None where no tensor stands for its rows.
        facts: What stands in the experiment for rows and model, settings of the two components.
        answers: The model's answers to the audited rows, read as log-probabilities, logits or values `(n, ...)`.
        decided: Its own decisions `(n,)` where these need not be those of the largest score, or None.
        scored: Whether it says how sure it is.
    """

    def __init__(
        self,
        *,
        data: Data,
        model: nn.Module | None,
        facts: Mapping[str, Mapping[str, Any]],
        answers: Tensor,
        decided: pd.Series | None,
        scored: bool,
    ) -> None:
        self.data, self.facts = data, facts
        self._answers, self._decided, self._scored = answers, decided, scored
        self._model = model
        modules = [] if model is None else list(model.modules())
        self._modes = [(module, module.training) for module in modules]
        self._state = {} if model is None else {name: t.detach().clone() for name, t in model.state_dict().items()}

    @property
    def kind(self) -> str:
        """What is predicted: `class` or `value`."""
        return self.data.schema.target.kind

    @property
    def split(self) -> Split | None:
        """The audited rows where audits can ask the model about them, or None."""
        return self.data.test if self._model is not None and isinstance(self.data.test, Split) else None

    def model(self) -> nn.Module | None:
        """Return the model in evaluation mode, with the weights it was lent with whatever was done to it since."""
        if self._model is None:
            return None
        self._model.load_state_dict(self._state)
        return self._model.eval()

    def give_back(self) -> None:
        """Put every module of a network back into the mode it came in."""
        for module, training in self._modes:
            module.training = training

    def predictions(self, task: Task) -> Predictions:
        """Return the task's predictions from the model's answers, with the model's own decisions and no scores it did not give."""
        assert isinstance(self.data.test, Split)
        asked = replace(self.data.test, inputs=(torch.arange(len(self._answers)),))
        found = task.predict(Answered(self._answers), asked)
        frame, candidates = found.frame, found.candidates
        if not self._scored and self.kind == "class":
            frame = frame.drop(columns=[c for c in frame if str(c).startswith("score.")])
        if self._decided is not None:
            frame = frame.assign(decision=self._decided.to_numpy())
            candidates = torch.as_tensor(pd.Index(self.data.schema.target.classes).get_indexer(pd.Index(self._decided)))
        return Predictions(frame=frame, source=self.split, candidates=candidates)


def lend(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sensitive: Any = None,
    kind: Kind | None = None,
    classes: Sequence[Any] = (),
    positive: Any = None,
    outputs: Outputs = "auto",
    background: Any = None,
    unit: str = "row",
) -> Lent:
    """Ask a model once for the rows, and make of both what a run works on; see `glassbench.audit` for the arguments.

    Raises:
        DataError: Rows, truth, groups or answers cannot be used as they are.
        ComponentError: The model needs packages that are not installed.
    """
    caller = caller_of(model)
    rows = _as_network_reads(caller, X)
    form = form_of(rows)
    _check_length("the truth y", y, len(rows))
    kind = kind or _kind(caller, y, outputs)
    answer = _ask(caller, rows)
    names = _classes(caller, classes, y, answer) if kind == "class" else ()
    reading = (
        reading_of(answer, _how(caller, outputs), names, network=caller.network is not None) if kind == "class" else _values()
    )
    answers = reading.read(answer).detach()
    target = Target(name=_target_name(y), kind=kind, classes=names, positive=_positive(positive, names))
    groups = _groups(sensitive, X, len(rows))
    inputs = () if form is None else (form.encode(rows),)
    raw = table_of(X if isinstance(X, pd.DataFrame) else rows, form)
    audited = Split(inputs=inputs, rows=np.arange(len(rows)), target=_truth(y, target), groups=groups, raw=raw)
    known = _background(caller, background, form)
    schema = Schema(
        modality=_modality(form, rows),
        shape=() if form is None else tuple(inputs[0].shape[1:]),
        target=target,
        features=() if form is None else form.features,
        sensitive=() if groups is None else tuple(map(str, groups.columns)),
        unit=unit,
        extras={"scores": reading.scored, "padding": 0},
    )
    face, reason = (None, _NO_TENSOR) if form is None else _face(caller, reading, form, rows, answers)
    notes = (*caller.notes, *_notes(reading, known, reason))
    return Lent(
        data=Data(schema=schema, train=known, test=audited, notes=notes, source="lent from Python"),
        model=face,
        facts={
            "rows": {"rows": len(rows), "columns": [feature.name for feature in schema.features]},
            "model": {"kind": caller.kind, "sha256": caller.sha256},
        },
        decided=names_of(caller.decide(rows)) if caller.decide is not None and kind == "class" and reading.scored else None,
        scored=reading.scored,
        answers=answers,
    )


def _as_network_reads(caller: Caller, X: Any) -> Any:
    """Turn a table into a tensor where a network reads it; whole numbers stay whole where the network embeds them."""
    if caller.network is None or isinstance(X, Tensor):
        return X
    array = X.to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)
    if array.dtype.kind not in "biuf":
        raise DataError(
            "a network reads numbers",
            got=f"rows of type {array.dtype}",
            fix="encode texts and categories, or lend a function that does",
        )
    embeds = any(isinstance(module, nn.Embedding) for module in caller.network.modules())
    return torch.as_tensor(array.astype(np.int64 if embeds and array.dtype.kind in "iu" else np.float32))


def _ask(caller: Caller, rows: Any) -> Any:
    if caller.network is None:
        return caller.ask(rows)
    modes = [(module, module.training) for module in caller.network.modules()]
    try:
        with torch.no_grad():
            return caller.network.eval()(rows)
    except (RuntimeError, TypeError, ValueError) as error:
        raise DataError("the network cannot read the rows", got=str(error).splitlines()[0][:200]) from error
    finally:
        for module, training in modes:
            module.training = training


def _how(caller: Caller, outputs: Outputs) -> Outputs:
    return caller.form if outputs == "auto" and caller.form else outputs  # type: ignore[return-value]


def _values() -> Reading:
    return Reading(form="values")


def _kind(caller: Caller, y: Any, outputs: Outputs) -> Kind:
    """Return what is predicted: as the model says, else as the truth looks."""
    if caller.predicts is not None:
        return caller.predicts  # type: ignore[return-value]
    if outputs != "auto":
        return "value" if outputs == "values" else "class"
    if y is None:
        raise DataError(
            "is a class predicted or a value?", got="no truth to tell from", fix='say task="classification" or "regression"'
        )
    series = pd.Series(y.detach().cpu().numpy() if isinstance(y, Tensor) else y)
    if not pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return "class"
    return "class" if bool((series.dropna() % 1 == 0).all()) and series.nunique() <= _FEW else "value"


def _classes(caller: Caller, given: Sequence[Any], y: Any, answer: Any) -> tuple[str, ...]:
    """Return the classes in the order of the model's answers; the truth may know no others."""
    seen = [] if y is None else list(pd.unique(pd.Series(y.detach().cpu().numpy() if isinstance(y, Tensor) else y).dropna()))
    named = list(given) or list(caller.classes)
    if not named:
        width = width_of(answer)
        numbered = all(isinstance(v, int | np.integer) and 0 <= v < (width or 0) for v in seen)
        named = list(range(width)) if width and numbered else sorted(seen, key=lambda v: (isinstance(v, str), v))
        if width is None and not named:
            named = sorted(set(names_of(np.asarray(answer))))
    names = tuple(dict.fromkeys(map(name_of, named)))
    strange = [name for name in map(name_of, seen) if name not in names]
    if strange:
        raise DataError(
            "the truth holds labels the model does not know",
            got=", ".join(strange[:10]),
            available=names,
            fix="leave those rows out, or map the labels to the model's",
        )
    if len(names) < 2:
        raise DataError("one class only is known", got=", ".join(names) or "none", fix="name all of them: classes=[...]")
    return names


def _positive(positive: Any, names: tuple[str, ...]) -> str | None:
    if positive is None:
        return names[-1] if len(names) == 2 else None
    if (name := name_of(positive)) not in names:
        raise DataError(f"no class is '{name}'", got=name, available=names, fix=suggest(name, names))
    return name


def _truth(y: Any, target: Target) -> Tensor | None:
    if y is None:
        return None
    if target.kind == "value":
        values = pd.to_numeric(pd.Series(np.asarray(y).reshape(len(y))), errors="coerce").to_numpy(dtype=np.float64)
        _check_known(np.isfinite(values))
        return torch.tensor(values)
    places = pd.Index(target.classes).get_indexer(pd.Index(names_of(y)))
    _check_known(places >= 0)
    return torch.tensor(places, dtype=torch.long)


def _check_known(known: np.ndarray) -> None:
    if not known.all():
        raise DataError(
            "the truth of some rows is missing", got=f"{int((~known).sum())} of {len(known)} rows", fix="leave them out"
        )


def _groups(sensitive: Any, X: Any, n: int) -> pd.DataFrame | None:
    """Return one column of texts per sensitive feature, from columns of the rows by name or from columns given."""
    if sensitive is None:
        return None
    if isinstance(sensitive, str):
        sensitive = [sensitive]
    if isinstance(sensitive, pd.Series):
        sensitive = sensitive.to_frame(sensitive.name if sensitive.name is not None else "group")
    if isinstance(sensitive, list | tuple) and all(isinstance(name, str) for name in sensitive):
        sensitive = {name: _column(X, name) for name in sensitive}
    if not isinstance(sensitive, Mapping | pd.DataFrame):
        raise DataError("sensitive takes names of columns of X, a frame or a mapping of columns", got=type(sensitive).__name__)
    columns = {}
    for name in sensitive:
        _check_length(f"the sensitive column '{name}'", sensitive[name], n)
        columns[str(name)] = names_of(np.asarray(sensitive[name], dtype=object)).fillna(MISSING)
        if (many := columns[str(name)].nunique()) > _MOST_GROUPS:
            raise DataError(
                f"the sensitive column '{name}' has too many groups to compare",
                got=f"{many} different values, at most {_MOST_GROUPS}",
                fix=f"cut it into bands first: pandas.cut({name}, bins=[...])",
            )
    return pd.DataFrame(columns) if columns else None


def _column(X: Any, name: str) -> pd.Series:
    known = list(map(str, X.columns)) if isinstance(X, pd.DataFrame) else []
    if name not in known:
        raise DataError(
            f"X has no column '{name}'", got=name, available=known, fix=suggest(name, known) or "give the column itself"
        )
    column: pd.Series = X[name]
    return column


def _check_length(what: str, given: Any, n: int) -> None:
    if given is not None and len(given) != n:
        raise DataError(f"{what} has another length than X", got=f"{len(given)} and {n}")


def _background(caller: Caller, background: Any, form: Form | None) -> Split:
    """Return rows that explanations compare with; none where they were not lent."""
    if background is None or form is None:
        return Split(inputs=(), rows=np.arange(0))
    encoded = form.encode(_as_network_reads(caller, background))
    return Split(inputs=(encoded,), rows=-1 - np.arange(len(encoded)))


def _face(caller: Caller, reading: Reading, form: Form, rows: Any, answers: Tensor) -> tuple[nn.Module | None, str | None]:
    """Return the model with the face of a network, or None and why: it must answer rows from a tensor as it did before."""
    if caller.network is not None and isinstance(form, Tensors):
        return NetworkFace(caller.network, reading, rows.dtype), None
    face = CalledFace(caller, reading, form)
    try:
        again = face(form.encode(rows)[:_TRIED])
    except Exception as error:  # a lent model may raise whatever it likes
        return (
            None,
            f"The model could not be asked about other rows ({type(error).__name__}: {str(error)[:120]}); {_ONLY_DECISIONS}.",
        )
    same = again.shape == answers[:_TRIED].shape and torch.allclose(again.double(), answers[:_TRIED].double(), atol=1e-3)
    return (face, None) if same else (None, f"The model answers the same rows differently when asked again; {_ONLY_DECISIONS}.")


def _modality(form: Form | None, rows: Any) -> Modality:
    if form is not None:
        return form.modality
    return "text" if all(isinstance(row, str) for row in rows) else "table"


def _target_name(y: Any) -> str:
    return str(y.name) if isinstance(y, pd.Series) and y.name is not None else "decision"


def _notes(reading: Reading, known: Split, reason: str | None) -> tuple[str, ...]:
    notes = [f"The model's answers were read as {reading.form}.", *([reason] if reason else [])]
    if reading.form == "labels":
        notes.append("The model decides without saying how sure it is: nothing that needs scores was audited.")
    if reason is None and not len(known):
        notes.append("No background was lent: explanations compare with the audited rows themselves.")
    return tuple(notes)
