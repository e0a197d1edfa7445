"""Gap and accuracy before and after mitigations of three classes on real data, every row judged once by cross-validation.

Of Fairlearn's algorithms only `CorrelationRemover` serves more than two classes; it stands beside ours, by hand on the encoded
rows of the same run. The gap is that of the class with the widest one: of selection rates (demographic parity), and of true
and false positive rates of each class against the rest (equalized odds). Intervals are over rows, in pairs.

Run it: `python tests/benchmarks/multiclass.py FOLDER [SET ...]`; FOLDER holds `acs_income`, `adult`, `compas`
and `diabetes_readmission`.
"""

import importlib.util
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.preprocessing import CorrelationRemover
from sklearn.linear_model import LogisticRegression

_SPEC = importlib.util.spec_from_file_location("mitigation_benchmark", Path(__file__).with_name("mitigation.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
mitigation = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(mitigation)

FOLDS, DRAWS = 5, 1_000
LARGE, JUDGED = 20_000, 2
"""Rows from which on so many folds are judged."""

RUNS: dict[str, list[Any]] = {
    "plain": [],
    "group-offsets, selection rates": ["group-offsets"],
    "group-offsets, equalized odds": [{"use": "group-offsets", "constraint": "equalized_odds"}],
    "reweighing": ["reweighing"],
    "correlation-removal": ["correlation-removal"],
}

_KIND_OF_WORK = {
    **dict.fromkeys(("Exec-managerial", "Prof-specialty", "Tech-support"), "professional"),
    **dict.fromkeys(("Adm-clerical", "Sales"), "office"),
    **dict.fromkeys(("Craft-repair", "Farming-fishing", "Handlers-cleaners", "Machine-op-inspct"), "manual"),
    **dict.fromkeys(("Transport-moving", "Other-service", "Protective-serv", "Priv-house-serv"), "manual"),
}
"""The occupations of Adult in three kinds; a few in the armed forces are left out."""


def sets(folder: Path) -> dict[str, tuple[pd.DataFrame, dict[str, Any]]]:
    """Return each set's rows and what its data set is told."""
    compas = pd.read_csv(folder / "compas" / "compas_two_years_deid.csv.gz")
    compas = compas[compas["race"].isin(["African-American", "Caucasian"])]
    inputs = ["age", "sex", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count", "c_charge_degree"]
    acs = pd.read_csv(folder / "acs_income" / "acs_income_sample50k.csv.gz").drop(columns=["index", "PINCP"])
    acs["hours"] = pd.cut(acs.pop("WKHP"), [0, 34, 44, 200], labels=["part time", "full time", "long"]).astype(str)
    adult = pd.concat([pd.read_csv(folder / "adult" / f"{part}.csv.gz") for part in ("train", "test")], ignore_index=True)
    adult = adult.assign(occupation=adult["occupation"].map(_KIND_OF_WORK)).dropna(subset=["occupation"])
    stays = pd.read_csv(folder / "diabetes_readmission" / "diabetic_data.csv.xz", na_values="?", low_memory=False)
    stays = stays.sort_values("encounter_id").drop_duplicates("patient_nbr")
    ages = stays.pop("age").str.extract(r"\[(\d+)-")[0].astype(int)
    stays["age"] = pd.cut(ages, [-1, 49, 69, 100], labels=["under 50", "50 to 69", "70 and over"]).astype(str)
    left = ["encounter_id", "patient_nbr", "weight", "payer_code", "medical_specialty", "diag_1", "diag_2", "diag_3"]
    return {
        "compas": (compas[[*inputs, "race", "score_text"]], {"target": "score_text", "sensitive": ["race"]}),
        "adult": (adult, {"target": "occupation", "sensitive": ["sex"]}),
        "acs": (acs.astype({"SEX": str}), {"target": "hours", "sensitive": ["SEX"], "types": {"OCCP": "number"}}),
        "diabetes": (stays.drop(columns=left), {"target": "readmitted", "sensitive": ["age"]}),
    }


def by_hand(run: Any) -> np.ndarray:
    """Return the classes decided with Fairlearn's `CorrelationRemover` before the run's own estimator `(n,)`."""
    data, group = run._context.data, run._context.schema.sensitive[0]
    coded = [pd.get_dummies(part.groups[group].astype(str)).iloc[:, 1:].to_numpy(dtype=float) for part in (data.train, data.test)]
    rows = [
        np.column_stack([sides, part.inputs[0].double().numpy()])
        for sides, part in zip(coded, (data.train, data.test), strict=True)
    ]
    remover = CorrelationRemover(sensitive_feature_ids=list(range(coded[0].shape[1]))).fit(rows[0])
    model = LogisticRegression(**run.model.estimator.get_params()).fit(remover.transform(rows[0]), data.train.target.numpy())
    return np.asarray(model.predict(remover.transform(rows[1])))


def judged(frame: pd.DataFrame, dataset: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the true class, the group and what each algorithm decides of every row, as places among names `(n,)`."""
    found: dict[str, list[np.ndarray]] = {}
    group = dataset["sensitive"][0]
    sides = sorted(frame[group].astype(str).unique())
    with tempfile.TemporaryDirectory() as runs:
        for fold in range(JUDGED if len(frame) > LARGE else FOLDS):
            for label, used in RUNS.items():
                run = mitigation.run_of(frame, {**dataset, "fold": {"number": fold, "of": FOLDS}}, used, runs)
                rows = pd.read_parquet(run.folder / "predictions.parquet")
                names = [str(c) for c in run._context.schema.target.classes]
                truth, decided = (rows[c].astype(str).map(names.index).to_numpy() for c in ("y_true", "y_pred"))
                if label == "plain":
                    found.setdefault("truth", []).append(truth)
                    found.setdefault("side", []).append(rows[f"group.{group}"].astype(str).map(sides.index).to_numpy())
                    found.setdefault("Fairlearn CorrelationRemover", []).append(by_hand(run))
                found.setdefault(label, []).append(decided)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def figures(table: np.ndarray) -> np.ndarray:
    """Return accuracy, parity gap and equalized-odds gap `(3, draws)` of counts `(draws, group, truth, decision)`."""
    accuracy = np.trace(table.sum(axis=1), axis1=1, axis2=2) / table.sum(axis=(1, 2, 3))
    selected = table.sum(axis=2) / table.sum(axis=(2, 3))[:, :, None]
    hits = np.diagonal(table, axis1=2, axis2=3) / table.sum(axis=3)
    of_others = table.sum(axis=(2, 3))[:, :, None] - table.sum(axis=3)
    false = (table.sum(axis=2) - np.diagonal(table, axis1=2, axis2=3)) / of_others
    parity, hit_gap, false_gap = (np.ptp(rates, axis=1).max(axis=1) for rates in (selected, hits, false))
    return np.stack([accuracy, parity, np.maximum(hit_gap, false_gap)])


def compared(name: str, rows: dict[str, np.ndarray]) -> None:
    """Print a line of JSON for each algorithm: its figures, and how far it moved them from those of the plain run."""
    truth, side, plain = (rows[one] for one in ("truth", "side", "plain"))
    classes, sides = int(truth.max()) + 1, int(side.max()) + 1
    shape = (sides, classes, classes, classes)
    for label, decided in rows.items():
        if label in ("truth", "side"):
            continue
        counts = np.bincount(np.ravel_multi_index((side, truth, plain, decided), shape), minlength=int(np.prod(shape)))
        drawn = np.random.default_rng(0).multinomial(len(truth), counts / len(truth), DRAWS)
        both = np.concatenate([counts[None], drawn]).reshape(-1, *shape)
        before, after = figures(both.sum(axis=4)), figures(both.sum(axis=3))
        told: dict[str, Any] = {"set": name, "rows": len(truth), "algorithm": label}
        for place, what in enumerate(("accuracy", "parity", "equalized odds")):
            ends = np.quantile(after[place, 1:] - before[place, 1:], [0.025, 0.975])
            told[what] = [round(float(v), 4) for v in (after[place, 0], *ends)]
        kept = after[1:, 1:] / before[1:, 1:]
        told["gap kept, at most"] = [round(float(np.quantile(one, 0.975)), 3) for one in kept]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for chosen, (table, told_to) in sets(Path(sys.argv[1])).items():
        if not sys.argv[2:] or chosen in sys.argv[2:]:
            compared(chosen, judged(table, told_to))
