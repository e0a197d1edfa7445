"""Concept activation vectors, and what chance does with concepts that nobody named."""

from dataclasses import dataclass

import numpy as np

RIDGE = 0.01
HELD = 0.99
"""Share of the layer's variance that random concepts are drawn from."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Space:
    """A layer's activations over the training rows, each unit in its standard deviations.

    Args:
        rows: The activations `(n, h)`.
        centre, spread: Mean and standard deviation of each unit `(h,)`; units that do not vary count as 0 throughout.
        whitening: From `rows` to directions that vary alike `(h, k)`.
        solver: From centred marks of rows to the normal of their ridge classifier `(h, n)`.
    """

    rows: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    whitening: np.ndarray
    solver: np.ndarray


def space_of(activations: np.ndarray) -> Space:
    """Return the space of a layer's activations `(n, h)`."""
    centre, spread = activations.mean(axis=0), activations.std(axis=0)
    varies = spread > 1e-12
    scaled = np.where(varies, (activations - centre) / np.where(varies, spread, 1), 0.0)
    left, sizes, right = np.linalg.svd(scaled, full_matrices=False)
    kept = max(1, int(np.searchsorted(np.cumsum(sizes**2), HELD * (sizes**2).sum())) + 1)
    solver = right.T * (sizes / (sizes**2 + RIDGE * len(scaled))) @ left.T
    whitening = right[:kept].T / np.maximum(sizes[:kept], 1e-12)
    return Space(rows=scaled, centre=centre, spread=np.where(varies, spread, 0.0), whitening=whitening, solver=solver)


def vectors(space: Space, marks: np.ndarray) -> np.ndarray:
    """Return the unit normals `(h, c)` of what tells marked rows from the rest, marks 0 or 1 `(n, c)`."""
    normals = space.solver @ (marks - marks.mean(axis=0))
    length = np.linalg.norm(normals, axis=0)
    unit: np.ndarray = normals / np.where(length > 0, length, 1.0)
    return unit


def random_concepts(space: Space, size: int, count: int, generator: np.random.Generator) -> np.ndarray:
    """Return marks `(n, count)` of concepts as large and as well represented in the layer as a named one, but random.

    Each holds the `size` rows that lie furthest along a random direction, all directions in which the layer varies alike likely.
    """
    along = space.rows @ space.whitening @ generator.standard_normal((space.whitening.shape[1], count))
    marks = np.zeros(along.shape)
    np.put_along_axis(marks, np.argsort(-along, axis=0, kind="stable")[:size], 1.0, axis=0)
    return marks


def derivatives(space: Space, gradients: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Return how each row's output changes one standard deviation along each vector, `(n, c)`, from gradients `(n, h)`."""
    change: np.ndarray = (gradients * space.spread) @ normals
    return change
