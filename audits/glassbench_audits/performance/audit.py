"""The performance audit: how good the predictions are on rows the model has not seen."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.predictions.outputs import AnswerOutput
from glassbench.contracts.subject import Subject
from glassbench.rows.coded_classes import with_coded_classes
from glassbench.rows.known_outcomes import with_known_outcomes
from glassbench.stats.resampling import ROWS
from glassbench.stats.settings_types import Level, Replicates
from glassbench_audits.performance.answers import answer_finding, answer_tables, quality_chart
from glassbench_audits.performance.baseline import Baseline, baseline
from glassbench_audits.performance.classes import (
    Confusion,
    class_measures,
    class_table,
    confusion,
    confusion_chart,
    confusion_table,
    recall_chart,
)
from glassbench_audits.performance.comparison import baseline_finding, score_measures, score_table, share_chart
from glassbench_audits.performance.policies import policy_charts, policy_findings, policy_pictures, policy_table, unequal_tables
from glassbench_audits.performance.regions import region_pictures
from glassbench_audits.performance.residuals import residual_charts, residual_table
from glassbench_audits.performance.samples import Sample, sample_finding, sample_table, samples
from glassbench_audits.performance.score_curves import score_curves
from glassbench_audits.performance.scores import Score, score
from glassbench_audits.performance.selected_rows import SelectedRows, of_known_rows, selected_finding, selected_rows, unjudged
from glassbench_audits.performance.stated import stated_findings


def audit(subject: Subject, *, level: Level = 0.95, replicates: Replicates = 1000) -> AuditResult:
    """Measure every metric of the task on held-out rows and compare it with the simplest baseline.

    Args:
        subject: What is examined.
        level: Confidence level of the intervals.
        replicates: Resamples behind intervals that have no closed form.
    """
    selected = selected_rows(subject, level)
    subject = with_coded_classes(with_known_outcomes(subject))
    known = "y_true" in subject.predictions.frame
    metrics = [metric for metric in subject.task.metrics if known or not metric.compares]
    if not metrics:
        return AuditResult(method=Method(summary="Not run."), not_applicable="the truth of the rows is not known")
    reference = baseline(subject) if known or subject.episode_output is not None else None
    scores = score(
        subject.predictions.frame,
        reference,
        metrics,
        subject.generator,
        level=level,
        replicates=replicates,
    )
    classes = tuple(confusion(subject.predictions.frame, output) for output in subject.class_outputs if output.actual is not None)
    pictures, undrawn = policy_pictures(subject)
    written = samples(subject)
    return AuditResult(
        findings=(
            *selected_finding(selected),
            *(of_known_rows(finding, selected) for finding in _findings(subject, scores, reference, written)),
        ),
        measures=tuple(_measures(scores, classes, level, selected)),
        tables=tuple(_tables(subject, scores, reference, classes, level, written)),
        charts=tuple(_charts(subject, scores, classes, level)),
        pictures=(*pictures, *region_pictures(subject)),
        method=_method(subject, reference, level, replicates, undrawn),
    )


def _judged_answers(subject: Subject) -> AnswerOutput | None:
    found = subject.kind.answer_output(subject.predictions.frame, subject.schema)
    return None if found is None or found.quality is None or found.actual is None else found


def _findings(
    subject: Subject, scores: Sequence[Score], reference: Baseline | None, written: tuple[Sample, ...]
) -> Iterator[Finding]:
    yield from policy_findings(subject, scores)
    if reference is not None and scores and (better := baseline_finding(scores[0], reference)):
        yield better
    yield from stated_findings(subject, scores, reference)
    if (answers := _judged_answers(subject)) is not None:
        yield answer_finding(subject, answers)
    if written:
        yield sample_finding(written)


def _measures(
    scores: Sequence[Score], classes: Sequence[Confusion], level: float, selected: SelectedRows | None
) -> Iterator[Measure]:
    for one in scores:
        for measure in score_measures(one):
            yield unjudged(measure, selected) if one.metric.compares else measure
    for each in classes:
        yield from (unjudged(measure, selected) for measure in class_measures(each, level))


def _tables(
    subject: Subject,
    scores: Sequence[Score],
    reference: Baseline | None,
    classes: Sequence[Confusion],
    level: float,
    written: tuple[Sample, ...],
) -> Iterator[Table]:
    if written:
        yield sample_table(subject, written)
    yield score_table(scores, reference, level)
    yield from policy_table(subject)
    yield from unequal_tables(subject, scores, level)
    if classes:
        yield class_table(classes, level)
    if len(classes) == 1:
        yield confusion_table(classes[0])
    if (values := subject.value_output) is not None and values.actual is not None:
        yield residual_table(subject)
    if (answers := _judged_answers(subject)) is not None:
        yield from answer_tables(subject, answers)


def _charts(subject: Subject, scores: Sequence[Score], classes: Sequence[Confusion], level: float) -> Iterator[Chart]:
    found = [share_chart(scores)]
    if len(classes) == 1:
        found.append(confusion_chart(classes[0]))
    if classes:
        found.append(recall_chart(classes, level))
    yield from (chart for chart in found if chart is not None)
    yield from score_curves(subject)
    yield from policy_charts(subject)
    if (values := subject.value_output) is not None and values.actual is not None:
        yield from residual_charts(subject)
    if (answers := _judged_answers(subject)) is not None:
        yield quality_chart(answers)


def _method(subject: Subject, reference: Baseline | None, level: float, replicates: int, undrawn: str | None) -> Method:
    counts = subject.predictions.frequency
    n = len(subject.predictions.frame) if counts is None else int(counts.sum())
    cautions = [
        "The rows are held out from training, but come from the same source; elsewhere the model may do worse.",
        "Intervals say what another sample of such rows would change, not what training again would.",
    ]
    sampling = subject.predictions.sampling
    if (said := sampling.weighted_words) is not None:
        cautions.append(said)
    if sampling.clustered:
        cautions.append(
            f"Rows of one cluster hang together: intervals rest on the {sampling.n:,} clusters, and n counts them; of "
            "shares n counts rows."
        )
    elif (
        n > ROWS
        and counts is None
        and said is None
        and any(metric.inference is None and not metric.rate for metric in subject.task.metrics)
    ):
        cautions.append(
            f"Of metrics that need resampling, {ROWS:,} of the {n:,} rows were resampled, and the intervals narrowed to what all "
            "rows give."
        )
    if reference is not None and reference.source == "held-out rows":
        cautions.append("The baseline was learnt from the held-out rows themselves, which flatters it.")
    return Method(
        summary=(
            "Every metric of the task was computed on the held-out rows. Shares of rows have an interval halfway between "
            "Clopper and Pearson's and Jeffreys', the balanced accuracy one recovered from those of its classes, means of losses "
            "and errors Student's after Hall's correction for skewness, areas under the ROC curve DeLong's on the logit scale; "
            "any other metric is resampled and studentized likewise. Where the rarer class has fewer than 5 rows, metrics "
            "that rest on it carry no interval. The gain over the baseline has a paired interval."
        ),
        parameters={
            "level": level,
            "replicates": replicates,
            "rows": n,
            "baseline": None if reference is None else reference.words,
            "seed": subject.seed,
        },
        references=(
            "Clopper, Pearson (1934): The use of confidence or fiducial limits illustrated in the case of the binomial",
            "Hall (1992): On the removal of skewness by transformation",
            "DeLong, DeLong, Clarke-Pearson (1988): Comparing the areas under two or more correlated ROC curves",
            "Vickers, Elkin (2006): Decision curve analysis: a novel method for evaluating prediction models",
            "Zou, Donner (2008): Construction of confidence limits about effect measures: a general approach",
        ),
        cautions=(*cautions, undrawn) if undrawn else tuple(cautions),
    )
