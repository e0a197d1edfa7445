"""Comparisons of runs: false alarms among all measures of equal models, power beside McNemar's test, and gates on a baseline run.

Two models of the same quality decide the same rows, or independent ones: every measure of performance and fairness that both hold
is compared as `glassbench runs compare` does. An alarm is any measure said to differ.

Run: python tests/calibration/comparison.py [--sets 300] [--power 2000] [--gates 400]; it prints docs/calibration.md's tables.
"""

import argparse
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import binom

from glassbench.contracts.evidence import Measure
from glassbench.contracts.recomputed import MeasureKey, Recomputed, joined
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.experiments.gates import Gate
from glassbench.runs.comparison.baseline import judge_against
from glassbench.runs.comparison.differences import RunDifferences, differences
from glassbench.runs.comparison.judged_run import key_of
from glassbench.runs.comparison.resamples import Resamples
from glassbench.stats.contrast import paired_share, standard_error
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_audits.fairness.recomputed import recomputed as fairness_again
from glassbench_audits.performance.audit import audit as performance
from glassbench_audits.performance.recomputed import recomputed as performance_again
from glassbench_plugins.predictions.tasks import GivenClasses
from glassbench_plugins.supervised.classification import Classification

TARGET = Target(name="outcome", kind="class", classes=("no", "yes"), positive="yes")
SCHEMA = Schema(modality="table", shape=(1,), features=(), target=TARGET, sensitive=("g",))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a pair of runs looks like.

    Args:
        groups: Rows of each group.
        skill: How far scores of positive rows lie above the others.
        alike: Correlation of the two models' scores.
        rate: Share of positive rows.
        visits: Rows of each cluster.
        weights: Standard deviation of the logarithm of survey weights; 0 for none.
    """

    groups: tuple[int, ...]
    skill: float = 1.5
    alike: float = 0.7
    rate: float = 0.4
    visits: int = 1
    weights: float = 0.0


SHAPES = {
    "2 groups of 100": Shape(groups=(100, 100)),
    "2 groups of 100, models nearly alike": Shape(groups=(100, 100), alike=0.98),
    "2 groups of 100, models unlike": Shape(groups=(100, 100), alike=0.0),
    "groups of 30, 60 and 300, rate .15": Shape(groups=(30, 60, 300), rate=0.15),
    "6 groups of 80, good models": Shape(groups=(80,) * 6, skill=3.0),
    "2 groups of 150, clusters of 3": Shape(groups=(150, 150), visits=3),
    "2 groups of 200, weights": Shape(groups=(200, 200), weights=0.7),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated:
    """Predictions with the measures that two audits give them."""

    subject: Subject
    name: str = "simulated"
    fingerprint: str = ""
    kept: dict[MeasureKey, Measure] = field(default_factory=dict)

    @property
    def frame(self) -> pd.DataFrame:
        return self.subject.predictions.frame

    @property
    def measures(self) -> dict[MeasureKey, Measure]:
        return self.kept

    def by_clock(self, measure: str) -> bool:
        """No measure is a time."""
        return False

    def recomputed(self, rows: np.ndarray | None = None) -> Recomputed:
        frame = self.frame if rows is None else self.frame.iloc[rows].reset_index(drop=True)
        subject = replace(self.subject, predictions=Predictions(frame=frame))
        return joined([performance_again(subject, {}), fairness_again(subject, {})])


def judged(frame: pd.DataFrame, *, intervals: bool = True) -> Simulated:
    """Return predictions with the measures of both audits, or with their values alone, which are enough on the same rows."""
    task = Classification() if "score.yes" in frame else GivenClasses()
    task.check(SCHEMA)
    subject = Subject(schema=SCHEMA, predictions=Predictions(frame=frame), task=task)
    if not intervals:
        return replace(bare := Simulated(subject=subject), kept=values(bare))
    results = (("performance", performance(subject, replicates=100)), ("fairness", fairness(subject, replicates=100)))
    found = {key_of(m): m for _, result in results for m in result.measures if not m.name.endswith(("_baseline", "_gain"))}
    return Simulated(subject=subject, kept=found)


def values(given: Simulated) -> dict[MeasureKey, Measure]:
    """Return the numbers and gaps of predictions as measures without intervals."""
    again, sampling = given.recomputed(), Sampling.of(given.frame)
    point = again.compute(sampling.weight[None])
    found = Resamples(recomputed=again, value=point[0], draws=point, sampling=sampling)
    numbers = {key: found.value[at] for key, at in found.numbers.items()}
    numbers |= {key: found.gap(gap) for key, gap in found.gaps.items()}
    return {key: _measure(key, float(value)) for key, value in numbers.items() if np.isfinite(value)}


def _measure(key: MeasureKey, value: float) -> Measure:
    name, by, group = key
    better = not any(word in name for word in ("difference", "false", "loss", "brier"))
    return Measure(name=name, value=value, by=by, group=None if group is None else dict(group), higher_is_better=better)


def drawn(shape: Shape, generator: np.random.Generator, start: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw rows and what two models of the same quality say of them; nothing depends on the group."""
    group = np.repeat(np.arange(len(shape.groups)), shape.groups)
    n = len(group)
    cluster = np.arange(n) // shape.visits
    truth = (generator.random(cluster.max() + 1) < shape.rate)[cluster]
    common = generator.normal(size=(cluster.max() + 1, 3))[cluster]
    own = generator.normal(size=(n, 3))
    noise = common if shape.visits == 1 else (common + own) / 2**0.5
    models = [shape.alike**0.5 * noise[:, 0] + (1 - shape.alike) ** 0.5 * noise[:, k] for k in (1, 2)]
    heavy = {"weight": generator.lognormal(0, shape.weights, n)} if shape.weights else {}
    rows = {"row": start + np.arange(n), "y_true": np.where(truth, "yes", "no"), "group.g": [f"g{k}" for k in group]}
    rows |= {"cluster": [f"c{start + k}" for k in cluster]} if shape.visits > 1 else {}
    frames = []
    for values in models:
        score = expit(shape.skill * (truth - 0.5) + values + logit(shape.rate))
        said = {"y_pred": np.where(score >= 0.5, "yes", "no"), "score.no": 1 - score, "score.yes": score}
        frames.append(pd.DataFrame({**rows, **said, **heavy}))
    return frames[0], frames[1]


def null(shape: Shape, sets: int, seed: int, *, same: bool) -> tuple[int, float]:
    """Return in how many sets equal models are said to differ in any measure, and how many measures are tested on average."""
    alarms, tests = 0, []
    for at in range(sets):
        found = compared(shape, np.random.default_rng([seed, at]), same=same)
        alarms += any(one.differs for one in found.measures)
        tests.append(found.tests)
    return alarms, float(np.mean(tests))


def compared(shape: Shape, generator: np.random.Generator, *, same: bool) -> RunDifferences:
    """Compare two equal models, on the same rows or on independent ones."""
    first, second = drawn(shape, generator)
    if not same:
        second = drawn(shape, generator, start=len(first))[1]
    return differences(judged(first, intervals=not same), judged(second, intervals=not same))


def mcnemar(only_first: int, only_second: int, *, mid: bool) -> float:
    """Return the exact two-sided p-value of McNemar's test, or its mid-p variant (Fagerland, Lydersen and Laake 2013)."""
    n, k = only_first + only_second, min(only_first, only_second)
    p = min(1.0, 2 * float(binom.cdf(k, n, 0.5)))
    return p - float(binom.pmf(k, n, 0.5)) if mid else p


def power(n: int, lost: float, won: float, sets: int, seed: int) -> tuple[float, float, float]:
    """Return how often accuracy is said to differ at 5 %: by this test, by McNemar's mid-p and by his exact test.

    Args:
        n: Rows.
        lost, won: Share of rows that the first, and that the second model alone gets right.
        sets: Simulated pairs.
        seed: Seed.
    """
    generator, hits = np.random.default_rng(seed), np.zeros(3)
    for _ in range(sets):
        b, c, _rest = generator.multinomial(n, [lost, won, 1 - lost - won])
        moved = np.repeat([-1.0, 1.0, 0.0], [b, c, n - b - c])
        sampling = Sampling(weight=np.ones(n))
        draws = np.concatenate([weights @ moved / n for weights in sampling.resampled(1000, np.random.default_rng(1))])
        own = paired_share(float(moved.mean()), standard_error(draws, n), n).p
        hits += np.array([own, mcnemar(b, c, mid=True), mcnemar(b, c, mid=False)]) <= 0.05
    share = hits / sets
    return float(share[0]), float(share[1]), float(share[2])


def gate_errors(shape: Shape, loss: float, measure: str, sets: int, seed: int) -> tuple[float, float]:
    """Return how often a gate passes a model that is worse by just its margin, and how often it fails one.

    Args:
        shape: The rows; the second model loses exactly the margin in truth.
        loss: The margin: the share of rows that the second model decides wrongly at random beyond the first.
        measure: `performance.accuracy`, of which it loses in every row, or a gap of accuracies, where one group alone loses.
        sets: Simulated pairs.
        seed: Seed.
    """
    verdicts = []
    gate = Gate(measure=measure, no_worse_than="base", margin=loss)
    for at in range(sets):
        generator = np.random.default_rng([seed, at])
        first, second = worse(shape, loss, generator, everywhere="difference" not in measure)
        verdicts.append(judge_against(gate, differences(judged(first, intervals=False), judged(second, intervals=False))).verdict)
    return verdicts.count("pass") / sets, verdicts.count("fail") / sets


def worse(shape: Shape, loss: float, generator: np.random.Generator, *, everywhere: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw a baseline that is right in 80 % of every group, and a model that is right in just so much less."""
    group = np.repeat(np.arange(len(shape.groups)), shape.groups)
    n = len(group)
    hard = generator.random(n)
    common = generator.random(n) < shape.alike
    least = np.where((group == 0) | everywhere, 0.2 + loss, 0.2)
    wrong = hard < 0.2, np.where(common, hard, generator.random(n)) < least
    truth = np.where(generator.random(n) < 0.5, "yes", "no")
    other = np.where(truth == "yes", "no", "yes")
    frames = []
    for missed in wrong:
        decided = np.where(missed, other, truth)
        rows = {"row": np.arange(n), "y_true": truth, "y_pred": decided, "group.g": [f"g{k}" for k in group]}
        scores = {f"score.{name}": np.where(decided == name, 0.9, 0.1) for name in TARGET.classes}
        frames.append(pd.DataFrame(rows | scores))
    return frames[0], frames[1]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--power", type=int, default=2000)
    parser.add_argument("--gates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--shapes", type=int, default=len(SHAPES), help="How many of the shapes of runs to draw.")
    given = parser.parse_args()
    for name, shape in list(SHAPES.items())[: given.shapes] if given.sets else ():
        for same in (True, False):
            alarms, tests = null(shape, given.sets, given.seed, same=same)
            words = "same rows" if same else "independent rows"
            print(f"| {name} | {words} | {tests:.0f} | {100 * alarms / given.sets:.1f} % |", flush=True)
    for n, lost, won in ((100, 0.05, 0.15), (300, 0.03, 0.08), (1000, 0.05, 0.075), (300, 0.08, 0.08)) if given.power else ():
        own, mid, exact = power(n, lost, won, given.power, given.seed)
        print(f"| {n} rows, {lost:.3g} against {won:.3g} | {own:.1%} | {mid:.1%} | {exact:.1%} |", flush=True)
    for alike in (0.0, 0.8) if given.gates else ():
        for measure in ("performance.accuracy", "fairness.accuracy_difference"):
            for groups in ((200, 200), (150,) * 5):
                shape = Shape(groups=groups, alike=alike)
                passed, failed = gate_errors(shape, 0.1, measure, given.gates, given.seed)
                print(f"| {measure}, groups {groups}, alike {alike} | {passed:.1%} | {failed:.1%} |", flush=True)


if __name__ == "__main__":
    main()
