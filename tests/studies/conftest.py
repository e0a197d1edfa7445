import pytest

EXPERIMENT = {
    "name": "one",
    "dataset": {"use": "diabetes", "target": "class"},
    "task": "classification",
    "model": "logistic-regression",
    "audits": ["performance"],
}


@pytest.fixture(scope="session")
def small_study():
    """Makes a study of a small experiment that varies as told; keys of the experiment stand under `experiment`."""

    def made(vary, experiment=None, **keys):
        return {
            "name": "small",
            "experiment": {**EXPERIMENT, **(experiment or {})},
            "vary": vary,
            "objectives": [{"measure": "performance.accuracy"}],
            **keys,
        }

    return made
