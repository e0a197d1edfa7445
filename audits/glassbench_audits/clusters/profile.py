"""What sets each cluster apart, in a person's words and units."""

from dataclasses import dataclass

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.readable import in_its_unit
from glassbench.contracts.schema import Feature
from glassbench.stats.grade import Grade
from glassbench.stats.percent import in_percent
from glassbench_audits.clusters.effects import Effect, effect
from glassbench_audits.clusters.members import Members

SHOWN = 6
_HEAT = 16


@dataclass(frozen=True)
class Trait:
    """One feature of one cluster."""

    feature: Feature
    effect: Effect

    @property
    def clear(self) -> bool:
        """Whether the interval leaves no doubt about the direction."""
        return self.effect.low > 0 or self.effect.high < 0


def traits(members: Members, level: float) -> dict[str, tuple[Trait, ...]]:
    """Return the traits of each cluster, the strongest first; intervals hold for all clusters and features together."""
    wanted = max(1, len(members.names) * len(members.features))
    each = 1 - (1 - level) / wanted
    found = {}
    for k, name in enumerate(members.names):
        effects = [(feature, effect(values, members.codes == k, each)) for feature, values in members.features]
        known = [Trait(feature, e) for feature, e in effects if e is not None]
        found[name] = tuple(sorted(known, key=lambda trait: -abs(trait.effect.value)))
    return found


def profile_findings(members: Members, found: dict[str, tuple[Trait, ...]]) -> list[Finding]:
    """Return one sentence per cluster: how large it is and what sets it apart."""
    findings = []
    for name, size in zip(members.names, members.sizes, strict=True):
        clear = [trait for trait in found[name] if trait.clear][:3]
        said = "; ".join(_words(trait) for trait in clear) or "no feature sets it apart beyond chance"
        sentence = (
            f"{name.capitalize()} ({size} of {len(members.codes)} {members.unit}s, "
            f"{in_percent(size / len(members.codes))}): {said}."
        )
        grade: Grade = "ok" if clear else "unclear"
        findings.append(Finding(sentence=sentence, grade=grade, measures=(f"clusters.size[{name}]",), weight=0.6))
    return findings


def profile_table(found: dict[str, tuple[Trait, ...]], level: float) -> Table:
    """Return the strongest traits of each cluster."""
    rows = []
    for name, cluster in found.items():
        for trait in cluster[:SHOWN]:
            inside, outside = (_figure(trait, side) for side in (trait.effect.inside, trait.effect.outside))
            e = trait.effect
            rows.append((name, _label(trait), inside, outside, e.value, e.low, e.high, "yes" if trait.clear else "no"))
    return Table(
        title="What sets each cluster apart",
        columns=("cluster", "feature", "in it", "elsewhere", "effect", "low", "high", "clear"),
        rows=tuple(rows),
        note=(
            "Medians of numbers, shares of categories. The effect runs from -1 (always lower) over 0 (no difference) to 1 "
            f"(always higher); its {in_percent(level)} interval holds for all clusters and features at once."
        ),
    )


def profile_chart(found: dict[str, tuple[Trait, ...]]) -> Chart | None:
    """Return the effects as a map of clusters by features, the features that differ most first; None without features."""
    names = most_telling(found)[:_HEAT]
    if not names or len(found) < 2:
        return None
    rows = tuple(
        {"x": cluster, "y": trait.feature.name, "color": trait.effect.value, "size": f"{trait.effect.value:+.2f}"}
        for name in names
        for cluster, all_traits in found.items()
        for trait in all_traits
        if trait.feature.name == name
    )
    return Chart(
        kind="heat",
        title="Effect of each feature in each cluster",
        message=f"{names[0]} differs most between clusters; 1 means always higher than elsewhere, -1 always lower.",
        rows=rows,
        x_title="cluster",
        y_title="feature",
        section="Profiles",
    )


def _words(trait: Trait) -> str:
    e, name = trait.effect, trait.feature.name
    size = f"effect {e.value:+.2f} [{e.low:+.2f}, {e.high:+.2f}]"
    if e.category is not None:
        return f"{name} is “{e.category}” for {in_percent(e.inside)} (elsewhere {in_percent(e.outside)}; {size})"
    way = "high" if e.value > 0 else "low"
    return f"{way} {name}, {_figure(trait, e.inside)} (elsewhere {_figure(trait, e.outside)}; {size})"


def _label(trait: Trait) -> str:
    return trait.feature.name if trait.effect.category is None else f"{trait.feature.name}: {trait.effect.category}"


def _figure(trait: Trait, value: float) -> str:
    if trait.effect.category is not None:
        return in_percent(value)
    return in_its_unit(value, trait.feature)


def most_telling(found: dict[str, tuple[Trait, ...]]) -> tuple[str, ...]:
    """Return the features by their largest effect in any cluster, the most telling first."""
    strongest: dict[str, float] = {}
    for cluster in found.values():
        for trait in cluster:
            strongest[trait.feature.name] = max(strongest.get(trait.feature.name, 0.0), abs(trait.effect.value))
    return tuple(sorted(strongest, key=lambda name: -strongest[name]))
