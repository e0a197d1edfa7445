"""A LightningModule and its loaders, given to `glassbench.run`: what a run works on."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.own_training import OwnTraining
from glassbench.contracts.positive_class import checked_favourable, checked_positive
from glassbench.contracts.schema import Feature, Modality, Schema, Target
from glassbench.errors import FOREIGN, DataError, GlassbenchError, said
from glassbench.external.columns import groups_of, sensitive_columns
from glassbench.external.output_format import OutputFormat, output_format_of, plain
from glassbench.system.process_state import put_back

_MODALITIES: dict[int, Modality] = {3: "series", 4: "image"}
_BACKGROUND = 5000
"""Training rows that audits compare with, at most."""

_FORM = "a batch is (inputs, target), (inputs, target, groups), or a mapping with these keys"


@dataclass(frozen=True, kw_only=True)
class GivenTraining:
    """A model that trains itself, and the rows that it is judged by.

    Args:
        data: The rows of the test loader, and training rows for audits to compare with.
        model: The module, called as a network.
    """

    data: Data
    model: OwnTraining

    @property
    def kind(self) -> str:
        """What is predicted: `class` or `value`."""
        return self.data.schema.target.kind


def given_training(module: Any, data: Any, settings: Mapping[str, Any], sensitive: Any, seed: int) -> GivenTraining:
    """Read the test rows of loaders, and wrap the module that is trained on them.

    The loaders that train the module are not touched: rows are read from a copy of the data module, which is set up with the
    same seed as the training.

    Args:
        module: A LightningModule whose `forward` answers with logits, probabilities or values.
        data: A LightningDataModule, or a mapping of `train`, `validation` and `test` to DataLoaders.
        settings: `classes`, `positive`, `favourable`, `features`, `unit`, `target` as the experiment's `dataset` names them.
        sensitive: Groups of the test rows, a frame or a mapping of columns `(n,)`; None where batches bring them.
        seed: The experiment's seed.

    Raises:
        DataError: There are no test rows, or batches are of another form.
    """
    if not isinstance(module, pl.LightningModule):
        raise DataError("model takes a LightningModule of pytorch_lightning", got=type(module).__name__)
    loaders = data if isinstance(data, pl.LightningDataModule) else _Loaders(data)
    with put_back(), torch.random.fork_rng():
        pl.seed_everything(seed, verbose=False)
        test, train = _read(loaders)
    inputs, target, groups = test
    groups = groups if sensitive is None else groups_of(sensitive_columns(sensitive, None))
    if groups is not None and len(groups) != len(target):
        raise DataError("sensitive has another number of rows than the test loader", got=f"{len(groups)} and {len(target)}")
    known = _target(target, settings)
    judged = Split(inputs=inputs, rows=np.arange(len(target)), target=_truth(target, known), groups=groups)
    answer = _answers(module, inputs)
    form = OutputFormat(form="values") if known.kind == "value" else output_format_of(answer, "auto", known.classes, network=True)
    background = Split(inputs=(), rows=np.arange(0))
    if train is not None:
        background = Split(inputs=train[0], rows=-1 - np.arange(len(train[1])), target=_truth(train[1], known))
    schema = _schema(inputs[0], known, groups, settings)
    notes = (f"The module's answers were read as {form.form}.", "Rows and model were given from Python and are not stored.")
    described = Data(
        schema=schema,
        train=background,
        test=judged,
        notes=notes,
        source=f"{type(data).__name__} given from Python",
        split="by the loaders given; how those were made is not known here",
    )
    return GivenTraining(data=described, model=OwnTraining(module, loaders, form.read))


class _Loaders(pl.LightningDataModule):
    """DataLoaders as a data module.

    Args:
        loaders: DataLoaders by `train`, `validation` and `test`.
    """

    def __init__(self, loaders: Any) -> None:
        super().__init__()
        if not isinstance(loaders, Mapping) or not {"train", "test"} <= set(loaders) <= {"train", "validation", "test"}:
            raise DataError(
                "data takes a LightningDataModule, or DataLoaders by name",
                got=", ".join(map(str, loaders)) if isinstance(loaders, Mapping) else type(loaders).__name__,
                available=["train", "validation", "test"],
                fix='data={"train": loader, "validation": loader, "test": loader}',
            )
        self._given = dict(loaders)
        if "validation" not in loaders:
            self.val_dataloader = list  # type: ignore[method-assign]

    def train_dataloader(self) -> Any:
        """Return the loader of training rows."""
        return self._given["train"]

    def val_dataloader(self) -> Any:
        """Return the loader of validation rows."""
        return self._given["validation"]

    def test_dataloader(self) -> Any:
        """Return the loader of test rows."""
        return self._given["test"]


_Rows = tuple[tuple[Tensor, ...], Tensor, pd.DataFrame | None]


def _read(loaders: pl.LightningDataModule) -> tuple[_Rows, _Rows | None]:
    """Return the rows of the test loader, and of the training rows as many as audits need."""
    try:
        own = copy.deepcopy(loaders)
    except FOREIGN:  # what cannot be copied is read itself
        own = loaders
    try:
        own.prepare_data()
        own.setup("fit")
        train = own.train_dataloader()
        own.setup("test")
        test = own.test_dataloader()
    except MisconfigurationException as error:
        fix = "give the data module a test_dataloader whose rows the module does not train on"
        raise DataError("the data module has no test data", got=said(error), fix=fix) from error
    except FOREIGN as error:
        raise DataError("the data module cannot be set up", got=said(error)) from error
    if not isinstance(test, DataLoader):
        raise DataError("test_dataloader gives one DataLoader", got=type(test).__name__)
    return _rows(test, "test"), _in_order(train)


def _in_order(loader: Any) -> _Rows | None:
    """Return the first training rows without drawing from the loader; None where they have no order."""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return None
    few = torch.utils.data.Subset(loader.dataset, range(min(_BACKGROUND, len(cast(Any, loader.dataset)))))
    return _rows(DataLoader(few, batch_size=256, collate_fn=loader.collate_fn), "train")


def _rows(loader: DataLoader[Any], which: str) -> _Rows:
    batches = []
    try:
        for place, batch in enumerate(loader):
            batches.append(_parts(batch, f"batch {place} of the {which} loader"))
    except GlassbenchError:
        raise
    except FOREIGN as error:
        got = f"{said(error)}, after {len(batches)} batches"
        raise DataError(f"the {which} loader cannot be read", got=got) from error
    if not batches or not sum(len(target) for _, target, _ in batches):
        fix = "give the data module rows to be judged by, which the module does not train on"
        raise DataError(f"the {which} loader has no rows", got=f"{len(batches)} batches", fix=fix)
    inputs = tuple(torch.cat(parts) for parts in zip(*(inputs for inputs, _, _ in batches), strict=True))
    groups = [groups_of(sensitive_columns(_columns(one), None)) for _, _, one in batches if one is not None]
    target = torch.cat([target for _, target, _ in batches])
    return inputs, target, pd.concat(groups, ignore_index=True) if len(groups) == len(batches) else None


def _parts(batch: Any, where: str) -> tuple[tuple[Tensor, ...], Tensor, Any]:
    """Return inputs, target and groups of a batch."""
    if isinstance(batch, Mapping):
        parts: Sequence[Any] = [batch.get(name) for name in ("inputs", "target", "groups")]
        got = f"a mapping with {', '.join(map(str, batch))}"
    else:
        parts = list(batch) if isinstance(batch, list | tuple) else []
        got = f"{type(batch).__name__} of {len(parts)}" if parts else type(batch).__name__
    if len(parts) not in (2, 3) or not isinstance(parts[1], Tensor):
        raise DataError(f"the module's data cannot be audited: {_FORM}", where=where, got=got)
    inputs = tuple(parts[0]) if isinstance(parts[0], list | tuple) else (parts[0],)
    target = parts[1][:, 0] if parts[1].ndim == 2 and parts[1].shape[1] == 1 else parts[1]
    if not all(isinstance(one, Tensor) and len(one) == len(target) for one in inputs) or target.ndim != 1:
        shapes = ", ".join(str(tuple(one.shape)) if isinstance(one, Tensor) else type(one).__name__ for one in (*inputs, target))
        raise DataError("inputs are tensors (n, ...) and targets are (n,)", where=where, got=shapes)
    return inputs, target, parts[2] if len(parts) == 3 else None


def _columns(groups: Any) -> Any:
    """Return groups of a batch as columns by name."""
    if isinstance(groups, Mapping):
        return {name: column.tolist() if isinstance(column, Tensor) else list(column) for name, column in groups.items()}
    return {"group": groups.tolist() if isinstance(groups, Tensor) else list(groups)}


def _target(target: Tensor, settings: Mapping[str, Any]) -> Target:
    """Return what the targets are: whole numbers are classes, others values."""
    name, good = settings.get("target") or "target", settings.get("favourable")
    whole = not target.is_floating_point() or bool(settings.get("classes"))
    if not whole:
        return Target(name=name, kind="value", favourable=checked_favourable(good, (), where="dataset.favourable"))
    codes = target.long()
    names = tuple(settings.get("classes") or ()) or tuple(str(code) for code in range(max(2, int(codes.max()) + 1)))
    if int(codes.min()) < 0 or int(codes.max()) >= len(names) or not torch.equal(codes.double(), target.double()):
        got = f"targets from {float(target.min()):g} to {float(target.max()):g}"
        raise DataError("targets of classes are their numbers from 0", got=got, available=names, where="dataset.classes")
    positive = checked_positive(settings.get("positive"), names)
    favourable = checked_favourable(good, names, where="dataset.favourable")
    return Target(name=name, kind="class", classes=names, positive=positive, favourable=favourable)


def _truth(target: Tensor, known: Target) -> Tensor:
    return target.long() if known.kind == "class" else target.float()


def _answers(module: pl.LightningModule, inputs: tuple[Tensor, ...]) -> Any:
    """Return what the untrained module answers to some test rows; it is left as it was."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        with put_back(), torch.random.fork_rng(), torch.no_grad():
            answer = plain(module.eval()(*(tensor[:64] for tensor in inputs)))
    except FOREIGN as error:
        fix = "give the module a forward that takes the inputs of a batch and answers with logits or values"
        raise DataError("the module's forward cannot read the test rows", got=said(error), fix=fix) from error
    finally:
        for part, training in modes:
            part.training = training
    return answer


def _schema(inputs: Tensor, target: Target, groups: pd.DataFrame | None, settings: Mapping[str, Any]) -> Schema:
    tokens = inputs.ndim == 2 and not inputs.is_floating_point()
    modality: Modality = "text" if tokens else _MODALITIES.get(inputs.ndim, "table")
    names = tuple(settings.get("features") or (f"x{place}" for place in range(inputs.shape[1] if inputs.ndim == 2 else 0)))
    if modality == "table" and len(names) != inputs.shape[1]:
        raise DataError("features names each input column", got=f"{len(names)} names", where="dataset.features")
    features = tuple(Feature(name=name, columns=(place,)) for place, name in enumerate(names)) if modality == "table" else ()
    return Schema(
        modality=modality,
        shape=tuple(inputs.shape[1:]),
        target=target,
        features=features,
        sensitive=() if groups is None else tuple(map(str, groups.columns)),
        unit=settings.get("unit") or "row",
        facts=TextFacts() if tokens else None,
    )
