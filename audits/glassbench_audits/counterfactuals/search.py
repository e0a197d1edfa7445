"""The nearest change that flips a decision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench_audits.counterfactuals.asking import Answers
from glassbench_audits.counterfactuals.options import Options

Ask = Callable[[Tensor, np.ndarray], Answers]
"""From changed rows `(n, d)` and the row behind each `(n,)` to what is decided of them."""

Choice = tuple[tuple[int, int], ...]
"""Which inputs change, and to which of their options: pairs in order of the inputs."""

BEAM = 8
COARSE, FINE = 12, 48


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """A change that flips a decision.

    Args:
        choice: Which inputs change, and to which of their options.
        distance: Sum over the changed inputs: of numbers in standard deviations, of categories 1 each.
        decision: What is decided then.
    """

    choice: Choice
    distance: float
    decision: str


def search(ask: Ask, rows: Tensor, options: Sequence[Options], *, most: int) -> dict[int, Change]:
    """Return for each row `(n, d)` that can be flipped the change of the fewest inputs, and the nearest found among those.

    One input at a time, then two and so on, keeping the eight changes that come closest to a flip (a beam); numbers on a grid of
    training values first, then as near to the row as the decision allows. With one input this is exhaustive on the grid.

    Args:
        ask: Asks the model.
        rows: The rows.
        options: What each input that may change could be.
        most: Most inputs changed together.
    """
    fine = [one.some(FINE) for one in options]
    coarse = [one.some(COARSE) for one in fine]
    beams: dict[int, list[Choice]] = {row: [()] for row in range(len(rows))}
    found: dict[int, Change] = {}
    for _ in range(most):
        open_rows = {row: beams[row] for row in beams if row not in found}
        if not open_rows:
            break
        found |= _step(ask, rows, coarse, open_rows, beams)
    exact = {row: _translated(change, coarse, fine) for row, change in found.items()}
    return _refined(ask, rows, fine, exact)


def changed(rows: Tensor, options: Sequence[Options], chosen: Sequence[tuple[int, Choice]]) -> Tensor:
    """Return rows with their inputs changed as chosen `(len(chosen), d)`."""
    result = rows[torch.as_tensor([row for row, _ in chosen], dtype=torch.int64)].clone()
    for place, (_, choice) in enumerate(chosen):
        for unit, option in choice:
            result[place, options[unit].columns] = options[unit].values[option].to(result.dtype)
    return result


def distance(row: Tensor, options: Sequence[Options], choice: Choice) -> float:
    """Return how far a change takes an encoded row `(d,)`."""
    return float(sum(options[unit].distances(row[options[unit].columns])[option] for unit, option in choice))


def _step(
    ask: Ask, rows: Tensor, options: Sequence[Options], beams: Mapping[int, list[Choice]], kept: dict[int, list[Choice]]
) -> dict[int, Change]:
    """Widen every beam by one changed input, in one call of the model; return what flipped, and keep the most promising."""
    chosen = [(row, choice) for row, beam in beams.items() for choice in _wider(rows[row], options, beam)]
    if not chosen:
        return {}
    answers = ask(changed(rows, options, chosen), np.array([row for row, _ in chosen]))
    by_row: dict[int, list[int]] = {}
    for place, (row, _) in enumerate(chosen):
        by_row.setdefault(row, []).append(place)
    found = {}
    for row, places in by_row.items():
        flips = [place for place in places if answers.flipped[place]]
        if flips:
            apart = {place: distance(rows[row], options, chosen[place][1]) for place in flips}
            best = min(flips, key=apart.__getitem__)
            found[row] = Change(choice=chosen[best][1], distance=apart[best], decision=str(answers.decisions[best]))
        else:
            kept[row] = [chosen[place][1] for place in sorted(places, key=lambda p: float(answers.margin[p]))[:BEAM]]
    return found


def _wider(row: Tensor, options: Sequence[Options], beam: Sequence[Choice]) -> list[Choice]:
    wider: dict[Choice, None] = {}
    for choice in beam:
        taken = {unit for unit, _ in choice}
        for unit, one in enumerate(options):
            if unit not in taken:
                away = one.distances(row[one.columns])
                wider.update({tuple(sorted((*choice, (unit, int(o))))): None for o in np.flatnonzero(away > 0)})
    return list(wider)


def _translated(change: Change, coarse: Sequence[Options], fine: Sequence[Options]) -> Change:
    """Return the same change in terms of the finer options, which hold the coarse ones."""
    choice = tuple(
        (unit, int((fine[unit].values - coarse[unit].values[option]).abs().sum(dim=1).argmin())) for unit, option in change.choice
    )
    return Change(choice=choice, distance=change.distance, decision=change.decision)


def _refined(ask: Ask, rows: Tensor, options: Sequence[Options], found: Mapping[int, Change]) -> dict[int, Change]:
    """Return changes whose inputs, one after the other, are as near to the row as the flip allows."""
    current = {row: change.choice for row, change in found.items()}
    best: dict[int, Change] = {}
    for turn in range(2 * max((len(choice) for choice in current.values()), default=0)):
        chosen = [(row, choice) for row in current for choice in _nearer(rows[row], options, current[row], turn)]
        answers = ask(changed(rows, options, chosen), np.array([row for row, _ in chosen]))
        for place, (row, choice) in enumerate(chosen):
            if answers.flipped[place]:
                apart = distance(rows[row], options, choice)
                if row not in best or apart < best[row].distance:
                    best[row] = Change(choice=choice, distance=apart, decision=str(answers.decisions[place]))
        current = {row: best[row].choice if row in best else choice for row, choice in current.items()}
    return best


def _nearer(row: Tensor, options: Sequence[Options], choice: Choice, turn: int) -> list[Choice]:
    """Return the choice itself and every other option of one of its inputs, whose turn it is."""
    unit, option = choice[turn % len(choice)]
    away = options[unit].distances(row[options[unit].columns])
    rest = tuple(pair for pair in choice if pair[0] != unit)
    others = [int(o) for o in np.flatnonzero(away > 0) if o != option]
    return [choice, *(tuple(sorted((*rest, (unit, o)))) for o in others)]
