"""The audit of proxies: whom the inputs, and what the model leans on, give away."""

from dataclasses import dataclass, replace
from typing import TypedDict

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, Level, Replicates, Share
from glassbench_audits.attribution.explained import Unexplainable
from glassbench_audits.proxies import exhibits, wording
from glassbench_audits.proxies.disparity import disparity
from glassbench_audits.proxies.found import Found, corrected
from glassbench_audits.proxies.groups import Groups, groups_of
from glassbench_audits.proxies.known import Inputs, Known, attributions_of, inputs_of
from glassbench_audits.proxies.proxy_features import cells_of, proxy_features
from glassbench_audits.proxies.separation import separation


class _Shared(TypedDict):
    permutations: int
    replicates: int
    level: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The audit's settings, as `audit` documents them."""

    rows: int
    permutations: int
    replicates: int
    level: float
    alarm: float

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name, least in {"rows": 20, "permutations": 19, "replicates": 1}.items():
            if getattr(self, name) < least:
                raise SettingsError(
                    f"{name} must be at least {least}", got=str(getattr(self, name)), where=f"audits.proxies.{name}"
                )
        for name in ("level", "alarm"):
            if not 0 < getattr(self, name) < 1:
                raise SettingsError(
                    f"{name} must lie between 0 and 1", got=str(getattr(self, name)), where=f"audits.proxies.{name}"
                )


def audit(
    subject: Subject,
    *,
    rows: Count = 1000,
    permutations: Count = 499,
    replicates: Replicates = 1000,
    level: Level = 0.95,
    alarm: Share = 0.05,
) -> AuditResult:
    """Find out whether sensitive features can be told from the inputs, or from what the model leans on.

    Args:
        rows: Rows behind each figure, at most.
        permutations: Shuffles of membership behind each p-value.
        replicates: Resamples of rows behind each interval.
        level: Confidence level of the intervals.
        alarm: Share of audits that may raise an alarm where there is no proxy: limit of the corrected p-values.
    """
    settings = Settings(rows=rows, permutations=permutations, replicates=replicates, level=level, alarm=alarm)
    if reason := subject.missing(("predictions", "groups")):
        return _not_applicable(reason)
    try:
        inputs = inputs_of(subject, settings.rows)
    except Unexplainable as refusal:
        return _not_applicable(refusal.problem)
    attributions, silent = _attributions(subject, settings)
    uncorrected = [
        _found(subject, settings, groups, inputs, attributions)
        for feature in inputs.members.columns
        if (groups := groups_of(str(feature), inputs.members[feature])) is not None
    ]
    if not uncorrected:
        return _not_applicable("no sensitive feature has two groups of enough rows")
    found = corrected(uncorrected)
    return AuditResult(
        measures=exhibits.measures(found, silent, settings.level),
        findings=wording.findings(found, settings.alarm),
        tables=exhibits.tables(found, settings.alarm, settings.level),
        charts=exhibits.charts(found),
        method=_method(settings, len(inputs.values), silent),
    )


def _attributions(subject: Subject, settings: Settings) -> tuple[Known | None, str | None]:
    """Return the attributions, or why there are none."""
    try:
        return attributions_of(subject, settings.rows), None
    except Unexplainable as refusal:
        return None, refusal.problem


def _found(subject: Subject, settings: Settings, groups: Groups, inputs: Inputs, attributions: Known | None) -> Found:
    generator = subject.generator(f"proxies.{groups.feature}")
    values = inputs.values[groups.rows]
    shared = _Shared(permutations=settings.permutations, replicates=settings.replicates, level=settings.level)
    mask = inputs.feature_groups.mask.flatten().numpy()
    cells = [cells_of(values[:, mask == unit]) for unit in range(len(inputs.names))]
    told = separation(values, groups, generator, **shared)
    carried = proxy_features(cells, groups, generator, permutations=settings.permutations) if cells else None
    held = None if attributions is None else groups_of(groups.feature, attributions.members[groups.feature])
    part = Found(groups=groups, names=inputs.names, told=told, carried=carried)
    if attributions is None or held is None:
        return part
    leaned = separation(attributions.values[held.rows], held, generator, **shared)
    differs = disparity(attributions.values[held.rows], held, generator, **shared) if attributions.names else None
    return replace(part, leaning=held, units=attributions.names, leaned=leaned, differs=differs)


def _method(settings: Settings, n: int, silent: str | None) -> Method:
    cautions = (
        "A proxy is no wrongdoing: it says that leaving a sensitive column out does not leave its information out.",
        "Not found is not absent: a weaker relation than the upper end of the interval may be there.",
        *((f"Attributions were not looked at: {silent}.",) if silent else ()),
    )
    return Method(
        summary="Kernel ridge regression, cross-fitted, tries to tell the groups of each sensitive feature apart: once from the "
        "encoded inputs, once from the attributions of the explanation audit's own method. The area under the ROC curve (a group "
        "against the rest, averaged) is compared with what it is when membership is shuffled; p-values are corrected by Holm's "
        "method over all features. Single inputs, and mean |attribution| per group, are compared with the largest of all "
        "shuffled ones.",
        parameters={
            "rows": n,
            "permutations": settings.permutations,
            "replicates": settings.replicates,
            "level": settings.level,
            "alarm": settings.alarm,
        },
        references=(
            "Feldman et al. (2015), Certifying and removing disparate impact: predictability of the protected attribute",
            "Westfall, Young (1993), Resampling-based multiple testing",
            "Holm (1979), A simple sequentially rejective multiple test procedure",
        ),
        cautions=cautions,
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Telling sensitive features from inputs and attributions."), not_applicable=reason)
