"""How often the interval of a study's winner holds its truth, where no candidate is better than another.

Each study has candidates of one and the same expected accuracy; runs of one seed judge the same rows, which are hard or easy for
all, so that candidates agree as models of one table do. Rows of different seeds are drawn anew (`anew`) or are the same
(`same`). A seed also moves a model's own accuracy, of some candidates three times as far; with one seed the truth is that of the
very model, so that nothing moves.

Run: python tests/calibration/winners.py [--studies 200] [--candidates 20] [--seed 0]; it takes seconds, and prints a table of
docs/calibration.md.
"""

import argparse

import numpy as np
from scipy.special import expit, ndtri

from glassbench.stats.best_of_many import Repeated, intervals_at_once
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import rate_interval


def study(
    candidates: int, rows: int, seeds: int, *, anew: bool, moved: float, uneven: float, generator: np.random.Generator
) -> tuple[list[Repeated], np.ndarray]:
    """Return the candidates of a study without a true difference, and the expected accuracy of each.

    Uneven seeds move an expected accuracy by less than .004.

    Args:
        candidates, rows, seeds: Their numbers.
        anew: Whether each seed judges rows of its own.
        moved: Standard deviation, in the logit, by which a seed moves a candidate's accuracy.
        uneven: How many times as far it moves the first quarter of the candidates.
        generator: What is drawn from.
    """
    grid = ndtri((np.arange(2000) + 0.5) / 2000)
    far = moved * np.where(np.arange(candidates) < candidates // 4, uneven, 1.0)
    truth = np.array([float(np.mean(expit(1.5 + np.hypot(1.2, sd) * grid))) for sd in far])
    hard = generator.normal(size=(1, rows)) if not anew else generator.normal(size=(seeds, rows))
    luck = moved * generator.normal(size=(candidates, seeds, 1))
    luck[: candidates // 4] *= uneven
    right = generator.random((candidates, seeds, rows)) < expit(1.5 + 1.2 * hard + luck)
    count = right.sum(axis=-1)
    low, high = rate_interval(count, np.full_like(count, rows))
    told = [
        Repeated(estimates=[Estimate.of(count[c, s] / rows, low[c, s], high[c, s], n=rows) for s in range(seeds)])
        for c in range(candidates)
    ]
    return told, truth


def main() -> None:
    """Print how often the winner's interval misses, below and above the truth, corrected and not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    generator = np.random.default_rng(asked.seed)
    print(f"{'rows':>5} {'seeds':>5} {'rows of seeds':>14} {'uneven':>7} {'corrected':>10} {'not corrected':>14}")
    for rows in (100, 400, 2000):
        for seeds, anew, uneven in ((1, False, 1), (3, False, 1), (5, False, 1), (3, True, 1), (5, True, 1), (5, True, 3)):
            moved = 0.0 if seeds == 1 else 0.15
            held = np.zeros(2)
            for _ in range(asked.studies):
                told, truth = study(asked.candidates, rows, seeds, anew=anew, moved=moved, uneven=uneven, generator=generator)
                best = int(np.argmax([one.value for one in told]))
                corrected, naive = intervals_at_once(told)[best], told[best].interval(0.95)
                assert corrected is not None
                assert naive is not None
                held += [low <= truth[best] <= high for low, high in (corrected, naive)]
            share = held / asked.studies
            print(
                f"{rows:>5} {seeds:>5} {'anew' if anew else 'same':>14} {uneven:>7} {share[0]:>10.1%} {share[1]:>14.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
