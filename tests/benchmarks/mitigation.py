"""Gap and accuracy before and after mitigations on real data, beside Fairlearn's own algorithms on the same rows.

Run it: `python tests/benchmarks/mitigation.py FOLDER [SET ...]`; FOLDER holds `acs_income`, `adult`, `compas`, `hmda_boston`.
With `--folds`, thresholds by group are judged on every row by five-fold cross-validation, and held against Fairlearn's in pairs.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import EqualizedOdds, ExponentiatedGradient
from sklearn.linear_model import LogisticRegression

import glassbench

Experiment = dict[str, Any]

RUNS: dict[str, list[Any]] = {
    "plain": [],
    "reweighing": ["reweighing"],
    "group-thresholds": ["group-thresholds"],
    "group-thresholds, randomized": [{"use": "group-thresholds", "randomized": True}],
    "exponentiated-gradient": [{"use": "exponentiated-gradient", "fits": 30}],
    "exponentiated-gradient + group-thresholds": [{"use": "exponentiated-gradient", "fits": 30}, "group-thresholds"],
}
DRAWS = 2_000
FOLDS = 5
FOLDED = ("plain", "group-thresholds", "group-thresholds, randomized")
THRESHOLDS = "Fairlearn ThresholdOptimizer"


def sets(folder: Path) -> dict[str, tuple[pd.DataFrame, Experiment]]:
    """Return each set's rows and what its data set is told."""
    compas = pd.read_csv(folder / "compas" / "compas_two_years_deid.csv.gz")
    compas = compas[compas["race"].isin(["African-American", "Caucasian"])]
    inputs = ["age", "sex", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count", "c_charge_degree"]
    adult = pd.concat([pd.read_csv(folder / "adult" / f"{part}.csv.gz") for part in ("train", "test")], ignore_index=True)
    acs = pd.read_csv(folder / "acs_income" / "acs_income_sample50k.csv.gz").drop(columns="index")
    hmda = pd.read_csv(folder / "hmda_boston" / "HMDA.csv.gz").drop(columns="rownames")
    answer, last = adult.columns[-1], acs.columns[-1]
    target = "PINCP" if "PINCP" in acs else last
    return {
        "hmda": (hmda, {"target": "deny", "sensitive": ["afam"]}),
        "compas": (compas[[*inputs, "race", "two_year_recid"]], {"target": "two_year_recid", "sensitive": ["race"]}),
        "adult": (adult, {"target": answer, "sensitive": ["sex"]}),
        "acs": (acs.astype({target: str, "SEX": str}), {"target": target, "sensitive": ["SEX"], "types": {"OCCP": "number"}}),
    }


def run_of(frame: pd.DataFrame, dataset: Experiment, mitigations: list[Any], runs: str) -> Any:
    """Return a run of a logistic regression with mitigations, judged by its performance alone."""
    experiment = {
        "name": "benchmark",
        "dataset": {"use": "table", **dataset},
        "task": "classification",
        "model": "logistic-regression",
        "mitigations": mitigations,
        "audits": ["performance"],
    }
    return glassbench.run(experiment, data=frame, runs=runs)


def figures(truth: np.ndarray, decided: np.ndarray, group: np.ndarray) -> dict[str, float]:
    """Return accuracy, equalized-odds gap and parity gap of decisions."""
    return {
        "accuracy": float((truth == decided).mean()),
        "equalized odds": float(equalized_odds_difference(truth, decided, sensitive_features=group)),
        "parity": float(demographic_parity_difference(truth, decided, sensitive_features=group)),
    }


def by_hand(run: Any, *, thresholds_alone: bool = False) -> dict[str, np.ndarray]:
    """Return the decisions of Fairlearn's own algorithms, as its documentation uses them, on the encoded rows of a run."""
    data, group = run._context.data, run._context.schema.sensitive[0]
    (train, fit), (held, true), (rows, _) = (
        (part.inputs[0].double().numpy(), part.target.numpy()) for part in (data.train, data.validation, data.test)
    )
    side, held_side, test_side = (part.groups[group].astype(str) for part in (data.train, data.validation, data.test))
    plain = LogisticRegression(**run.model.estimator.get_params()).fit(train, fit)
    optimizer = ThresholdOptimizer(estimator=plain, constraints="equalized_odds", prefit=True, predict_method="predict_proba")
    optimizer.fit(held, true, sensitive_features=held_side)
    thresholds = optimizer.predict(rows, sensitive_features=test_side, random_state=0)
    if thresholds_alone:
        return {THRESHOLDS: thresholds}
    gradient = ExponentiatedGradient(
        LogisticRegression(**plain.get_params()), EqualizedOdds(difference_bound=0.02), eps=0.02, max_iter=30
    )
    gradient.fit(train, fit, sensitive_features=side)
    return {
        THRESHOLDS: thresholds,
        "Fairlearn ExponentiatedGradient": gradient.predict(rows, random_state=0),
    }


def loss_interval(truth: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy lost, from resampling rows in pairs."""
    lost = (before == truth).astype(float) - (after == truth)
    draws = np.random.default_rng(0).integers(0, len(lost), (DRAWS, len(lost))) if len(lost) < 5_000 else None
    if draws is not None:
        ends = np.quantile(lost[draws].mean(axis=1), [0.025, 0.975])
        return float(ends[0]), float(ends[1])
    arm = 1.96 * lost.std() / np.sqrt(len(lost))
    return float(lost.mean() - arm), float(lost.mean() + arm)


def measured(name: str, frame: pd.DataFrame, dataset: Experiment) -> None:
    """Print a line of JSON for each algorithm on one set."""
    plain: np.ndarray | None = None
    truth, group = np.zeros(0), np.zeros(0)
    with tempfile.TemporaryDirectory() as runs:
        for label, mitigations in RUNS.items():
            run = run_of(frame, dataset, mitigations, runs)
            rows = pd.read_parquet(run.folder / "predictions.parquet")
            names = [str(c) for c in run._context.schema.target.classes]
            truth, decided = (rows[c].astype(str).map(names.index).to_numpy() for c in ("y_true", "y_pred"))
            group = rows[f"group.{dataset['sensitive'][0]}"].astype(str).to_numpy()
            plain = decided if plain is None else plain
            told(name, label, truth, plain, decided, group)
            found = by_hand(run) if label == "plain" else {}
            for own, choice in found.items():
                told(name, own, truth, plain, choice, group)


def told(name: str, label: str, truth: np.ndarray, plain: np.ndarray, decided: np.ndarray, group: np.ndarray) -> None:
    """Print one algorithm's figures."""
    low, high = loss_interval(truth, plain, decided)
    line = {"set": name, "rows": len(truth), "algorithm": label, **figures(truth, decided, group), "lost": [low, high]}
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}), flush=True)


def in_folds(name: str, frame: pd.DataFrame, dataset: Experiment) -> None:
    """Print a line of JSON for each algorithm on one set, judged on every row by cross-validation, and what sets two apart."""
    found: dict[str, list[tuple[np.ndarray, ...]]] = {}
    with tempfile.TemporaryDirectory() as runs:
        for fold in range(FOLDS):
            for label in FOLDED:
                run = run_of(frame, {**dataset, "fold": {"number": fold, "of": FOLDS}}, RUNS[label], runs)
                rows = pd.read_parquet(run.folder / "predictions.parquet")
                names = [str(c) for c in run._context.schema.target.classes]
                truth, decided = (rows[c].astype(str).map(names.index).to_numpy() for c in ("y_true", "y_pred"))
                group = rows[f"group.{dataset['sensitive'][0]}"].astype(str).to_numpy()
                found.setdefault(label, []).append((truth, decided, group))
                for own, choice in by_hand(run, thresholds_alone=True).items() if label == "plain" else ():
                    found.setdefault(own, []).append((truth, np.asarray(choice), group))
    whole = {label: [np.concatenate(part) for part in zip(*parts, strict=True)] for label, parts in found.items()}
    truth, plain, group = whole["plain"]
    for label, (_, decided, _) in whole.items():
        told(name, label, truth, plain, decided, group)
    for label in FOLDED[1:]:
        ends = apart(truth, group, whole[THRESHOLDS][1], whole[label][1])
        print(json.dumps({"set": name, "algorithm": label, "minus": THRESHOLDS, **ends}), flush=True)


def apart(truth: np.ndarray, group: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[str, list[float]]:
    """Return 95 % intervals of how far the second's accuracy and gap lie above the first's, from resampling rows in pairs."""
    sides = (group == np.unique(group)[0]).astype(int)
    counts = np.bincount(((sides * 2 + truth) * 2 + first) * 2 + second, minlength=16)
    drawn = np.random.default_rng(0).multinomial(len(truth), counts / counts.sum(), DRAWS).reshape(-1, 2, 2, 2, 2)
    numbers = [_accuracy_and_gap(drawn.sum(axis=axis)) for axis in (4, 3)]
    accuracy, gap = (after - before for before, after in zip(*numbers, strict=True))
    return {k: np.quantile(v, [0.025, 0.975]).round(4).tolist() for k, v in (("accuracy", accuracy), ("equalized odds", gap))}


def _accuracy_and_gap(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return accuracy and equalized-odds gap of counts `(draws, group, truth, decision)`."""
    accuracy = (drawn[:, :, 0, 0] + drawn[:, :, 1, 1]).sum(axis=1) / drawn.sum(axis=(1, 2, 3))
    rates = drawn[:, :, :, 1] / drawn.sum(axis=3)
    return accuracy, np.abs(rates[:, 0] - rates[:, 1]).max(axis=1)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    wanted = [argument for argument in sys.argv[2:] if not argument.startswith("--")]
    judge = in_folds if "--folds" in sys.argv else measured
    for chosen, (table, told_to) in sets(Path(sys.argv[1])).items():
        if not wanted or chosen in wanted:
            judge(chosen, table, told_to)
