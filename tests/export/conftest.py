"""Runs of tables whose cells are as odd as cells are allowed to be."""

import numpy as np
import pandas as pd
import pytest

import glassbench

CELLS = {
    "labels": {"sex": {"1": "man", "2": "woman"}, "bmi": "body mass index"},
    "missing": ["", "?", "-999", "n/a"],
    "types": {"zip": "category"},
    "strip_end": ".",
}


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Applicants as a file holds them: texts, currencies, decimal commas, codes, several marks of missing values."""
    rng = np.random.default_rng(seed)
    income = rng.normal(3000, 800, rows)
    frame = pd.DataFrame(
        {
            "income": [f"{value:,.2f} €" for value in income],
            "share": [f"{value:.1f} %" for value in rng.uniform(0, 100, rows)],
            "bmi": rng.normal(25, 4, rows).round(1).astype(str),
            "debts": rng.integers(0, 6, rows).astype(str),
            "zip": rng.choice(["01067", "10115", "80331"], rows),
            "job": rng.choice(["clerk", "cook", "nurse.", "Clerk"], rows, p=[0.3, 0.3, 0.3, 0.1]),
            "sex": rng.choice(["1", "2"], rows),
        }
    )
    better = income + 200 * (frame["job"] == "cook") + rng.normal(0, 400, rows)
    frame["repaid"] = np.where(better > 2900, "yes", "no")
    frame["grade"] = pd.cut(better, [-np.inf, 2500, 3300, np.inf], labels=["A", "B", "C"]).astype(str)
    frame["loss"] = (5000 - better).round(2)
    for name, mark, step in (("bmi", "?", 13), ("job", "n/a", 17), ("debts", "-999", 19), ("sex", "", 23)):
        frame.loc[::step, name] = mark
    return frame


def unlike(rows: int, seed: int = 1) -> pd.DataFrame:
    """Rows that the training rows do not prepare a model for: more is missing, unseen or out of range, and oddly written."""
    frame = people(rows, seed).drop(columns=["repaid", "grade", "loss"])
    rng = np.random.default_rng(seed)
    strange = {
        "income": ["-1,234.50 €", "(99.00 €)", "1e6", "\u2212250", " 7,000,000.00 € "],
        "share": ["140 %", "0", "12.5%"],
        "bmi": ["", "n/a", "-999", "99.9", "1e1", "+20.5"],
        "debts": ["12", "-999", "", "3.0"],
        "zip": ["99999", "1067", "?"],
        "job": ["pilot", "CLERK", "cook.", " nurse ", ""],
        "sex": ["woman", "1.0", "2.", "3", "?"],
    }
    for name, cells in strange.items():
        places = rng.random(rows) < 0.2
        frame.loc[places, name] = rng.choice(cells, int(places.sum()))
    return frame


@pytest.fixture(scope="session", name="trained")
def _trained(tmp_path_factory):
    """Train a model on such a table, once for each combination."""
    folder, known = tmp_path_factory.mktemp("export"), {}
    people().to_csv(folder / "people.csv", index=False)

    def trained(model, task="classification", target="repaid", **settings):
        key = repr((model, task, target, settings))
        if key not in known:
            others = [name for name in ("repaid", "grade", "loss") if name != target]
            dataset = {"use": "table", "path": str(folder / "people.csv"), "target": target, "drop": others, **CELLS}
            content = {"name": "x", "dataset": {**dataset, **settings}, "task": task, "model": model, "audits": ["performance"]}
            network = model if isinstance(model, str) else model["use"]
            if network in ("linear", "mlp", "ft-transformer"):
                content["trainer"] = {"use": "lightning", "max_epochs": 2}
            known[key] = glassbench.run(content, runs=folder / "runs")
        return known[key]

    return trained


@pytest.fixture(scope="session", name="rows")
def _rows(tmp_path_factory):
    """10,000 rows with missing, unseen and odd cells, as a CSV file."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    unlike(10_000).to_csv(path, index=False)
    return path
