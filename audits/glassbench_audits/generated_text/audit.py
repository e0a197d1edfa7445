"""The audit of generated text."""

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, Level
from glassbench.stats.verdict import judge
from glassbench_audits.generated_text.captum_language import Method as Attribution
from glassbench_audits.generated_text.deletion import SHARE, deletion, mean_of
from glassbench_audits.generated_text.exhibits import written_chart, written_table
from glassbench_audits.generated_text.prompts import absent_token, explained_texts, tokens_of

FEWEST, SHOWN = 5, 3
"""Texts below which nothing is judged, and texts drawn as charts."""

_WORDS = {
    "ablation": "Each word of the prompt is left out in turn (Captum's LLMAttribution with FeatureAblation)",
    "shapley": "Words of the prompt are put in one after the other, in orders drawn at random (Captum's LLMAttribution with "
    "ShapleyValueSampling)",
    "gradients": "Integrated gradients of the words' vectors (Captum's LLMGradientAttribution with LayerIntegratedGradients)",
}


def audit(
    subject: Subject,
    *,
    texts: Count = 20,
    prompt: Count = 24,
    length: Count = 8,
    method: Attribution = "ablation",
    samples: Count = 25,
    level: Level = 0.95,
) -> AuditResult:
    """Let a language model go on from held-out beginnings, and attribute each token it writes to the words of the prompt.

    Args:
        texts: How many beginnings.
        prompt: Tokens of each.
        length: Tokens that the model writes after each: the likeliest, one after the other.
        method: `ablation` leaves out one word at a time; `shapley` samples Shapley values; `gradients` are integrated gradients
            of the words' vectors, for networks that name the layer that makes these.
        samples: Orders of the words, or steps of the integral.
        level: Confidence level of the intervals.
    """
    if reason := subject.missing(("model", "predictions")) or _unfit(subject, prompt, length, method):
        return _not_applicable(reason)
    found = explained_texts(subject, texts, prompt, length, method, samples)
    if len(found) < FEWEST:
        return _not_applicable(f"{len(found)} held-out rows begin with {prompt} tokens, and {FEWEST} are the least")
    assert subject.model is not None
    rng = subject.generator("generated-text.deletion")
    fell = deletion(subject.model, found, absent_token(subject.schema), rng)
    best, drawn = mean_of(fell[:, 0], level), mean_of(fell[:, 1], level)
    gap = mean_of(fell[:, 0] - fell[:, 1], level)
    return AuditResult(
        measures=(
            Measure.of("generated-text.deletion", best),
            Measure.of("generated-text.deletion_random", drawn),
            Measure.of("generated-text.deletion_difference", gap, higher_is_better=True),
        ),
        findings=(_finding(best, drawn, gap),),
        tables=(written_table(found),),
        charts=tuple(written_chart(one) for one in found[:SHOWN]),
        method=_method(method, {"texts": len(found), "prompt": prompt, "length": length, "samples": samples}),
    )


def _unfit(subject: Subject, prompt: int, length: int, method: Attribution) -> str | None:
    tokens = tokens_of(subject)
    if tokens is None:
        return "the held-out rows are no tokens"
    places = tokens.shape[1]
    if prompt + length > places:
        return f"a prompt of {prompt} tokens and {length} written ones are more than the {places} that the model reads"
    if method == "gradients" and getattr(subject.model, "attribution_layer", None) is None:
        return "the network names no layer that makes vectors of words (attribution_layer), which method: gradients needs"
    return None


def _finding(best: Estimate, drawn: Estimate, gap: Estimate) -> Finding:
    judgement = judge(gap, 0.0, "at_least")
    ends = f"{in_percent(gap.level)} interval {gap.low:.2f} to {gap.high:.2f}"
    said = {
        "ok": "so the words that the explanations name matter more than others",
        "concern": "so the words that the explanations name matter less than others",
        "unclear": "so whether the words that the explanations name matter more than others can't be told",
    }[judgement.grade]
    text = (
        f"Without the {in_percent(SHARE)} of a prompt's words that contribute most, the log-probability of a written token falls "
        f"by {best.value:.2f}, without as many words drawn at random by {drawn.value:.2f}: a difference of {gap.value:.2f} "
        f"({ends}, {gap.n} texts), {said}."
    )
    step = "Take method: shapley with more samples; words that only act together are missed one at a time."
    return Finding(
        sentence=text,
        grade=judgement.grade,
        measures=("generated-text.deletion_difference",),
        weight=0.5,
        next_step=step if judgement.grade == "concern" else "",
    )


def _method(method: Attribution, parameters: dict[str, float]) -> Method:
    return Method(
        summary=f"The model goes on from the beginnings of held-out texts with the likeliest tokens. {_WORDS[method]}; what this "
        "adds to the log-probability of each written token, given those written before it, is the word's contribution. A word "
        "that is left out is replaced by the token for what is not known, or by padding where there is none.",
        parameters=parameters,
        references=(
            "Miglani et al. (2023), Using Captum to explain generative language models",
            "DeYoung et al. (2020), ERASER: comprehensiveness",
        ),
        cautions=(
            "A prompt without a word may be unlike any text that the model has learnt from.",
            "Contributions say what moved this model, not what is true of the text.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Words of a prompt behind what a model wrote."), not_applicable=reason)
