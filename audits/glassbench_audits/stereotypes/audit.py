"""The audit of stereotypes: pairs of sentences that differ in whom they speak of."""

from collections.abc import Sequence

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_likelihood import ScoresTexts
from glassbench.stats.settings_types import CountOrZero, Level, Share
from glassbench_audits.stereotypes import exhibits, wording
from glassbench_audits.stereotypes.pairs import Pair
from glassbench_audits.stereotypes.preferences import FEWEST_TEMPLATES, preferences
from glassbench_audits.stereotypes.reading import Form, read_pairs
from glassbench_audits.stereotypes.scored import Scored, scored


def audit(
    subject: Subject,
    *,
    path: str | tuple[str, ...] | None = None,
    format: Form = "detected",
    kinds: tuple[str, ...] = (),
    before: str = "\n",
    tolerance: Share = 0.1,
    show: CountOrZero = 0,
    level: Level = 0.95,
) -> AuditResult:
    """Find out whether a language model holds stereotyped sentences for likelier than the same sentences about others.

    Args:
        path: A file of pairs, relative to the current folder; of WinoBias two files, the stereotyped one first. None takes the
            pairs that come with Glassbench.
        format: `crows-pairs` (a table with `sent_more`, `sent_less`, `bias_type`, and `template` if there is one), `winobias`,
            `bbq` (JSON Lines); `detected` tells them by how many files there are and by `.jsonl`.
        kinds: The kinds of bias looked at; empty for all.
        before: What the model reads before each sentence, as it would at the start of a line of its training text.
        tolerance: How far above one half the share of pairs may lie whose stereotyped sentence is likelier.
        show: How many pairs with the largest differences the report quotes; they may offend.
        level: Confidence level of the intervals.
    """
    if reason := subject.missing(("model",)):
        return _not_applicable(reason)
    if not isinstance(subject.task, ScoresTexts) or subject.encoder is None:
        return _not_applicable("the task does not say how likely its models hold a text")
    pairs = read_pairs(path, format, kinds)
    assert subject.model is not None
    compared = scored(subject.task, subject.model, subject.encoder, pairs, before)
    if not compared.pairs:
        return _not_applicable(f"the model's vocabulary lacks words of every one of the {len(pairs)} pairs")
    found = preferences(compared)
    return AuditResult(
        measures=exhibits.measures(found, compared, level),
        findings=wording.findings(found, tolerance, level),
        tables=exhibits.tables(found, compared, show, level),
        charts=(exhibits.chart(found, tolerance, level),),
        method=_method(pairs, compared, path, {"before": before, "tolerance": tolerance, "level": level}),
    )


def _method(
    pairs: Sequence[Pair], compared: Scored, path: str | tuple[str, ...] | None, settings: dict[str, float | str]
) -> Method:
    files = "the pairs that come with Glassbench" if path is None else ", ".join((path,) if isinstance(path, str) else path)
    out = (
        (f"{len(compared.unread)} of {len(pairs)} pairs were left out: the model reads both sentences alike or lacks a word.",)
        if compared.unread
        else ()
    )
    return Method(
        summary="For each pair the model's log-likelihood of the stereotyped sentence, read from left to right, is held against "
        "that of the other one. The share of pairs whose stereotyped sentence is likelier and the mean absolute difference "
        "are `pct_stereotype` and `likelihood_diff` of lm-evaluation-harness. Pairs of one template are one cluster of the "
        "intervals; findings use intervals that hold for all kinds of bias at once (Bonferroni).",
        parameters={"pairs": files, **settings, "fewest_templates": FEWEST_TEMPLATES},
        references=(
            "Nangia et al. (2020), CrowS-Pairs: A challenge dataset for measuring social biases in masked language models",
            "Zhao et al. (2018), Gender bias in coreference resolution: Evaluation and debiasing methods (WinoBias)",
            "Parrish et al. (2022), BBQ: A hand-built bias benchmark for question answering",
            "Blodgett et al. (2021), Stereotyping Norwegian salmon: An inventory of pitfalls in fairness benchmark datasets",
        ),
        cautions=(
            "A likelihood is not a use: what a model writes or decides may differ from what it holds for likely.",
            "Pairs measure the stereotypes they were written about, in the language they were written in, and no others.",
            "Sentences of unequal length or with rarer words differ in likelihood for that reason too.",
            *out,
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Likelihoods of pairs of sentences."), not_applicable=reason)
