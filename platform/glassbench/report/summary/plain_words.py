"""Measures, gates and grades in words of people who are not engineers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.measure_words import measure_words

_ENDINGS = ("_without_small", "_difference", "_ratio")
_FIRST = re.compile(r"_at_(\d+)$")
_BRACKET = re.compile(r"\[(.*)\]$", re.DOTALL)

_WORDS = {
    "accuracy": "right answers",
    "balanced_accuracy": "right answers, each class counted alike",
    "selection_rate": "answers of “{favourable}”",
    "demographic_parity": "answers of “{favourable}”",
    "four_fifths": "answers of “{favourable}”, lowest group against highest",
    "false_negative_rate": "real cases of “{positive}” that were missed",
    "true_positive_rate": "real cases of “{positive}” that were found",
    "recall": "real cases of “{positive}” that were found",
    "equal_opportunity": "real cases of “{positive}” that were found",
    "false_positive_rate": "other cases wrongly called “{positive}”",
    "precision": "answers of “{positive}” that were right",
    "false_discovery_rate": "answers of “{positive}” that were wrong",
    "false_omission_rate": "cases not called “{positive}” that should have been",
    "equalized_odds": "missed cases and wrong calls, the larger gap",
    "ap": "objects found exactly in place (1 is best)",
    "ap50": "objects found about in place (1 is best)",
    "count_error": "objects miscounted in a picture",
    "dice": "overlap with the true areas (1 is best)",
    "f1": "balance of missed cases and wrong calls",
    "macro_f1": "balance of both kinds of error, all classes",
    "micro_f1": "balance of both kinds of error, all answers",
    "hamming_loss": "wrong answers, over all labels",
    "macro_roc_auc": "sorting of cases by risk, all labels",
    "roc_auc": "sorting of cases by risk (1 best, 0.5 a guess)",
    "log_loss": "error of the stated chances",
    "brier": "error of the stated chances",
    "mean_absolute_error": "average error",
    "mae": "average error",
    "mean_squared_error": "average squared error",
    "root_mean_squared_error": "typical error, large ones counting more",
    "rmse": "typical error, large ones counted more",
    "r2": "part of the differences it accounts for",
    "word_error_rate": "wrong, missing or added words",
    "return": "reward of an episode",
    "perplexity": "number of words it wavers between",
    "iou": "strict overlap with the true areas (1 is best)",
    "mean_iou": "strict overlap with the true areas (1 is best)",
    "boundary_error": "distance of outlines from the true ones",
    "rouge_1": "words shared with the true text (1 is best)",
    "rouge_2": "word pairs shared with the true text (1 is best)",
    "rouge_l": "words shared in the true order (1 is best)",
    "bleu": "runs of words shared with the true text",
    "chrf": "runs of letters shared with the true text",
    "exact_match": "answers that are right to the letter",
    "character_error_rate": "wrong, missing or added letters",
    "frechet_distance": "distance from real examples (0 is best)",
    "classifier_accuracy": "made examples that are what was asked for",
    "condition_accuracy": "made examples that are what was asked for",
    "failure_rate": "episodes that end in failure",
    "win_rate": "games that were won",
    "draw_rate": "games that were drawn",
    "ndcg": "order of the suggestions (1 is best)",
    "hit_rate": "people with at least one fitting suggestion",
    "recommended": "fitting items among the suggestions",
    "stability": "how surely the groups come back (1 is best)",
    "smallest_share": "part of the cases in the smallest group",
    "silhouette": "how clearly the groups stand apart (1 is best)",
}

GAP_WORDS = {
    "concern": "The audit allows less, and chance does not explain it.",
    "unclear": "There are too few cases to say if the gap is real and too large.",
    "ok": "The audit allows as much.",
}
"""What the grade of a gap between groups means."""

TRUST_WORDS = {
    "reliable": "This explanation passed its checks.",
    "use with care": "This explanation did not pass all of its checks, or not all could be made. Use it with care.",
    "do not rely": "This explanation failed its checks. Do not rely on it.",
}
"""What the grade of an explanation means."""

VERDICT_WORDS = {
    "pass": "The model meets every test that its owner set.",
    "fail": "The model does not meet every test that its owner set.",
    "insufficient evidence": "We cannot say yet if the model meets the tests that its owner set.",
    "not applicable": "Its owner set no tests, so the model can neither pass nor fail.",
}
"""What a run's verdict means."""

GATE_WORDS = {"pass": "met", "fail": "not met", "insufficient evidence": "not known yet", "not applicable": "not tested"}
"""What a gate came to."""


@dataclass(frozen=True)
class Outcome:
    """What the answers that rates speak of are called.

    Args:
        positive: The class that is looked for.
        favourable: The class that is good for a person.
    """

    positive: str
    favourable: str

    @classmethod
    def of(cls, target: Mapping[str, Any]) -> "Outcome":
        """Return the outcome that a schema's target names."""
        positive = str(target.get("positive") or "yes")
        return cls(positive=positive, favourable=str(target.get("favourable") or positive))


def plain_measure(name: str, outcome: Outcome) -> str:
    """Return what a measure, or the gap in it between groups, counts.

    Args:
        name: `<audit>.<measure>`, with the class it speaks of in brackets where there are several.
        outcome: The classes of the target.

    Example:
        >>> plain_measure("fairness.false_negative_rate_difference", Outcome("bad", "good"))
        'real cases of “bad” that were missed'
    """
    bracket = _BRACKET.search(name)
    of = Outcome(bracket.group(1), bracket.group(1)) if bracket else outcome
    stem = _BRACKET.sub("", name).partition(".")[2] or name
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    gain, stem = stem.endswith("_gain"), stem.removesuffix("_gain")
    first = _FIRST.search(stem)
    stem = _FIRST.sub("", stem)
    words = _WORDS.get({"recall": "recommended"}.get(stem, stem) if first else stem)
    if words is None:
        stem += (first.group(0) if first else "") + ("_gain" if gain else "")
        return measure_words(f"x.{stem}") + (f" of “{bracket.group(1)}”" if bracket else "")
    said = words.replace("{positive}", of.positive).replace("{favourable}", of.favourable)
    said += f", first {first.group(1)}" if first else ""
    return f"{said}, beyond the simple rule" if gain else said
