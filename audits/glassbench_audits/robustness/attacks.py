"""Changes made against the model: FGSM and PGD, through Captum."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from captum.robust import FGSM, PGD
from torch import Tensor

from glassbench.data import Split
from glassbench.subject import Subject
from glassbench_audits.robustness.corruptions import with_rows
from glassbench_audits.robustness.disturbance import Change, Disturbance
from glassbench_audits.robustness.quality import decide
from glassbench_audits.robustness.scales import Scale

DEVIATIONS = (0.02, 0.05, 0.1, 0.25)
PIXELS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
STEPS = 10
"""Steps of PGD; each goes a quarter of the way to the edge."""


def attacks(subject: Subject, scale: Scale | None) -> Iterator[Disturbance]:
    """Yield FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018), where the model gives gradients of number inputs.

    Both change every number by at most the strength, on the scale of how far it varies; categories stay as they are.
    """
    if scale is None or subject.missing(("gradients",)) or not bool((scale.unit > 0).any()):
        return
    strengths = PIXELS if subject.schema.modality == "image" else DEVIATIONS
    for name, change in (("FGSM", _fgsm(subject, scale)), ("PGD", _pgd(subject, scale))):
        yield Disturbance(name=name, strengths=strengths, judged=0, unit=scale.words, apply=change, attack=True)


def margin(explained: Tensor, wanted: Tensor) -> Tensor:
    """Return what an attack raises, per row `(n,)`.

    Of classes and actions the best other score minus that of the right one: unlike the cross-entropy it has a gradient however
    sure the model is (Carlini and Wagner 2017). Of values the squared error.
    """
    if wanted.is_floating_point():
        return (explained.reshape(len(wanted), -1)[:, 0] - wanted) ** 2
    right = explained.gather(1, wanted[:, None])[:, 0]
    others = explained.scatter(1, wanted[:, None], -torch.inf).max(dim=1).values
    return others - right


def _fgsm(subject: Subject, scale: Scale) -> Change:
    def apply(source: Split, strength: float, _: np.random.Generator) -> Split:
        attack = FGSM(_forward(subject, scale), margin)
        attack.zero_thresh = 0.0
        rows, mask, safe = _scaled(source, scale)
        with _unasked():
            changed = attack.perturb(rows / safe, epsilon=strength, target=wanted(subject, source), mask=mask.expand_as(rows))
        return _back(source, changed, rows, scale)

    return apply


def _pgd(subject: Subject, scale: Scale) -> Change:
    def apply(source: Split, strength: float, _: np.random.Generator) -> Split:
        attack = PGD(_forward(subject, scale), margin)
        attack.fgsm.zero_thresh = 0.0
        rows, mask, safe = _scaled(source, scale)
        with _unasked():
            changed = attack.perturb(
                rows / safe,
                radius=strength,
                step_size=strength / 4,
                step_num=STEPS,
                target=wanted(subject, source),
                mask=mask.expand_as(rows),
            )
        return _back(source, changed, rows, scale)

    return apply


def wanted(subject: Subject, source: Split) -> Tensor:
    """Return what the decisions should be: the truth where it is known, else what is decided without an attack."""
    if source.target is not None and source.target.ndim == 1:
        return source.target
    candidates = decide(subject, source).candidates
    assert candidates is not None
    return candidates


@contextmanager
def _unasked() -> Iterator[None]:
    """Captum sets `requires_grad` where it needs it, and warns that it did."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Input Tensor .* did not already require gradients")
        yield


def _forward(subject: Subject, scale: Scale) -> Callable[[Tensor], Tensor]:
    safe = torch.where(scale.unit > 0, scale.unit, 1.0)
    device = next((p.device for p in subject.model.parameters()), torch.device("cpu")) if subject.model else torch.device("cpu")
    return lambda rows: subject.explained((rows * safe).to(device)).cpu()


def _scaled(source: Split, scale: Scale) -> tuple[Tensor, Tensor, Tensor]:
    assert isinstance(source.inputs, tuple)
    rows = source.inputs[0].detach().clone()
    return rows, (scale.unit > 0).to(rows.dtype), torch.where(scale.unit > 0, scale.unit, 1.0)


def _back(source: Split, changed: Tensor, rows: Tensor, scale: Scale) -> Split:
    safe = torch.where(scale.unit > 0, scale.unit, 1.0)
    kept = torch.where((scale.unit > 0).expand_as(rows), (changed.detach() * safe).clamp(scale.low, scale.high), rows)
    return with_rows(source, kept)
