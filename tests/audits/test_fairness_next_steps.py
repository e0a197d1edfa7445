"""What to do about a gap says where to look by the number that differs, and what to change by the kind of prediction."""

import numpy as np
import pytest

from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.rankings import Rankings
from glassbench_audits.fairness.audit import audit

SIDE = np.repeat(["l", "r"], 400)


def steps(subject, **settings):
    found = audit(subject, intersections=False, replicates=100, **settings).findings
    return {one.measures[0]: one.next_step for one in found if one.grade == "concern"}


def test_missed_rows_and_wrong_calls_are_looked_at_where_they_are(classification):
    generator = np.random.default_rng(3)
    truth = np.tile([0, 1], 400)
    missed = np.where((SIDE == "r") & (generator.random(800) < 0.5), 0, truth)
    called = np.where((SIDE == "l") & (generator.random(800) < 0.5), 1, truth)
    assert steps(classification(truth, missed, {"side": SIDE}))["fairness.false_negative_rate_difference"].startswith(
        "Look at the actual “1” rows of side “r” that were missed; then try “glassbench mitigate”"
    )
    assert steps(classification(truth, called, {"side": SIDE}))["fairness.false_positive_rate_difference"].startswith(
        "Look at the rows of side “l” wrongly called “1”; then"
    )


def test_a_gap_of_selection_asks_for_the_truth(classification):
    truth = np.where(SIDE == "l", 1, np.tile([0, 1], 400))
    found = steps(classification(truth, truth, {"side": SIDE}, favourable="1"))
    assert found["fairness.demographic_parity_difference"].startswith(
        "Check whether side “l” and side “r” differ as much in truth; then"
    )


def test_errors_of_values_have_no_mitigation_to_try(regression):
    generator = np.random.default_rng(1)
    truth = generator.normal(size=800)
    told = steps(regression(truth, truth + generator.normal(size=800) * np.where(SIDE == "l", 3, 0.5), {"side": SIDE}))
    step = told["fairness.mean_absolute_error_difference"]
    assert step == "Look at the worst rows of side “l”; then train with more rows like theirs, or give these more weight."


def test_each_kind_of_prediction_has_its_own_remedy(regression):
    schema = regression([0.0], [0.0], {}).schema
    found = {kind.remedy(schema) for kind in (PredictionKind(), Classes(), Actions(), Rankings())}
    assert len(found) == 4


@pytest.mark.parametrize("kind", [PredictionKind(), Classes(), Actions(), Rankings()])
def test_a_remedy_goes_on_a_sentence(kind, regression):
    words = kind.remedy(regression([0.0], [0.0], {}).schema)
    assert words[0].islower()
    assert not words.endswith(".")
