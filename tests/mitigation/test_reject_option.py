"""Uncertain decisions by group: against a table by hand, and in a run."""

import json

import numpy as np
import pandas as pd

import glassbench
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench_plugins.mitigation.reject_option import RejectOption

TARGET = Target(name="loan", kind="class", classes=("no", "yes"), positive="yes", favourable=("yes",))
SCHEMA = Schema(modality="table", shape=(1,), target=TARGET, sensitive=("sex",))


def predictions(score, sex, truth):
    score = np.array(score)
    frame = pd.DataFrame({"row": np.arange(len(score)), "score.no": 1 - score, "score.yes": score})
    frame["y_pred"] = np.where(score >= 0.5, "yes", "no")
    return Predictions(frame=frame.assign(y_true=truth, **{"group.sex": sex}))


def by_hand():
    """Women 40 rows of which 10 are selected, men 40 of which 20 are; 10 women lie .04 below one half, 10 men .06 above."""
    women = [0.9] * 10 + [0.46] * 10 + [0.1] * 20
    men = [0.9] * 10 + [0.56] * 10 + [0.1] * 20
    truth = ["yes"] * 15 + ["no"] * 25
    return predictions(women + men, ["f"] * 40 + ["m"] * 40, truth * 2)


def test_the_margin_is_the_smallest_that_makes_selection_alike():
    mitigation = RejectOption(tolerance=0.3, accuracy_loss=0.5)
    facts = mitigation.fit_decisions(by_hand(), SCHEMA)
    assert facts["margin"] == 0.0  # the gap of .25 is within the tolerance
    facts = RejectOption(tolerance=0.2, accuracy_loss=0.5).fit_decisions(by_hand(), SCHEMA)
    assert facts["favoured"] == [["f"]]
    assert 0.04 <= facts["margin"] < 0.046
    assert facts["uncertain"] == 10
    decided = RejectOption().decide(by_hand(), json.loads(json.dumps(facts))).frame
    rates = (decided["y_pred"] == "yes").groupby(decided["group.sex"]).mean()
    assert rates.to_dict() == {"f": 0.5, "m": 0.5}


def test_accuracy_that_would_be_lost_limits_it():
    truth = ["yes"] * 10 + ["no"] * 30 + ["yes"] * 20 + ["no"] * 20
    sure = predictions(by_hand().frame["score.yes"], ["f"] * 40 + ["m"] * 40, truth)
    assert RejectOption(tolerance=0.0, accuracy_loss=0.1).fit_decisions(sure, SCHEMA)["margin"] == 0.0


def test_a_gap_is_narrowed_in_a_run(table, experiment, tmp_path):
    plain = glassbench.run(experiment, data=table, runs=tmp_path)
    asked = {"use": "reject-option", "features": ["sex"], "accuracy_loss": 0.05}
    run = glassbench.run({**experiment, "mitigations": [asked]}, data=table, runs=tmp_path)

    def gap(each):
        name = "fairness.demographic_parity_difference"
        return next(m.value for m in each.measures if m.name == name and m.by == ("sex",) and m.group is None)

    assert gap(run) < gap(plain) / 2
    assert "within" in run.report.read_text()
