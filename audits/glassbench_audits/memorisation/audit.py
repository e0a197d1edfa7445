"""The audit of memorisation: training texts against held-out ones, and planted secrets against random ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_likelihood import Continuation, ScoresTexts, TextLikelihood
from glassbench.contracts.text_pieces import TextReader
from glassbench.stats.p_values import holm
from glassbench.stats.settings_types import Count, Level, Replicates, Share
from glassbench_audits.memorisation import exhibits, wording
from glassbench_audits.memorisation.canaries import Canary, Exposure, exposure, read_canaries
from glassbench_audits.memorisation.generated_rows import audit_generated
from glassbench_audits.memorisation.membership import membership

SHORTEST = 4
"""Scored tokens that a text needs to be compared."""


def audit(
    subject: Subject,
    *,
    rows: Count = 500,
    canaries: tuple[str, ...] = (),
    candidates: Replicates = 2000,
    before: str = "\n",
    tolerance: Share = 0.1,
    alarm: Share = 0.05,
    level: Level = 0.95,
) -> AuditResult:
    """Find out whether a model has learnt training rows by heart: a language model texts, a generator the rows it generates.

    Of generated rows the nearest training rows are compared with the nearest held-out rows; `rows`, `canaries`, `candidates` and
    `before` speak of texts alone.

    Args:
        rows: Texts of either side, training and held-out, at most.
        canaries: Sentences of the training text with a secret in brackets ("The code is [4 8 3 1]."): digits are compared with
            other digits, letters with other letters.
        candidates: Other secrets that each is compared with, at most; of fewer, all.
        before: What the model reads before a sentence with a secret.
        tolerance: How far the AUC of telling training texts may lie above one half, and the share of training texts continued
            word for word above that of held-out ones; of generated rows, how far above 0 the excess of training rows among
            their nearest rows may lie.
        alarm: Chance of calling any secret learnt by heart that the model has never seen: limit of the corrected p-values; of
            generated rows, limit of the p-value of that excess.
        level: Confidence level of the intervals.
    """
    planted = read_canaries(canaries)
    if reason := subject.missing(("model", "predictions", "training data")):
        return _not_applicable(reason)
    if subject.held_out is False:
        return _not_applicable("the rows it is judged by are no held-out ones: it was trained on them, as the caller said")
    if (made := subject.generated_output) is not None:
        return audit_generated(subject, made, tolerance=tolerance, alarm=alarm, level=level)
    if not isinstance(subject.task, ScoresTexts) or not isinstance(subject.encoder, TextReader):
        return _not_applicable("the task neither says how likely its models hold a text nor generates rows")
    splits = {"train": subject.train, "held out": subject.predictions.source}
    sides = [_asked(subject, split, rows, name) for name, split in splits.items()]
    if not all(sides):
        return _not_applicable(f"no text of {SHORTEST} tokens is known on one side")
    found = membership(sides[0], sides[1], level)
    exposed = [_exposed(subject, canary, before, candidates) for canary in planted]
    known = [(one, p) for one, p in zip(exposed, _corrected(exposed), strict=True)]
    losses = [np.array([-one.each.mean() for one in side]) for side in sides]
    return AuditResult(
        measures=exhibits.measures(found, known),
        findings=wording.findings(found, known, tolerance, alarm),
        tables=exhibits.tables(found, known, level),
        charts=(exhibits.chart(*losses),),
        method=_method(
            {
                "training_texts": len(sides[0]),
                "held_out_texts": len(sides[1]),
                "candidates": candidates,
                "tolerance": tolerance,
                "alarm": alarm,
                "level": level,
            }
        ),
    )


def _asked(subject: Subject, split: Any, rows: int, name: str) -> list[TextLikelihood]:
    """Return what the model makes of a split's texts, those of too few tokens left out."""
    encoder = subject.encoder
    assert isinstance(encoder, TextReader)
    assert isinstance(subject.task, ScoresTexts)
    if not isinstance(split, Split) or split.raw is None or encoder.text not in split.raw:
        return []
    texts = split.raw[encoder.text].astype(str).to_numpy()
    if len(texts) > rows:
        texts = texts[np.sort(subject.generator(f"memorisation.{name}").choice(len(texts), rows, replace=False))]
    assert subject.encoder is not None
    found = subject.task.text_likelihoods(subject.model, subject.encoder, [Continuation(text=text) for text in texts])
    return [one for one in found if len(one.each) >= SHORTEST]


def _exposed(subject: Subject, canary: Canary, before: str, candidates: int) -> Exposure:
    assert isinstance(subject.task, ScoresTexts)
    assert subject.model is not None
    assert subject.encoder is not None
    generator = subject.generator(f"memorisation.{canary.text(canary.secret)}")
    return exposure(subject.task, subject.model, subject.encoder, canary, before, candidates, generator)


def _corrected(exposed: Sequence[Exposure]) -> list[float]:
    p = holm(np.array([one.p if one.unread is None else np.nan for one in exposed]))
    return [float(each) for each in p]


def _method(parameters: dict[str, float]) -> Method:
    return Method(
        summary="The model reads training texts and held-out texts, and their losses per token are compared (area under the ROC "
        "curve of telling one from the other). A text is continued word for word where each token of its second half is the "
        "model's first guess after all before it. The likelihood of a planted secret is ranked among other secrets of its form; "
        "p-values are corrected by Holm's method.",
        parameters=parameters,
        references=(
            "Carlini et al. (2019), The secret sharer: Evaluating and testing unintended memorization in neural networks",
            "Yeom et al. (2018), Privacy risk in machine learning: Analyzing the connection to overfitting",
            "Carlini et al. (2023), Quantifying memorization across neural language models",
            "Holm (1979), A simple sequentially rejective multiple test procedure",
        ),
        cautions=(
            "Held-out texts may be of another topic than training texts, which raises their loss without any memorisation.",
            "An AUC near one half does not rule out that single texts were learnt by heart; planted secrets show it more surely.",
            "Neighbouring texts hang together a little, so intervals are somewhat too narrow.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Training rows against held-out ones."), not_applicable=reason)
