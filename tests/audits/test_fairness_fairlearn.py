"""Every point value that Fairlearn defines too is Fairlearn's, to the last bit."""

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench_audits.fairness.audit import audit

RATES = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": lambda t, p: skm.precision_score(t, p, zero_division=0),
    "false_discovery_rate": lambda t, p: skm.precision_score(1 - t, p, zero_division=0),
    "false_omission_rate": lambda t, p: skm.precision_score(t, 1 - p, zero_division=0),
    "selection_rate[0]": lambda t, p: fl.selection_rate(t, p, pos_label=0),
    "accuracy": skm.accuracy_score,
}
GAPS = {
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equalized_odds_ratio": fl.equalized_odds_ratio,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
    "equal_opportunity_ratio": fl.equal_opportunity_ratio,
}
TRUTH = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
DECISION = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
GROUP = list("bbabbcccaacabccbcc")

rows = st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abcd"), st.sampled_from("xy")), min_size=2, max_size=60)


@settings(max_examples=15, deadline=None)
@given(rows)
def test_random_frames(classification, drawn):
    truth, decision, first, second = (np.array(part) for part in zip(*drawn, strict=True))
    _compare(classification, truth.astype(int), decision.astype(int), pd.DataFrame({"g": first, "h": second}))


def test_eighteen_rows(classification):
    found = _compare(classification, np.array(TRUTH), np.array(DECISION), pd.DataFrame({"g": GROUP}))
    rates = {
        name: [found[f"fairness.{name}", ("g",), (g,)].value for g in "abc"]
        for name in ("true_positive_rate", "false_positive_rate", "selection_rate")
    }
    assert rates["true_positive_rate"] == pytest.approx([0.5, 0.6, 0.4])
    assert rates["false_positive_rate"] == pytest.approx([1, 0, 2 / 3])
    assert rates["selection_rate"] == pytest.approx([0.75, 0.5, 0.5])
    assert found["fairness.demographic_parity_ratio", ("g",), None].value == pytest.approx(2 / 3)


def test_compas(classification, shared_data):
    path = shared_data / "compas" / "compas_two_years_deid.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path.name}")
    table = pd.read_csv(path)
    found = _compare(
        classification, table["two_year_recid"].to_numpy(), (table["score_text"] != "Low").to_numpy().astype(int), table[["race"]]
    )
    published = {
        "African-American": (3696, 44.85, 27.99, 62.97),
        "Caucasian": (2454, 23.45, 47.72, 59.13),
        "Hispanic": (637, 21.48, 55.60, 54.21),
        "Other": (377, 14.75, 67.67, 54.43),
        "Asian": (32, 8.70, 33.33, 75.00),
        "Native American": (18, 37.50, 10.00, 75.00),
    }
    names = ("false_positive_rate", "false_negative_rate", "precision")
    for race, (n, *expected) in published.items():
        measured = [100 * found[f"fairness.{name}", ("race",), (race,)].value for name in names]
        assert measured == pytest.approx(expected, abs=0.005)
        assert found["fairness.selection_rate", ("race",), (race,)].n == n
    gaps = ("demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference")
    assert [found[f"fairness.{g}", ("race",), None].value for g in gaps] == pytest.approx(
        [0.457118, 0.314324, 0.576692], abs=1e-6
    )
    large = [found[f"fairness.{g}_without_small", ("race",), None].value for g in gaps]
    assert large == pytest.approx([0.378654, 0.356253, 0.396839], abs=1e-6)


def test_values(regression):
    generator = np.random.default_rng(0)
    truth, group = generator.normal(50, 20, 300), generator.choice(list("abc"), 300)
    decision = truth + generator.normal(3, 10, 300)
    metrics = {"mean_prediction": fl.mean_prediction, "mean_absolute_error": skm.mean_absolute_error, "r2": skm.r2_score}
    frame = fl.MetricFrame(metrics=metrics, y_true=truth, y_pred=decision, sensitive_features=group)
    found = _by_key(audit(regression(truth, decision, pd.DataFrame({"g": group})), replicates=50))
    for name in metrics:
        measured = [found[f"fairness.{name}", ("g",), (g,)].value for g in "abc"]
        assert measured == pytest.approx(frame.by_group[name].tolist(), rel=1e-10)
        assert found[f"fairness.{name}_difference", ("g",), None].value == pytest.approx(frame.difference()[name], rel=1e-10)
        assert found[f"fairness.{name}", None, None].value == pytest.approx(frame.overall[name], rel=1e-10)


def _compare(classification, truth, decision, groups):
    """Hold every measure against Fairlearn's where both are defined; return ours by name, features and group."""
    found = _by_key(audit(classification(truth, decision, groups), replicates=20))
    for by in dict.fromkeys(by for _, by, group in found if by is not None and group is None):
        sensitive = groups[list(by)]
        frame = fl.MetricFrame(metrics=RATES, y_true=truth, y_pred=decision, sensitive_features=sensitive)
        for (name, features, group), measure in found.items():
            if features == by and group is not None and measure.value is not None:
                key = group[0] if len(group) == 1 else group
                assert measure.value == frame.by_group.loc[key, name.removeprefix("fairness.")]
        for name, reference in GAPS.items():
            measure = found[f"fairness.{name}", by, None]
            if measure.value is not None and _defined(found, name, by):
                expected = reference(truth, decision, sensitive_features=sensitive)
                # Where a ratio of 0 to 0 takes part Fairlearn's own value hangs on the order of the rates.
                assert measure.value == expected or np.isnan(expected)
    return found


def _defined(found, gap, by):
    """Whether no group's rate behind a gap has an empty denominator, for which Fairlearn says 0."""
    behind = {
        "demographic": ("selection_rate",),
        "equalized": ("true_positive_rate", "false_positive_rate"),
        "equal": ("true_positive_rate",),
    }[gap.partition("_")[0]]
    return all(
        m.value is not None
        for (name, features, group), m in found.items()
        if features == by and group is not None and name.removeprefix("fairness.") in behind
    )


def _by_key(result):
    return {(m.name, m.by, None if m.group is None else tuple(m.group.values())): m for m in result.measures}
