"""Checks of LightGBM's text file before the library reads it: what is malformed would end the whole process."""

import re
from collections.abc import Iterator

import lightgbm

_LISTS = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_CATEGORICAL = 1
"""The bit of `decision_type` that says that a split is of categories; its threshold is the number of the set."""


def check_lightgbm_file(text: str, *, features: int, outputs: int) -> None:
    """Make sure that a text is a model file of the installed LightGBM whose trees are trees.

    Args:
        text: The file.
        features: How many columns the model reads.
        outputs: How many trees a round has.

    Raises:
        ValueError: It is not; the message is one sentence.
    """
    head, *trees = text.partition("\nend of trees\n")[0].split("\nTree=")
    if not head.startswith("tree\n") or "\nend of trees\n" not in text:
        raise ValueError("it is no whole model file of LightGBM")
    facts = _fields(head)
    ours = f"v{lightgbm.__version__.partition('.')[0]}"
    if facts.get("version") != ours:
        raise ValueError(f"it has the format {facts.get('version')}, and LightGBM {lightgbm.__version__} writes {ours}")
    if facts.get("max_feature_idx") != str(features - 1) or facts.get("num_tree_per_iteration") != str(outputs):
        raise ValueError("it is of other columns or classes than the model")
    sizes = _numbers(facts, "tree_sizes")
    blocks = ["Tree=" + tree for tree in trees]
    if len(sizes) != len(blocks) or len(blocks) % outputs:
        raise ValueError("it does not hold as many trees as it says")
    start = len(head.encode()) + 1
    whole = text.encode()
    for place, (block, size) in enumerate(zip(blocks, sizes, strict=True)):
        if not whole[start : start + int(size)].startswith(f"Tree={place}\n".encode()):
            raise ValueError(f"tree {place} does not stand where the file says")
        start += int(size)
        if not _is_tree(_fields(block), features):
            raise ValueError(f"tree {place} is no tree of {features} columns")


def _is_tree(fields: dict[str, str], features: int) -> bool:
    try:
        leaves = int(fields["num_leaves"])
        if leaves < 1 or len(_numbers(fields, "leaf_value")) != leaves or fields.get("is_linear", "0") != "0":
            return False
        if leaves == 1:
            return True
        split, threshold, kinds, left, right = (_numbers(fields, name) for name in _LISTS)
        if {len(split), len(threshold), len(kinds), len(left), len(right)} != {leaves - 1}:
            return False
        if not all(0 <= feature < features for feature in split):
            return False
        children = [*left, *right]
        down = all(child < 0 or child > place for side in (left, right) for place, child in enumerate(side))
        if not down or sorted(children) != [*range(-leaves, 0), *range(1, leaves - 1)]:
            return False
        return _sets_fit(fields, [int(t) for t, kind in zip(threshold, kinds, strict=True) if int(kind) & _CATEGORICAL])
    except (KeyError, ValueError, OverflowError):
        return False


def _sets_fit(fields: dict[str, str], used: list[int]) -> bool:
    """Whether the sets of categories that splits name are in the file."""
    sets = int(fields["num_cat"])
    if sets == 0:
        return not used
    bounds, words = _numbers(fields, "cat_boundaries"), _numbers(fields, "cat_threshold")
    rising = bounds == sorted(bounds)
    return len(bounds) == sets + 1 and bounds[0] == 0 and rising and bounds[-1] == len(words) and all(0 <= u < sets for u in used)


def _fields(block: str) -> dict[str, str]:
    return dict(_pairs(block))


def _pairs(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, equal, value = line.partition("=")
        if equal:
            yield name, value


def _numbers(fields: dict[str, str], name: str) -> list[float]:
    texts = fields.get(name, "").split()
    if not all(re.fullmatch(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf|nan)", text) for text in texts):
        raise ValueError(f"{name} holds something else than numbers")
    return [float(text) for text in texts]
