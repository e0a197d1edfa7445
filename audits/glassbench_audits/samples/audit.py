"""The audit of generated rows: a grid, what the class changes, which classes lack variety."""

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.generating import GeneratesRows
from glassbench.contracts.subject import Subject
from glassbench.stats.settings_types import Level, Replicates, Share
from glassbench_audits.samples import exhibits, findings
from glassbench_audits.samples.effect import effect
from glassbench_audits.samples.unlearnt import NEIGHBOURS, PERMUTATIONS
from glassbench_audits.samples.variety import DRAWS, lacking, recognised_share, variety


def audit(
    subject: Subject,
    *,
    noises: Replicates = 32,
    recognised: Share = 0.9,
    tolerance: Share = 0.1,
    alarm: Share = 0.05,
    level: Level = 0.95,
) -> AuditResult:
    """Show what a generative model makes of each class, what the class changes, and which classes lack variety.

    Args:
        subject: What is examined.
        noises: Noises that are tried under every class.
        recognised: The share of generated rows in which an independent classifier should see the wanted class.
        tolerance: By how much smaller coverage or recall of a class may be than with training rows in place of generated ones;
            and how much of their variety training rows may lack.
        alarm: Chance of calling any class less varied where none is: limit of the corrected p-values.
        level: Confidence level of the intervals.
    """
    if reason := subject.missing(("model", "predictions", "training data")):
        return _not_applicable(reason)
    made = subject.generated_output
    if made is None or not isinstance(subject.task, GeneratesRows):
        return _not_applicable("the task generates no rows of classes")
    seen = recognised_share(made.seen, made.wanted, level)
    found, varied, lacks = effect(subject, noises=noises, level=level), variety(subject, level), lacking(subject)
    return AuditResult(
        measures=tuple(exhibits.measures(subject, seen, found, varied, lacks)),
        findings=(
            *findings.findings(subject, seen, found, varied, recognised=recognised, tolerance=tolerance, alarm=alarm),
            *findings.unlearnt_findings(subject, lacks, tolerance, alarm),
        ),
        tables=(
            exhibits.variety_table(varied, level),
            exhibits.unlearnt_table(lacks),
            exhibits.effect_table(subject, found, level),
        ),
        charts=(exhibits.variety_chart(varied),),
        pictures=tuple(exhibits.pictures(subject, made, found)),
        method=_method(subject, noises, tolerance, alarm, level),
    )


def _method(subject: Subject, noises: int, tolerance: float, alarm: float, level: float) -> Method:
    return Method(
        summary="Held-out rows of each class are held against its generated rows in the features of an independent classifier: "
        "coverage counts those to which a generated row is nearer than their fifth nearest held-out row, recall those that lie "
        "no further from a generated row than its third nearest generated row. As many training rows of the class are put in the "
        f"place of generated ones, {DRAWS} times, to see what to expect: p is the share of draws that reach as little (Holm). "
        f"Whether training rows lack variety is asked of the {NEIGHBOURS} nearest neighbours of each held-out row among "
        f"held-out and training rows of its class: p is the share of {PERMUTATIONS} shuffles with as many held-out ones. "
        f"The same {noises} noises were put under every class: the mean over noises is what a class changes.",
        parameters={"noises": noises, "tolerance": tolerance, "alarm": alarm, "level": level, "seed": subject.seed},
        references=(
            "Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models",
            "Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models",
            "Schilling (1986), Multivariate two-sample tests based on nearest neighbors",
            "Holm (1979), A simple sequentially rejective multiple test procedure",
        ),
        cautions=(
            "The classifier learnt from the training rows: what it does not tell apart, no figure here shows.",
            "Intervals say what other held-out rows, or other noises, would change, not what training again would.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Rows that a model generates."), not_applicable=reason)
