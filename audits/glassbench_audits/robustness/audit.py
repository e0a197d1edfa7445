"""The robustness audit: do decisions survive small changes of the inputs?"""

from collections.abc import Sequence

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.subject import Subject
from glassbench.stats.settings_types import Count, Level, NonNegativeNumber
from glassbench_audits.robustness.attacks import QUERIES, RESTARTS, STARTS, STEPS, attacks
from glassbench_audits.robustness.corruptions import corruptions
from glassbench_audits.robustness.exhibits import charts, findings, measures, tables
from glassbench_audits.robustness.fragile import perturb_feature
from glassbench_audits.robustness.masking import masking, masking_finding
from glassbench_audits.robustness.perturbation import Perturbation
from glassbench_audits.robustness.scales import scale_of
from glassbench_audits.robustness.trials import best_attack, judge_of, trials

_ATTACKED = (
    "Attacks raise the margin of the best wrong answer over the right one (of several labels the expected number of wrong ones, "
    "of values the squared error, or where no true value is known the squared distance from the value without an attack): "
    f"FGSM (one step) and PGD ({STEPS} steps from each of {RESTARTS} starts; images 2) through Captum, "
    f"where the model gives gradients, and a random search that only asks the model ({QUERIES} steps from each of "
    f"{STARTS} starts; images 1), after the Square attack. Noise of the same size stands beside them; the best attack is "
    "the worst of these for each row. Noise or a search that does more harm than FGSM and PGD shows that gradients "
    "mislead them. "
)
_OF_ATTACKS = (
    "Goodfellow, Shlens, Szegedy (2015): Explaining and harnessing adversarial examples",
    "Madry, Makelov, Schmidt, Tsipras, Vladu (2018): Towards deep learning models resistant to adversarial attacks",
    "Andriushchenko, Croce, Flammarion, Hein (2020): Square attack",
    "Athalye, Carlini, Wagner (2018): Obfuscated gradients give a false sense of security",
    "Carlini, Wagner (2017): Towards evaluating the robustness of neural networks",
    "Kokhlikyan et al. (2020): Captum, a unified and generic model interpretability library for PyTorch",
)


def audit(
    subject: Subject,
    *,
    tolerance: NonNegativeNumber = 0.1,
    rows: Count = 512,
    attack: bool = True,
    corrupt: bool = True,
    level: Level = 0.95,
) -> AuditResult:
    """Change held-out rows a little, against the model and by chance, and see what becomes of the decisions.

    Args:
        subject: What is examined.
        tolerance: The fall that is let pass: of accuracy in points (0.1 is ten), of values in standard deviations of decisions.
        rows: The most held-out rows.
        attack: Whether to attack, where the model gives gradients.
        corrupt: Whether to corrupt.
        level: Confidence level of the intervals.
    """
    if subject.predictions.source is None:
        return _unable("the inputs of the predictions are not known")
    part = subject.sample(rows, "robustness.rows")
    if not len(part):
        return _unable("there are no rows to decide")
    judge = judge_of(subject, part, level)
    if judge is None:
        return _unable(f"predictions of this kind ({subject.kind.name}) are not held against changed inputs")
    scale = scale_of(subject, judge.source)
    decided = subject.value_output is not None or any(output.selects for output in subject.class_outputs)
    directed = decided and subject.kind.together is None
    chosen: list[Perturbation] = [
        *(attacks(subject, scale) if attack and directed else ()),
        *(corruptions(subject, judge.source, scale) if corrupt else ()),
    ]
    if not chosen:
        return _unable("the inputs are neither numbers nor texts that can be read again")
    tried = list(trials(judge, chosen))
    masked = masking(judge, tried)
    tried += best_attack(judge, tried, ("gradients", "search", "noise"))
    perturbed = perturb_feature(judge, scale) if scale is not None and corrupt else []
    return AuditResult(
        findings=(
            *([masking_finding(masked, judge.before.shares)] if masked else ()),
            *findings(tried, perturbed, judge.before, tolerance),
        ),
        measures=tuple(measures(tried, perturbed, judge.before, tolerance, level)),
        tables=tuple(tables(tried, perturbed, judge.before)),
        charts=tuple(charts(tried, judge.before)),
        method=_method(subject, chosen, len(part), tolerance, level),
    )


def _unable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Not run."), not_applicable=reason)


def _method(subject: Subject, chosen: Sequence[Perturbation], rows: int, tolerance: float, level: float) -> Method:
    cautions, kinds = ["What survives these changes may not survive others."], {perturbation.attack for perturbation in chosen}
    if kinds - {None}:
        cautions.append("Attacks assume somebody who knows the model and can set inputs as finely as they like.")
    if subject.kind.together is not None:
        cautions.append(
            "No attack was made: what a row is predicted as depends on the other rows of its list. Corruptions change all rows."
        )
    elif not kinds - {None}:
        cautions.append("No attack was made: no input is a number that may change a little, or attacks were switched off.")
    elif "gradients" not in kinds:
        cautions.append("The model gives no gradients: the only attack is a search that asks it, which finds less harm.")
    return Method(
        summary=(
            "The same held-out rows were decided as they are and changed. "
            f"{_ATTACKED if kinds - {None} else ''}"
            "Corruptions are drawn by chance in ways that fit the rows. Falls are measured row by row in pairs. "
            "Single numbers were changed one at a time, tested by McNemar's exact test and corrected for the number of features "
            "(Holm)."
        ),
        parameters={
            "strengths": {d.name: [round(s, 4) for s in d.strengths] for d in chosen},
            "judged": {d.name: round(d.strengths[d.judged], 4) for d in chosen},
            "tolerance": tolerance,
            "rows": rows,
            "level": level,
            "seed": subject.seed,
        },
        references=(
            *(_OF_ATTACKS if kinds - {None} else ()),
            "Hendrycks, Dietterich (2019): Benchmarking neural network robustness to common corruptions and perturbations",
        ),
        cautions=tuple(cautions),
    )
