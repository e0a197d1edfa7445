"""How measures and groups read in plain words."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassbench.contracts.evidence import Measure

_ABBREVIATIONS = ("AP", "AP50", "AUC", "BLEU", "chrF", "ECE", "F1", "IV", "MAE", "MSE", "NDCG", "RMSE", "ROC", "ROUGE")
SPELT = {word.lower(): word for word in _ABBREVIATIONS} | {"r2": "R²"}
"""Abbreviations as they are written."""

_VARIANT = re.compile(r"\b(ROUGE) (\w)\b")

SMALL_LEFT_OUT = "without small groups"
"""How a gap reads that leaves out groups too small to tell."""


def measure_words(name: str) -> str:
    """Return a measure's name in words, without its audit; what stands in brackets is what it is of.

    Example:
        >>> measure_words("fairness.equalized_odds_difference"), measure_words("calibration.pinball_loss[0.05]")
        ('equalized odds difference', 'pinball loss (0.05)')
        >>> measure_words("performance.roc_auc"), measure_words("fairness.rouge_l_difference")
        ('ROC AUC', 'ROUGE-L difference')
        >>> measure_words("fairness.accuracy_ratio_without_small")
        'accuracy ratio without small groups'
    """
    plain, bracket, of = (name.partition(".")[2] or name).partition("[")
    words = plain.replace(".", "_").split("_")
    said = _VARIANT.sub(lambda found: f"{found[1]}-{found[2].upper()}", " ".join(SPELT.get(word, word) for word in words))
    if said.endswith(" without small"):
        said = f"{said.removesuffix(' without small')} {SMALL_LEFT_OUT}"
    return f"{said} ({of.removesuffix(']')})" if bracket else said


def is_gap(name: str) -> bool:
    """Whether a measure is a difference between groups, by its name.

    Example:
        >>> is_gap("fairness.accuracy_difference_without_small"), is_gap("fairness.precision_difference[a]"), is_gap("x.accuracy")
        (True, True, False)
    """
    return name.partition("[")[0].removesuffix("_without_small").endswith("_difference")


def group_words(group: Mapping[str, str] | None) -> str:
    """Return a group in words.

    Example:
        >>> group_words({"sex": "female", "age_band": "50+"})
        'sex female, age_band 50+'
    """
    return ", ".join(f"{feature} {value}" for feature, value in (group or {}).items())


def scope_words(measure: "Measure") -> str:
    """Return what a measure speaks of: a group, the gap between groups, or all rows."""
    if measure.group:
        return group_words(measure.group)
    return f"between groups of {' and '.join(measure.by)}" if measure.by else "all rows"
