"""Settings out of their range are refused at plan, with the likely fix."""

import pytest

from glassbench.errors import SettingsError
from glassbench.experiments.settings import settings_model, settle
from glassbench.registry import Registry

WRONG = {"integer": -3, "number": -0.5}


def _components():
    registry = Registry()
    kinds = ("audit", "model", "task", "trainer", "dataset")
    left_out = ("timm", "external-rows", "given-environment", "given-texts")  # one needs an extra, one only refuses
    return [c for kind in kinds for c in registry.of_kind(kind) if c.spec.name not in left_out]


@pytest.mark.parametrize("given", [95, 1.5, 0.2, -1])
def test_every_level_is_a_share(given):
    with_level = [c for c in _components() if "level" in settings_model(c.load()).model_fields]
    assert len(with_level) > 10
    for component in with_level:
        with pytest.raises(SettingsError) as caught:
            settle(component.load(), {"level": given}, "audits.x")
        if given == 95:
            assert "did you mean 0.95?" in str(caught.value)


def test_counts_and_sizes_below_zero_are_refused():
    """Of what has a bound at all; a bias, a seed, a reward or the entropy of a density may be negative."""
    may = {"seed", "bias", "evaluation_seed", "length_penalty", "stop_at", "penalty", "loss"}  # neither is bounded from below
    may.add("entropy_per_dimension")
    taken = []
    for component in _components():
        properties = settings_model(component.load()).model_json_schema().get("properties", {})
        for name in (n for n, schema in properties.items() if schema.get("type") in WRONG and n not in may):
            try:
                settle(component.load(), {name: WRONG[properties[name]["type"]]}, "x")
            except SettingsError:
                continue
            taken.append(f"{component.canonical}.{name}")
    assert taken == []
