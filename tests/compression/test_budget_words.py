"""The sentence on a budget of bytes: a model that fits and is worse is not called good."""

import pytest

from glassbench.report.compression_page import budget_sentence


def candidate(name, stored, verdicts, fits):
    parts = [{"feature": "sex", "group": group, "verdict": verdict, "gain": gain} for group, verdict, gain in verdicts]
    return {
        "name": name,
        "size": {"stored": stored},
        "fits": fits,
        "validation": {"metric": "accuracy", "value": 0.9},
        "parts": {"parts": [{**part, "kind": "group"} for part in parts]},
    }


@pytest.mark.parametrize(
    ("verdict", "ending"),
    [
        ("unclear", "Test rows took no part in the choice."),
        ("loses", "It is worse than the original for sex: women."),
    ],
)
def test_who_loses_by_the_chosen_model_is_said_beside_it(verdict, ending):
    chosen = candidate("pruned", 1000, [("women", verdict, -0.5), ("men", "kept", 0.0)], True)
    found = {"fit_in": 2048, "chosen": "pruned", "candidates": [chosen, candidate("int8", 9000, [], False)]}
    said = budget_sentence(found)
    assert said.startswith("1 of 2 models fit in 2.0 KiB; chosen is pruned, by the best accuracy on validation rows.")
    assert said.endswith(ending)
