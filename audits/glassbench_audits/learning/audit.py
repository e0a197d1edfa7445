"""The learning audit: how did the training go, and what does it leave behind?"""

from glassbench.evidence import AuditResult, Finding, Method
from glassbench.subject import Subject
from glassbench_audits.learning.backward import backward
from glassbench_audits.learning.course import course_findings, course_measures
from glassbench_audits.learning.curves import learning_charts
from glassbench_audits.learning.network import network_charts, network_findings, network_measures, network_tables


def audit(subject: Subject, *, gap: float = 0.5, dead: float = 0.5, rows: int = 256) -> AuditResult:
    """Examine the training history, and the trained network by one backward pass on training rows.

    Args:
        subject: What is examined.
        gap: How far the validation loss may lie above the training loss, a share of the first validation loss.
        dead: Share of a layer's units that may never fire.
        rows: The most training rows of the backward pass.
    """
    seen = backward(subject, rows)
    cautions = ["The training loss of an epoch is a mean over its steps, with dropout where there is any."]
    if seen is None:
        cautions.append("Gradients were not looked at: the task's learner has no loss of rows, or the model no gradients.")
    else:
        cautions.append(
            "Rectifiers called as functions are not seen; a gradient may also be small because an input says nothing."
        )
    found = (*course_findings(subject, gap), *(network_findings(seen, dead) if seen else ()))
    return AuditResult(
        findings=found or (_nothing(looked_inside=seen is not None),),
        measures=(*course_measures(subject), *(network_measures(seen) if seen else ())),
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


def _nothing(*, looked_inside: bool) -> Finding:
    inside = ", and gradients reach every layer of a network whose units are alive" if looked_inside else ""
    said = f"Nothing wrong was seen in the course of the training: no overfitting, no spikes{inside}."
    return Finding(sentence=said, verdict="pass", measures=("learning.loss_spikes",), weight=0.1)
