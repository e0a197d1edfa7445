"""Near-duplicates among pictures, sounds, series and texts: rows much nearer to a training row than its further neighbours are.

Where rows have a density, logarithms of a row's distances to its nearest training rows are order statistics of an exponential
distribution whose rate is the local dimension (Levina and Bickel 2005). A nearest row that is an outlier of that sample, the
rate estimated from the further neighbours, is a copy of some kind. No threshold on a distance is needed.
"""

from collections.abc import Callable
from difflib import SequenceMatcher

import numpy as np
import torch
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from glassbench.contracts.data import Split
from glassbench_audits.data.near_rows import NearDuplicates

NEIGHBOURS, LEFT_OUT = 60, 12
"""Neighbours whose distances are compared; the nearest ones of them may be duplicates themselves and tell no dimension."""

MORE = 30
"""Further neighbours by principal components, among which the nearest are looked for."""

ALPHA, ALPHA_TEXT = 1e-5, 1e-3
"""A row is a near-copy where chance shows so small a distance more rarely than that; texts must also match in most characters."""

WIDEST_DIMENSION = 50.0
"""The local dimension is at most so large."""

COMPONENTS, FITTED, BUCKETS, BLOCK = 64, 3000, 2048, 512

SHORTEST, LONGEST = 20, 500
"""Characters below which a text is too short for a small edit, and beyond which it is cut."""

ALIKE = 0.8
"""Share of the characters of two texts that match in order, from which one is an edit of the other."""

EQUAL = 1e-6
"""Distance of normed values below which rows are equal."""


def sketched(split: Split, part: np.ndarray) -> np.ndarray | None:
    """Return each row's values with mean 0 and length 1, `(n, width)`; None where rows are not numbers of one shape.

    Wide rows are summed into random buckets with random signs (a count sketch), which preserves distances.
    """
    first = split.batch(torch.as_tensor(part[:1])).inputs
    if len(first) != 1 or not first[0].is_floating_point() or first[0].numel() < 2:
        return None
    width, found = first[0].numel(), []
    draws = torch.Generator().manual_seed(0)
    bucket = torch.randint(BUCKETS, (width,), generator=draws)
    sign = 2.0 * torch.randint(2, (width,), generator=draws) - 1
    for start in range(0, len(part), BLOCK):
        batch = split.batch(torch.as_tensor(part[start : start + BLOCK])).inputs[0]
        flat = torch.nan_to_num(batch.detach().cpu().float().flatten(1))
        flat = flat - flat.mean(dim=1, keepdim=True)
        flat = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)
        found.append(flat if width <= BUCKETS else torch.zeros(len(flat), BUCKETS).index_add_(1, bucket, flat * sign))
    return np.asarray(torch.cat(found).numpy())


def near_vectors(known: np.ndarray, seen: np.ndarray) -> NearDuplicates:
    """Find rows of `seen` that are near-duplicates of rows of `known`, by their principal components; equal rows are none.

    Args:
        known, seen: Normed values of training and held-out rows `(n, width)` and `(m, width)`.
    """
    fitted = known[np.random.default_rng(0).permutation(len(known))[:FITTED]]
    size = min(COMPONENTS, *fitted.shape)
    axes = PCA(size, svd_solver="randomized", random_state=0).fit(fitted)
    learnt, judged = (axes.transform(part).astype(np.float32) for part in (known, seen))

    def distances(row: int, others: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(learnt[others].astype(np.float64) - judged[row], axis=1))

    distance, nearest = _neighbours(learnt, judged, distances)
    equal = np.linalg.norm(known[nearest] - seen, axis=1) < EQUAL
    return _found(distance, nearest, (p_values(distance) < ALPHA) & ~equal)


def near_texts(known: list[str], seen: list[str]) -> NearDuplicates:
    """Find texts of `seen` that are small edits of texts of `known`, by sequences of characters; equal texts are none."""
    words = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=2**18, alternate_sign=False, norm=None)
    counts = [words.transform([text[:LONGEST] for text in texts]) for texts in (known, seen)]
    weights = TfidfTransformer(sublinear_tf=True).fit(counts[0])
    learnt, judged = (weights.transform(part).tocsr().astype(np.float32) for part in counts)
    size = min(COMPONENTS, len(known) - 1)
    axes = TruncatedSVD(size, n_iter=2, random_state=0).fit(learnt[np.random.default_rng(0).permutation(len(known))[:FITTED]])

    def distances(row: int, others: np.ndarray) -> np.ndarray:
        alike = (learnt[others] @ judged[row].T).toarray().ravel()
        return np.asarray(np.sqrt(np.maximum(0.0, 2 - 2 * alike.astype(np.float64))))

    narrow = [axes.transform(part).astype(np.float32) for part in (learnt, judged)]
    distance, nearest = _neighbours(narrow[0], narrow[1], distances)
    chosen = p_values(distance) < ALPHA_TEXT
    for i in np.flatnonzero(chosen):
        chosen[i] = _edited(known[nearest[i]], seen[i])
    return _found(distance, nearest, chosen)


def _edited(text: str, other: str) -> bool:
    if text == other or len(other) < SHORTEST:
        return False
    return SequenceMatcher(None, text[:LONGEST], other[:LONGEST], autojunk=False).ratio() >= ALIKE


def p_values(distances: np.ndarray) -> np.ndarray:
    """Return the chance that the nearest row of each is as near, given its further neighbours.

    Args:
        distances: Distances to the nearest rows, ascending `(m, k)`.
    """
    spread = np.log(distances[:, -1:] / np.maximum(distances, 1e-12))
    kept = distances.shape[1] - 1 - LEFT_OUT
    total = spread[:, LEFT_OUT:-1].sum(axis=1) + LEFT_OUT * spread[:, LEFT_OUT]
    total = np.maximum(total, kept / WIDEST_DIMENSION)
    return np.asarray(np.minimum(1.0, LEFT_OUT * (1 + (spread[:, 0] - spread[:, LEFT_OUT]) / total) ** -float(kept)))


def _neighbours(
    known: np.ndarray, seen: np.ndarray, distances: Callable[[int, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's distances to its nearest training rows, ascending, and the nearest; candidates by components."""
    count = min(NEIGHBOURS, len(known) - 1)
    wide = min(count + MORE, len(known) - 1)
    squares, found, nearest = (known**2).sum(axis=1), [], []
    for start in range(0, len(seen), BLOCK):
        apart = squares[None] - 2 * seen[start : start + BLOCK] @ known.T
        candidates = np.argpartition(apart, wide, axis=1)[:, : wide + 1]
        for i, others in enumerate(candidates):
            distance = distances(start + i, others)
            order = np.argsort(distance, kind="stable")
            found.append(distance[order[: count + 1]])
            nearest.append(others[order[0]])
    return np.array(found), np.array(nearest)


def _found(distance: np.ndarray, nearest: np.ndarray, chosen: np.ndarray) -> NearDuplicates:
    return NearDuplicates(examined=np.arange(len(distance)), held=np.flatnonzero(chosen), train=nearest[chosen])
