"""Randomness, determinism and threads while a model is fitted."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_SWITCHES = vars(torch.utils)["deterministic"]
"""Holds `fill_uninitialized_memory`, which type checkers do not see."""
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def seed_all(seed: int) -> None:
    """Seed Python, NumPy and PyTorch on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def reproducible(seed: int, *, deterministic: bool = True, threads: int | None = None) -> Iterator[None]:
    """Seed everything and set determinism and threads within a `with` block; leave all of it as it was found.

    Args:
        seed: Seed of Python, NumPy and PyTorch.
        deterministic: Refuse operations whose result changes from one call to the next.
        threads: Threads of PyTorch's CPU operations; None keeps PyTorch's own number.
    """
    python, numpy, before = random.getstate(), np.random.get_state(), torch.get_num_threads()
    with torch.random.fork_rng(), _deterministic(deterministic):
        try:
            torch.set_num_threads(threads or before)
            seed_all(seed)
            yield
        finally:
            torch.set_num_threads(before)
            random.setstate(python)
            np.random.set_state(numpy)


@contextmanager
def _deterministic(wanted: bool) -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill, workspace = _SWITCHES.fill_uninitialized_memory, os.environ.get(_CUBLAS)
    try:
        torch.use_deterministic_algorithms(wanted or before[0], warn_only=before[1] and not wanted)
        # Filling fresh memory guards against reading it before it is written; it costs time at every operation.
        _SWITCHES.fill_uninitialized_memory = False
        if wanted:
            os.environ.setdefault(_CUBLAS, ":4096:8")
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        _SWITCHES.fill_uninitialized_memory = fill
        if workspace is None:
            os.environ.pop(_CUBLAS, None)
