"""The learning audit: how did the training go, and what does it leave behind?"""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.subject import Subject
from glassbench.stats.settings_types import Count, NonNegativeNumber, Share
from glassbench_audits.learning.backward import backward
from glassbench_audits.learning.course import course_findings, course_measures
from glassbench_audits.learning.curves import learning_charts
from glassbench_audits.learning.network import network_charts, network_findings, network_measures, network_tables


def audit(subject: Subject, *, gap: NonNegativeNumber = 0.5, dead: Share = 0.5, rows: Count = 256) -> AuditResult:
    """Examine the training history, and the trained network by one backward pass on training rows.

    Args:
        subject: What is examined.
        gap: How far the validation loss may lie above the training loss, a share of the first validation loss.
        dead: Share of a layer's units that may never fire.
        rows: The most training rows of the backward pass.
    """
    seen = backward(subject, rows)
    cautions = [
        "The training loss of an epoch is a mean over its steps, with dropout where there is any.",
        "Findings speak of this training alone, whose losses were recorded and whose gradients were computed: what they hold "
        "against a limit is exact and carries no interval. Another training may go otherwise.",
    ]
    if seen is None:
        cautions.append("Gradients were not looked at: the task's learner has no loss of rows, or the model no gradients.")
    else:
        cautions.append(
            "Rectifiers called as functions are not seen; a gradient may also be small because an input says nothing."
        )
    found = (*course_findings(subject, gap), *(network_findings(seen, dead) if seen else ()))
    measures = (*course_measures(subject), *(network_measures(seen) if seen else ()))
    return AuditResult(
        findings=found or tuple(_nothing(measures)),
        measures=measures,
        tables=tuple(network_tables(seen)) if seen else (),
        charts=(*learning_charts(subject.history), *(network_charts(seen) if seen else ())),
        method=Method(
            summary=(
                "The recorded losses, metrics and learning rates were searched for overfitting (a validation loss that ends "
                "above its least value), a gap between training and validation, and spikes above the median of their "
                "neighbours. A copy of the trained network then ran forward and backward on training rows: the gradient of each "
                "layer's parameters, the gradient at each time step of what recurrent layers read, and the units of "
                "rectifiers that are 0 for every row."
            ),
            parameters={"gap": gap, "dead": dead, "rows": seen.rows if seen else 0, "seed": subject.seed},
            references=(
                "Pascanu, Mikolov, Bengio (2013): On the difficulty of training recurrent neural networks",
                "Glorot, Bengio (2010): Understanding the difficulty of training deep feedforward neural networks",
                "Prechelt (1998): Early stopping, but when?",
            ),
            cautions=tuple(cautions),
        ),
    )


_SOUND = {
    "learning.rise": "no overfitting",
    "learning.gap": "no wide gap between training and validation loss",
    "learning.loss_spikes": "no spikes of the training loss",
    "learning.gradient_ratio": "gradients that reach every layer",
    "learning.time_ratio": "gradients that reach the first time steps",
    "learning.dead_units": "few rectifiers that never fire",
}


def _nothing(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield one sentence on what was looked at and found sound; what could not be measured is not spoken of."""
    sound = [name for name in _SOUND if any(m.name == name and m.value is not None and m.n != 0 for m in measures)]
    if sound:
        said = f"The training shows none of the faults that were looked for: {', '.join(_SOUND[name] for name in sound)}."
        yield Finding(sentence=said, grade="ok", measures=tuple(sound), weight=0.1)
