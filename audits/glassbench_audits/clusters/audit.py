"""The clusters audit: what each cluster is, whether it is really there, and who is in it."""

from collections.abc import Iterator

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.settings_types import Count, Level, Replicates, Share
from glassbench_audits.clusters import distances as far
from glassbench_audits.clusters import figures, groups, profile, prototypes, stability
from glassbench_audits.clusters.composition import Composition, compositions
from glassbench_audits.clusters.members import Members

_REFERENCES = (
    "Cliff (1993): Dominance statistics; intervals after Newcombe (2006)",
    "Hennig (2007): Cluster-wise assessment of cluster stability",
    "Chierichetti, Kumar, Lattanzi, Vassilvitskii (2017): Fair clustering through fairlets",
)


def audit(
    subject: Subject,
    *,
    level: Level = 0.95,
    resamples: Count = 20,
    replicates: Replicates = 1000,
    imbalance: Share = 0.1,
    examples: Count = 2,
) -> AuditResult:
    """Say what each cluster is, whether it comes back on other rows, and who is in it.

    Args:
        subject: What is examined.
        level: Confidence level of the intervals.
        resamples: How often the clustering is fitted again; 0 leaves stability out.
        replicates: Resamples behind the interval of the balance.
        imbalance: Largest difference between a group's share of a cluster and of the others that a finding lets pass.
        examples: Prototypes and borderline rows per cluster.
    """
    if not any(not output.selects for output in subject.class_outputs):
        return AuditResult(method=Method(summary="Not run."), not_applicable="the decisions are no clusters")
    members = Members(subject)
    if not members.names:
        return _no_clusters(members, level)
    reason = stability.unavailable(members) if resamples else "it was not asked for"
    found = None if reason else stability.resample(members, resamples)
    traits = profile.traits(members, level)
    by_feature, distances = compositions(members, level, replicates), far.distances(members, level)
    findings = [
        *(stability.stability_findings(members, found, level) if found else ()),
        *profile.profile_findings(members, traits),
        *(finding for each in by_feature if (finding := groups.composition_finding(members, each, imbalance))),
        *(finding for each in distances if (finding := far.distance_finding(each))),
    ]
    measures: list[Measure] = [
        *figures.size_measures(members, level),
        *(stability.stability_measures(members, found, level) if found else ()),
        *(m for each in by_feature for m in groups.composition_measures(members, each, level)),
        *(m for each in distances for m in far.distance_measures(each, level)),
    ]
    tables: list[Table] = [
        figures.size_table(members),
        *((profile.profile_table(traits, level),) if members.features else ()),
        prototypes.prototype_table(members, traits, examples),
        *(groups.composition_table(members, each) for each in by_feature),
        *(far.distance_table(each) for each in distances),
    ]
    return AuditResult(
        findings=tuple(_backed(findings, measures)),
        measures=tuple(measures),
        tables=tuple(tables),
        charts=tuple(_charts(members, traits, by_feature)),
        cases=prototypes.borderline_cases(members, examples),
        method=_method(members, level, resamples, replicates, imbalance, reason),
    )


def _charts(
    members: Members, traits: dict[str, tuple[profile.Trait, ...]], by_feature: tuple[Composition, ...]
) -> Iterator[Chart]:
    found = [
        figures.count_chart(members.subject.facts),
        figures.map_chart(members),
        profile.profile_chart(traits),
        *(groups.composition_chart(members, each) for each in by_feature),
    ]
    yield from (chart for chart in found if chart is not None)


def _backed(findings: list[Finding], measures: list[Measure]) -> Iterator[Finding]:
    """Yield findings whose measures are all there."""
    known = {measure.name for measure in measures}
    yield from (finding for finding in findings if set(finding.measures) <= known)


def _no_clusters(members: Members, level: float) -> AuditResult:
    sentence = f"None of the {len(members.codes)} held-out {members.unit}s is in a cluster: the model calls all of them noise."
    count = Measure(name="clusters.count", value=0.0, n=len(members.codes), level=level)
    step = "Loosen what the model calls a cluster, or choose another model."
    finding = Finding(sentence=sentence, grade="concern", measures=("clusters.count",), weight=1.0, next_step=step)
    return AuditResult(findings=(finding,), measures=(count,), method=Method(summary="Counted the clusters of held-out rows."))


def _method(members: Members, level: float, resamples: int, replicates: int, imbalance: float, unstable: str | None) -> Method:
    cautions = [
        "Clusters were formed from these very features: effects describe how clusters differ, they do not test that they do.",
        "Held-out rows were assigned by the model; a cluster none of them is in is not shown.",
    ]
    if unstable:
        cautions.append(f"Stability was not measured: {unstable}.")
    return Method(
        summary=(
            "Each feature of each cluster was compared with all other held-out rows. The clustering was fitted again to random "
            "four fifths of the training rows and its decisions compared with the model's; and to rows whose columns were "
            "shuffled apart, which have no clusters. Groups were shuffled among rows to see what chance makes of their shares."
        ),
        parameters={
            "level": level,
            "resamples": 0 if unstable else resamples,
            "replicates": replicates,
            "imbalance_allowed": imbalance,
            "rows": len(members.codes),
            "seed": members.subject.seed,
        },
        references=_REFERENCES,
        cautions=tuple(cautions),
    )
