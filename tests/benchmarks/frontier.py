"""The frontier of accuracy and equalized odds that mitigations reach, beside that of Fairlearn's own algorithms run by hand.

Rows are judged by five-fold cross-validation, of large sets those of two folds. Fairlearn's algorithms get a logistic regression
on the encoded rows of the same run: `ExponentiatedGradient` at two bounds, every fit of `GridSearch`, and `ThresholdOptimizer`
on the validation rows; their drawn decisions count as probabilities, so that no draw adds noise. Mitigations here are given no
more fits than these.

A frontier is read at several prices: the points of accuracy that one point of the gap is worth. At each price either side
takes, for the rows of a fold, the candidate that does best on the other folds, so that neither is flattered by its choice.
Intervals are over rows, in pairs, and corrected for the number of prices (Bonferroni).

Run it: `python tests/benchmarks/frontier.py FOLDER DECISIONS [SET ...]`; FOLDER holds `acs_income`, `adult`, `compas` and
`hmda_boston`, and SET is `acs`, `adult`, `compas` or `hmda`, or one of `others` below: the same tables by a group that nobody
looked at while the mitigations were made. Decisions are kept in the folder DECISIONS and are not made again
where they are there; with `--ours` those of Fairlearn stay, and ours are made again.
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
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import EqualizedOdds, ExponentiatedGradient, GridSearch
from sklearn.linear_model import LogisticRegression

from glassbench_plugins.mitigation.group_thresholds import GroupThresholds

_SPEC = importlib.util.spec_from_file_location("mitigation_benchmark", Path(__file__).with_name("mitigation.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
mitigation = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(mitigation)

Sets = dict[str, tuple[pd.DataFrame, dict[str, Any]]]
FOLDS, DRAWS, FITS = 5, 1_000, 20
LARGE, JUDGED = 20_000, 2
"""Rows from which on so many folds are judged."""

PRICES = (0.1, 0.25, 0.5, 1.0, 2.0)


FITTED: dict[str, list[Any]] = {
    "plain": [],
    "reweighing": ["reweighing"],
    "grid-reduction": [{"use": "grid-reduction", "fits": FITS}],
}
"""What is fitted here; thresholds are then chosen for each of the first two, as a run with both mitigations does."""

DECIDED = {
    "group-thresholds": GroupThresholds(),
    "group-thresholds, gap .05": GroupThresholds(tolerance=0.05),
    "group-thresholds, gap .1": GroupThresholds(tolerance=0.1),
    "group-thresholds, loss .005": GroupThresholds(accuracy_loss=0.005),
    "group-thresholds, loss .03": GroupThresholds(accuracy_loss=0.03),
    "group-thresholds, expected": GroupThresholds(rates="expected"),
    "group-thresholds, expected, loss .03": GroupThresholds(rates="expected", accuracy_loss=0.03),
    "group-thresholds, randomized": GroupThresholds(randomized=True),
}

Found = dict[str, np.ndarray]
"""Of each candidate, the probability of the positive class with which each row is decided `(n,)`."""


def others(folder: Path) -> Sets:
    """Return the same tables by other groups, two of each: rows and what the data set is told."""
    tables = mitigation.sets(folder)
    (adult, of_adult), (acs, of_acs) = tables["adult"], tables["acs"]
    whole = pd.read_csv(folder / "compas" / "compas_two_years_deid.csv.gz")
    compas = whole[list(tables["compas"][0])]
    young = compas.drop(columns="race").assign(side=compas["age"].lt(26).map({True: "under 26", False: "older"}))
    race = next(name for name in adult if name.lower() == "race")
    white = {True: "White", False: "other"}
    adult = adult.assign(**{race: adult[race].astype(str).str.strip().eq("White").map(white)})
    return {
        "compas-age": (young, {"target": "two_year_recid", "sensitive": ["side"]}),
        "compas-sex": (compas, {"target": "two_year_recid", "sensitive": ["sex"]}),
        "adult-race": (adult, {**of_adult, "sensitive": [race]}),
        "acs-race": (acs.assign(RAC1P=acs["RAC1P"].eq(1).map(white)), {**of_acs, "sensitive": ["RAC1P"]}),
    }


def by_hand(run: Any) -> Found:
    """Return the decisions of Fairlearn's own algorithms on the encoded rows of a run, as probabilities."""
    data, group = run._context.data, run._context.schema.sensitive[0]
    (train, fit), (held, true), (rows, _) = (
        (part.inputs[0].double().numpy(), part.target.numpy()) for part in (data.train, data.validation, data.test)
    )
    side, held_side, test_side = (part.groups[group].astype(str) for part in (data.train, data.validation, data.test))
    settings = run.model.estimator.get_params()
    plain = LogisticRegression(**settings).fit(train, fit)
    optimizer = ThresholdOptimizer(estimator=plain, constraints="equalized_odds", prefit=True, predict_method="predict_proba")
    optimizer.fit(held, true, sensitive_features=held_side)
    found = {
        "plain": plain.predict(rows).astype(float),
        "ThresholdOptimizer": optimizer._pmf_predict(rows, sensitive_features=test_side)[:, 1],
    }
    for bound in (0.01, 0.05):
        gradient = ExponentiatedGradient(
            LogisticRegression(**settings), EqualizedOdds(difference_bound=bound), eps=bound, max_iter=FITS
        )
        gradient.fit(train, fit, sensitive_features=side)
        found[f"ExponentiatedGradient {bound}"] = gradient._pmf_predict(rows)[:, 1]
    grid = GridSearch(LogisticRegression(**settings), EqualizedOdds(), grid_size=FITS)
    grid.fit(train, fit, sensitive_features=side)
    return found | {f"GridSearch {k}": one.predict(rows).astype(float) for k, one in enumerate(grid.predictors_)}


def positive(predictions: Any, schema: Any) -> np.ndarray:
    """Return 1 where the second class is decided, else 0 `(n,)`."""
    return np.asarray(predictions.frame["y_pred"].astype(str) == str(schema.target.classes[1]), dtype=float)


def decisions(frame: pd.DataFrame, dataset: dict[str, Any], kept: Path, *, again: bool) -> dict[str, np.ndarray]:
    """Return truth, group and fold of every row and what each candidate decides, from a file where it is there.

    Args:
        frame: The rows.
        dataset: What the data set is told.
        kept: The file.
        again: Whether our decisions are made again beside those of Fairlearn.
    """
    before = dict(np.load(kept)) if kept.is_file() else {}
    if before and not again:
        return before
    parts: dict[str, list[np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as runs:
        for fold in range(JUDGED if len(frame) > LARGE else FOLDS):
            for label, used in FITTED.items():
                run = mitigation.run_of(frame, {**dataset, "fold": {"number": fold, "of": FOLDS}}, used, runs)
                context = run._context
                test, held_out = (context.task.predict(run.model, part) for part in (context.data.test, context.data.validation))
                told = {f"ours: {label}": positive(test, context.schema)}
                if label != "grid-reduction":
                    for name, rule in DECIDED.items():
                        facts = rule.fit_decisions(held_out, context.schema)
                        told[f"ours: {label}, {name}"] = positive(rule.decide(test, facts), context.schema)
                if label == "plain":
                    side = test.groups[dataset["sensitive"][0]].astype(str).to_numpy()
                    truth = context.data.test.target.numpy()
                    told |= {"truth": truth, "side": (side == side.max()).astype(int), "fold": np.full(len(side), fold)}
                    told |= {f"theirs: {name}": value for name, value in ({} if before else by_hand(run)).items()}
                for name, value in told.items():
                    parts.setdefault(name, []).append(value)
            print(json.dumps({"decided": kept.stem, "fold": fold}), flush=True)
    found = {name: np.concatenate(part) for name, part in parts.items()}
    assert not before or (found["truth"] == before["truth"]).all()
    found |= {name: value for name, value in before.items() if name.startswith("theirs")}
    np.savez_compressed(kept, **found)  # type: ignore[arg-type]
    return found


def figures(rows: dict[str, np.ndarray], decided: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return accuracy and equalized-odds gap `(draws,)` of decisions `(n,)` with row weights `(draws, n)`."""
    truth, side = rows["truth"], rows["side"]
    right = np.where(truth == 1, decided, 1 - decided)
    cells = [((side == s) & (truth == t)).astype(float) for t in (0, 1) for s in (0, 1)]
    rates = np.stack([(weights @ (cell * decided)) / (weights @ cell) for cell in cells])
    return weights @ right / weights.sum(axis=1), np.maximum(abs(rates[0] - rates[1]), abs(rates[2] - rates[3]))


def chosen(rows: dict[str, np.ndarray], side: str, price: float) -> np.ndarray:
    """Return the decisions of one side: of each fold those of the candidate that does best on the other folds."""
    answer = np.zeros(len(rows["truth"]))
    names = [name for name in rows if name.startswith(side)]
    for fold in np.unique(rows["fold"]):
        others = (rows["fold"] != fold).astype(float)[None]
        worth = []
        for name in names:
            accuracy, gap = figures(rows, rows[name], others)
            worth.append(float(accuracy[0] - price * gap[0]))
        mine = rows["fold"] == fold
        answer[mine] = rows[names[int(np.argmax(worth))]][mine]
    return answer


def compared(name: str, rows: dict[str, np.ndarray]) -> None:
    """Print every candidate's figures, and at each price how far our frontier lies above Fairlearn's."""
    once = np.ones((1, len(rows["truth"])))
    for candidate in (one for one in rows if one.startswith(("ours", "theirs"))):
        accuracy, gap = figures(rows, rows[candidate], once)
        print(
            json.dumps(
                {"set": name, "candidate": candidate, "accuracy": round(float(accuracy[0]), 4), "gap": round(float(gap[0]), 4)}
            )
        )
    picks = {price: [chosen(rows, side, price) for side in ("ours", "theirs")] for price in PRICES}
    worth = {price: [list[np.ndarray](), list[np.ndarray]()] for price in PRICES}
    generator, n = np.random.default_rng(0), len(rows["truth"])
    for _ in range(DRAWS // 50):
        weights = generator.multinomial(n, np.full(n, 1 / n), 50).astype(float)
        for price, pair in picks.items():
            for place, decided in enumerate(pair):
                accuracy, gap = figures(rows, decided, weights)
                worth[price][place].append(accuracy - price * gap)
    for price, pair in picks.items():
        ours, theirs = ([float(v[0]) for v in figures(rows, decided, once)] for decided in pair)
        moved = np.concatenate(worth[price][0]) - np.concatenate(worth[price][1])
        tail = 0.025 / len(PRICES)
        low, high = np.quantile(moved, [tail, 1 - tail])
        value = (ours[0] - theirs[0]) - price * (ours[1] - theirs[1])
        told = {"set": name, "price": price, "ours": ours, "theirs": theirs, "above": [value, float(low), float(high)]}
        print(json.dumps(json.loads(json.dumps(told), parse_float=lambda text: round(float(text), 4))), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    folder, kept = Path(sys.argv[1]), Path(sys.argv[2])
    kept.mkdir(parents=True, exist_ok=True)
    wanted = [argument for argument in sys.argv[3:] if not argument.startswith("--")]
    for chosen_set, (table, told_to) in {**mitigation.sets(folder), **others(folder)}.items():
        if not wanted or chosen_set in wanted:
            compared(chosen_set, decisions(table, told_to, kept / f"{chosen_set}.npz", again="--ours" in sys.argv))
