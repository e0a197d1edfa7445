"""Changes made against the model: FGSM and PGD through Captum, a search without gradients, and noise of the same size."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from captum.robust import FGSM, PGD
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench_audits.robustness.corruptions import with_rows
from glassbench_audits.robustness.perturbation import Attack, Change, Perturbation
from glassbench_audits.robustness.scales import Scale
from glassbench_audits.robustness.search import random_search

DEVIATIONS = (0.02, 0.05, 0.1, 0.25)
PIXELS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
STEPS = 10
"""Steps of PGD; each goes a quarter of the way to the edge."""

RESTARTS = 3
"""Starts of PGD: one at the row itself, the others at random within reach; the worst of each row counts. Images get two."""

_TRACE = 1e-3
"""Share of the spread of values that counts as a trace."""

QUERIES, STARTS = 40, 3
"""Steps of each start of the search without gradients, and its starts. Images get one start."""


def attacks(subject: Subject, scale: Scale | None) -> Iterator[Perturbation]:
    """Yield FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018) where the model gives gradients of number inputs, then a
    search that only asks the model (after Andriushchenko et al. 2020), and noise of the same size to compare with.

    All change every number by at most the strength, on the scale of how far it varies; categories stay as they are. A model can
    hide its gradients (Athalye, Carlini and Wagner 2018): then the search, or even noise, does more harm than FGSM and PGD.
    """
    if scale is None or not bool((scale.unit > 0).any()):
        return
    images = subject.schema.layout.pixels
    found: list[tuple[str, Change, Attack]] = [
        ("gradient-free search", _search(subject, scale, 1 if images else STARTS), "search"),
        ("noise of the same size", _noise(scale), "noise"),
    ]
    if not subject.missing(("gradients",)):
        restarts = 2 if images else RESTARTS
        found = [("FGSM", _fgsm(subject, scale), "gradients"), ("PGD", _pgd(subject, scale, restarts), "gradients"), *found]
    for name, change, kind in found:
        strengths = PIXELS if images else DEVIATIONS
        yield Perturbation(name=name, strengths=strengths, judged=0, unit=scale.words, apply=change, attack=kind)


def margin(explained: Tensor, wanted: Tensor) -> Tensor:
    """Return what an attack raises, per row `(n,)`.

    Of classes and actions the best other score minus that of the right one: unlike the cross-entropy it has a gradient however
    sure the model is (Carlini and Wagner 2017). Of values the squared error, or where no
    true value is known the squared distance from the value without an attack. Of several labels the expected number of wrong
    ones.

    Args:
        explained: Scores or values `(n, ...)`.
        wanted: The right class or value `(n,)`, or which labels are right, 1 or 0 `(n, labels)`.
    """
    if wanted.ndim == 2:
        return torch.sigmoid(explained * (1 - 2 * wanted)).sum(dim=1)
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


def _pgd(subject: Subject, scale: Scale, restarts: int) -> Change:
    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        forward, target = _forward(subject, scale), wanted(subject, source)
        attack = PGD(forward, margin)
        attack.fgsm.zero_thresh = 0.0
        rows, mask, safe = _scaled(source, scale)
        best, reached = rows, torch.full((len(rows),), -torch.inf)
        for start in range(restarts):
            with _unasked(), torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(generator.integers(2**31)))
                changed = attack.perturb(
                    rows / safe,
                    radius=strength,
                    step_size=strength / 4,
                    step_num=STEPS,
                    target=target,
                    mask=mask.expand_as(rows),
                    random_start=start > 0,
                )
            done = _inside(changed, rows, scale)
            with torch.no_grad():
                score = margin(forward(done / safe), target)
            best = torch.where((score > reached).reshape(-1, *[1] * (rows.ndim - 1)), done, best)
            reached = torch.maximum(score, reached)
        return with_rows(source, best)

    return apply


def _search(subject: Subject, scale: Scale, starts: int) -> Change:
    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        target = wanted(subject, source)
        rows, _, safe = _scaled(source, scale)
        forward = _forward(subject, scale)

        def score(changed: Tensor, positions: Tensor) -> Tensor:
            with torch.no_grad():
                return margin(forward(changed.clamp(scale.low, scale.high) / safe), target[positions])

        enough = np.inf if target.is_floating_point() or target.ndim == 2 else 0.0
        best = random_search(score, rows, strength * scale.unit, generator, steps=QUERIES, restarts=starts, enough=enough)
        return with_rows(source, best.clamp(scale.low, scale.high))

    return apply


def _noise(scale: Scale) -> Change:
    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        rows = _scaled(source, scale)[0]
        signs = torch.as_tensor(generator.choice([-1.0, 1.0], size=tuple(rows.shape)), dtype=rows.dtype)
        return with_rows(source, (rows + strength * scale.unit * signs).clamp(scale.low, scale.high))

    return apply


def wanted(subject: Subject, source: Split) -> Tensor:
    """Return what the decisions should be: the truth where it is known, else what is decided without an attack."""
    several, value = len(subject.class_outputs) > 1, None if subject.class_outputs else subject.value_output
    if value is not None and (value.actual is None or source.target is None or source.target.ndim != 1):
        return _just_below(subject, source)
    if source.target is not None and source.target.ndim == 1:
        return source.target
    codes = subject.kind.choice_codes(source.target, subject.schema) if several and source.target is not None else None
    if codes is not None and bool((codes >= 0).all()):
        return codes
    made = subject.task.predict_rows(subject.model, source)
    assert made is not None
    if several:
        outputs = subject.kind.class_outputs(made.frame, subject.schema)
        return torch.as_tensor(np.stack([output.predicted == output.spoken for output in outputs], axis=1)).long()
    assert made.target_index is not None
    return made.target_index


def _just_below(subject: Subject, source: Split) -> Tensor:
    """Return the values of rows a trace lower `(n,)`: where no true value is known, attacks move values away from their own.

    At its own value the squared distance has no gradient; the trace makes the first step of an attack raise the value.
    """
    assert isinstance(source.inputs, tuple)
    with torch.no_grad():
        own = subject.attribution_output(source.inputs[0].to(_device(subject))).cpu().reshape(len(source), -1)[:, 0]
    return own - _TRACE * max(float(own.std(correction=0)), 1e-6)


@contextmanager
def _unasked() -> Iterator[None]:
    """Captum sets `requires_grad` where it needs it, and warns that it did."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Input Tensor .* did not already require gradients")
        yield


def _forward(subject: Subject, scale: Scale) -> Callable[[Tensor], Tensor]:
    """Return the outputs among which a prediction is made, without those of something else, as the value of a state."""
    safe = torch.where(scale.unit > 0, scale.unit, 1.0)
    device, choices = _device(subject), len(subject.schema.target.classes)

    def forward(rows: Tensor) -> Tensor:
        output = subject.attribution_output((rows * safe).to(device)).cpu()
        return output[:, :choices] if choices and output.ndim == 2 else output

    return forward


def _device(subject: Subject) -> torch.device:
    assert subject.model is not None
    return next((p.device for p in subject.model.parameters()), torch.device("cpu"))


def _scaled(source: Split, scale: Scale) -> tuple[Tensor, Tensor, Tensor]:
    assert isinstance(source.inputs, tuple)
    rows = source.inputs[0].detach().clone()
    return rows, (scale.unit > 0).to(rows.dtype), torch.where(scale.unit > 0, scale.unit, 1.0)


def _back(source: Split, changed: Tensor, rows: Tensor, scale: Scale) -> Split:
    return with_rows(source, _inside(changed, rows, scale))


def _inside(changed: Tensor, rows: Tensor, scale: Scale) -> Tensor:
    """Return changed rows on their own scale, within what can occur; what may not change stays exactly as it was."""
    safe = torch.where(scale.unit > 0, scale.unit, 1.0)
    return torch.where((scale.unit > 0).expand_as(rows), (changed.detach() * safe).clamp(scale.low, scale.high), rows)
