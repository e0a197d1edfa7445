"""Near-duplicates among pictures, sounds, series and texts: rows much nearer to a training row than its further neighbours are.

A nearest row whose distance is an outlier among those of its neighbours is a copy of some kind. No threshold on a distance is
needed.
"""

from difflib import SequenceMatcher

import numpy as np
import torch
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from glassbench.contracts.data import Split
from glassbench_audits.data.near_rows import NearDuplicates
from glassbench_audits.data.neighbour_distances import BLOCK, neighbours, p_values

ALPHA, ALPHA_TEXT = 1e-5, 1e-3
"""A row is a near-copy where chance shows so small a distance more rarely than that; texts must also match in most characters."""

COMPONENTS, FITTED, BUCKETS = 64, 3000, 2048

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

    distance, nearest = neighbours(learnt, judged, distances)
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
    distance, nearest = neighbours(narrow[0], narrow[1], distances)
    chosen = p_values(distance) < ALPHA_TEXT
    for i in np.flatnonzero(chosen):
        chosen[i] = _edited(known[nearest[i]], seen[i])
    return _found(distance, nearest, chosen)


def _edited(text: str, other: str) -> bool:
    if text == other or len(other) < SHORTEST:
        return False
    return SequenceMatcher(None, text[:LONGEST], other[:LONGEST], autojunk=False).ratio() >= ALIKE


def _found(distance: np.ndarray, nearest: np.ndarray, chosen: np.ndarray) -> NearDuplicates:
    return NearDuplicates(examined=np.arange(len(distance)), held=np.flatnonzero(chosen), train=nearest[chosen])
