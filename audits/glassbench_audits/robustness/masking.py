"""Gradient masking: a model whose gradients lead attacks astray looks robust and is not."""

from collections.abc import Sequence
from dataclasses import dataclass

from glassbench.contracts.evidence import Finding
from glassbench.stats.intervals import Limits
from glassbench_audits.robustness.quality import amount, drop_limits
from glassbench_audits.robustness.trials import Judge, Trial, best_attack

LEAST = 0.01
"""The least extra harm that counts: of shares in points, of values in standard deviations of the decisions."""

LEAST_SHARE = 0.1
"""The least extra harm that counts, as a share of what attacks by gradients do: no attack finds every row that another does."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Masking:
    """What did more harm than the attacks that follow gradients.

    Args:
        trial: The noise or the search that did it.
        gradients: The fall under the best attack by gradients of the same size.
        extra: How much more it costs, with the interval of pairs of rows, corrected for the comparisons made.
    """

    trial: Trial
    gradients: Limits
    extra: Limits


def masking(judge: Judge, tried: Sequence[Trial]) -> Masking | None:
    """Return the clearest sign that gradients mislead attacks, or None (Athalye, Carlini and Wagner 2018).

    Noise and searches of the same size cannot do more harm than a good attack by gradients. Each is compared with the best of
    those, strength by strength, in pairs of rows; levels are corrected for the number of comparisons (Bonferroni).
    """
    gradients = {trial.strength: trial for trial in best_attack(judge, tried, ("gradients",)) if trial.strength}
    rivals = [trial for trial in tried if trial.perturbation.attack in ("noise", "search") and trial.strength in gradients]
    found = []
    for rival in rivals:
        mine = gradients[rival.strength]
        generator = judge.subject.generator(f"robustness.masking.{rival.perturbation.name}.{rival.strength:g}")
        extra = drop_limits(mine.after, rival.after, generator, 1 - (1 - judge.level) / len(rivals), judge.clusters)
        least = max(LEAST * judge.before.usual, LEAST_SHARE * float(mine.drop[0]))
        if float(extra[1]) > 0 and float(extra[0]) > least:
            found.append(Masking(trial=rival, gradients=mine.drop, extra=extra))
    return max(found, key=lambda one: float(one.extra[1]), default=None)


def masking_finding(found: Masking, shares: bool) -> Finding:
    """Return masked gradients as a finding."""
    unit = " points" if shares else ""
    extra, low, high = (amount(end, shares) for end in found.extra)
    gradients, cost = (amount(fall[0], shares) for fall in (found.gradients, found.trial.drop))
    name = found.trial.perturbation.words(found.trial.strength)
    return Finding(
        sentence=(
            f"The gradients mislead attacks: {found.trial.perturbation.name} of {found.trial.strength:.3g} "
            f"{found.trial.perturbation.unit} costs {cost}{unit}, the best of FGSM and PGD of that size {gradients}{unit} "
            f"({extra}{unit} more, [{low}, {high}]). The results of FGSM and PGD say nothing about the robustness of this model."
        ),
        grade="concern",
        measures=(f"robustness.drop[{name}]",),
        weight=0.6,
        next_step="Judge robustness by the noise and the search alone.",
    )
