"""The data audit: what is wrong with the rows?"""

from collections.abc import Callable

from threadpoolctl import threadpool_limits

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.readable import readable_rows
from glassbench.contracts.subject import Subject
from glassbench.rows.single_choices import ChoiceEvidence, put_together, single_choices
from glassbench.stats.settings_types import Count, Level, NonNegativeNumber, Share
from glassbench_audits.data.balance import examine_balance, examine_groups
from glassbench_audits.data.columns import examine_columns
from glassbench_audits.data.drift import examine_drift
from glassbench_audits.data.duplicates import examine_duplicates
from glassbench_audits.data.label_leakage import examine_label_leakage
from glassbench_audits.data.labels import examine_labels
from glassbench_audits.data.near_duplicates import examine_near_duplicates
from glassbench_audits.data.repeated_ids import examine_repeated_ids
from glassbench_audits.data.section import Section

_FEW = 20_000
"""Rows up to which models are fitted on one thread: on a busy machine several would wait for each other far longer."""


def audit(
    subject: Subject,
    *,
    duplicates: Share = 0.01,
    missing: Share = 0.2,
    label_errors: Share = 0.03,
    drift: NonNegativeNumber = 0.1,
    level: Level = 0.95,
    rows: Count = 5000,
    on_disk: Count = 5000,
) -> AuditResult:
    """Examine the training rows and the held-out rows, and compare them.

    Args:
        subject: What is examined.
        duplicates: Share of copied, nearly copied or conflicting rows that is let pass.
        missing: Share of missing values in a column that is let pass.
        label_errors: Share of contradicted labels, where a model is most certain, that is let pass.
        drift: Distance between the splits, 0 to 1, that is let pass.
        level: Confidence level of the drift's interval.
        rows: The most rows of either split that models are fitted to.
        on_disk: The most rows read from disk to be compared, where rows are not in memory.
    """
    train, held = subject.train, subject.predictions.source
    assert train is not None
    held = Split(inputs=(), rows=train.rows[:0]) if held is None else held
    known, seen = readable_rows(train, subject.schema), readable_rows(held, subject.schema)
    sections = [examine_columns(known, seen, missing), examine_repeated_ids(train, held, known, seen)]
    comparable = all(isinstance(split.inputs, tuple) or len(split) <= on_disk for split in (train, held))
    if comparable and len(held):
        sections.append(examine_duplicates(train, held, known, duplicates))
        draws = subject.generator("data.near_copies")
        sections.append(examine_near_duplicates(train, held, known, seen, subject.schema, draws, duplicates))
    with threadpool_limits(1 if rows <= _FEW else None, "openmp"):
        sections += [
            *_of_targets(subject, label_errors, rows),
            examine_drift(
                train,
                held,
                known,
                seen,
                subject.schema.target.name,
                subject.generator("data.drift"),
                tolerance=drift,
                level=level,
                rows=rows,
            ),
            *_balance(subject),
        ]
    return _together(
        sections,
        _method(
            subject,
            {"duplicates": duplicates, "missing": missing, "label_errors": label_errors, "drift": drift},
            rows,
            comparable=comparable,
        ),
    )


def _of_targets(subject: Subject, label_errors: float, rows: int) -> tuple[Section, ...]:
    """Return what gives the answer away and which labels look wrong: of several choices per row, of each by itself."""

    def examined(one: Subject) -> tuple[Section, ...]:
        train, held = one.train, one.predictions.source
        assert train is not None
        held = Split(inputs=(), rows=train.rows[:0]) if held is None else held
        known, seen = readable_rows(train, one.schema), readable_rows(held, one.schema)
        leakage = examine_label_leakage(train, held, known, seen, one.generator("data.label_leakage"))
        return leakage, examine_labels(one, label_errors, rows)

    return _one_by_one(subject, examined)


def _balance(subject: Subject) -> tuple[Section, ...]:
    """Return how common classes and groups are: of several choices per row, of each by itself."""

    def examined(one: Subject) -> tuple[Section, ...]:
        assert one.train is not None
        return (examine_balance(one.train, one.schema, one.generator("data.balance"), groups=one is subject),)

    found = _one_by_one(subject, examined)
    assert subject.train is not None
    return (*found, examine_groups(subject.train)) if len(subject.class_outputs) > 1 else found


def _one_by_one(subject: Subject, examined: Callable[[Subject], tuple[Section, ...]]) -> tuple[Section, ...]:
    choices = single_choices(subject)
    if not choices:
        return examined(subject)
    found = {
        name: ChoiceEvidence(
            findings=tuple(f for section in sections for f in section.findings),
            measures=tuple(m for section in sections for m in section.measures),
            tables=tuple(t for section in sections for t in section.tables),
            charts=tuple(c for section in sections for c in section.charts),
        )
        for name, one in choices.items()
        if (sections := examined(one))
    }
    whole = put_together(found, len(subject.class_outputs))
    return (Section(findings=whole.findings, measures=whole.measures, tables=whole.tables, charts=whole.charts),)


def _together(sections: list[Section], method: Method) -> AuditResult:
    return AuditResult(
        findings=tuple(f for c in sections for f in c.findings),
        measures=tuple(m for c in sections for m in c.measures),
        tables=tuple(t for c in sections for t in c.tables),
        charts=tuple(chart for c in sections for chart in c.charts),
        method=method,
    )


def _method(subject: Subject, tolerances: dict[str, float], rows: int, *, comparable: bool) -> Method:
    cautions = [
        "A label that looks wrong may be right and the row hard: where no input can tell the classes apart, labels contradict "
        "every model. A person must look.",
        "Equal rows need not be the same case; where features take few values, rows coincide by chance.",
    ]
    if subject.predictions.clusters is not None:
        cautions.append("Rows of one cluster hang together: tests count as many as would vary so much alone.")
    if not comparable:
        cautions.append("Rows lie on disk and are many: duplicates were not looked for.")
    return Method(
        summary=(
            "Rows are duplicates when they are equal in every column that does not number or name them; near-duplicates agree in "
            "all columns or all but one more often than other rows let expect, or lie nearer to a training row than its own "
            "neighbours do. Held-out rows are compared with training rows feature by feature (Kolmogorov-Smirnov, chi-square; "
            "Holm's correction), and by a classifier that tells them apart on rows it has not seen. A label is doubtful where "
            "logistic regression with boosted trees, cross-validated over both splits whichever model was trained, is most "
            "certain of another (confident learning). Labels that are missing in one group are told from a group that truly "
            "differs by models that learnt from the other rows, and logistic curves with a cap. Each column, each pair, and sums "
            "and products of numbers decide the held-out rows, to find what gives the answer away. A column that tells much of "
            "the answer, and goes with no other column among rows of one answer, may be the answer under noise; that is asked "
            "from 400 rows on."
        ),
        parameters={**tolerances, "rows": rows, "seed": subject.seed},
        references=(
            "Northcutt, Jiang, Chuang (2021): Confident learning, estimating uncertainty in dataset labels",
            "Barton, Lord (1981): An upper asymptote for the three-parameter logistic item-response model",
            "Levina, Bickel (2005): Maximum likelihood estimation of intrinsic dimension",
            "Lopez-Paz, Oquab (2017): Revisiting classifier two-sample tests",
            "DeLong, DeLong, Clarke-Pearson (1988): Comparing the areas under two or more correlated ROC curves",
            "Holm (1979): A simple sequentially rejective multiple test procedure",
        ),
        cautions=tuple(cautions),
    )
