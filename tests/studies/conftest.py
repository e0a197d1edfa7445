"""A small study that tests of studies vary."""

from collections.abc import Callable
from typing import Any

import pytest

EXPERIMENT: dict[str, Any] = {
    "name": "one",
    "dataset": {"use": "diabetes", "target": "class"},
    "task": "classification",
    "model": "logistic-regression",
    "audits": ["performance"],
}


@pytest.fixture(scope="session")
def small_study() -> Callable[..., dict[str, Any]]:
    """Makes a study of a small experiment that varies as told; keys of the experiment stand under `experiment`."""

    def made(vary: dict[str, Any], experiment: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
        return {
            "name": "small",
            "experiment": {**EXPERIMENT, **(experiment or {})},
            "vary": vary,
            "objectives": [{"measure": "performance.accuracy"}],
            **keys,
        }

    return made
