"""How often the explain audit grades "reliable" what is not, and what is.

Four parts: models that have learnt nothing (untrained networks, models of shuffled labels); models on rows that are not known
to be held out; well-trained models on held-out rows; and scaffolds after Slack et al. (2020, Fooling LIME and SHAP), which
decide by one input on real rows and by another on rows that a detector takes for made up.

Run: python tests/calibration/reliability.py [--part null|unknown|trained|scaffolds] [--details]; prints a row of
docs/explanation/calibration.md per model.
All parts take about twenty minutes of one processor.
"""

import argparse
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn import datasets
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import nn

import glassbench
from glassbench.contracts.evidence import AuditResult

Rule = Callable[..., np.ndarray]
ROWS = 64
"""Rows explained; the audit's own default is 256 or 512."""

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@dataclass(frozen=True)
class Table:
    """Standardised training and held-out rows."""

    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray
    values: bool = False


def split(X: Any, y: Any, values: bool = False, rows: int = 1500) -> Table:
    """Return a table's halves, its inputs standardised by the training rows."""
    X, y = pd.DataFrame(X), np.asarray(y)
    X.columns = [str(c) for c in X.columns]
    index = np.random.default_rng(0).permutation(len(X))[:rows]
    stratify = None if values else y[index]
    a, b, y_a, y_b = train_test_split(X.iloc[index], y[index], test_size=0.4, random_state=0, stratify=stratify)
    scaler = StandardScaler().set_output(transform="pandas").fit(a)
    return Table(scaler.transform(a).reset_index(drop=True), y_a, scaler.transform(b).reset_index(drop=True), y_b, values)


def adult() -> Table:
    """Return a sample of the census table, categories as codes of how often they are."""
    frame = pd.read_csv(next((SHARED / "adult").glob("*train*")), skipinitialspace=True)
    target = frame.columns[-1]
    y = frame.pop(target).astype(str).str.contains(">50K").astype(int)
    coded = frame.apply(lambda c: c if pd.api.types.is_numeric_dtype(c) else c.map(c.value_counts(normalize=True)))
    return split(coded.fillna(0), y, rows=3000)


TABLES: dict[str, Callable[[], Table]] = {
    "breast cancer": lambda: split(*datasets.load_breast_cancer(return_X_y=True, as_frame=True)),
    "wine": lambda: split(*datasets.load_wine(return_X_y=True, as_frame=True)),
    "digits": lambda: split(*datasets.load_digits(return_X_y=True, as_frame=True)),
    "diabetes": lambda: split(*datasets.load_diabetes(return_X_y=True, as_frame=True), values=True),
    "made classes": lambda: split(*datasets.make_classification(1500, 10, n_informative=5, n_redundant=2, random_state=1)),
    "friedman": lambda: split(*datasets.make_friedman1(1000, 8, noise=1.0, random_state=1), values=True),
    "adult": adult,
}

ESTIMATORS: dict[str, Callable[[bool], Any]] = {
    "linear": lambda values: LinearRegression() if values else LogisticRegression(max_iter=2000),
    "tree": lambda values: (DecisionTreeRegressor if values else DecisionTreeClassifier)(
        max_depth=5, min_samples_leaf=5, random_state=0
    ),
    "forest": lambda values: (RandomForestRegressor if values else RandomForestClassifier)(50, random_state=0),
    "boosting": lambda values: (GradientBoostingRegressor if values else GradientBoostingClassifier)(random_state=0),
}

TRAINED = [
    *(("breast cancer", m) for m in ("linear", "network", "boosting", "forest")),
    *(("wine", m) for m in ("linear", "network", "boosting")),
    *(("digits", m) for m in ("linear", "network", "forest")),
    *(("diabetes", m) for m in ("linear", "network", "forest")),
    *(("made classes", m) for m in ("network", "tree", "boosting")),
    *(("friedman", m) for m in ("network", "boosting")),
    *(("adult", m) for m in ("network", "boosting")),
]


def network(table: Table, epochs: int = 150, seed: int = 0, labels: np.ndarray | None = None) -> nn.Module:
    """Return a network of two hidden layers; untrained where there are no epochs."""
    torch.manual_seed(seed)
    classes = 1 if table.values else int(table.y.max()) + 1
    model = nn.Sequential(nn.Linear(table.X.shape[1], 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, classes))
    inputs, y = torch.as_tensor(table.X.to_numpy(copy=True), dtype=torch.float32), table.y if labels is None else labels
    middle, size = (float(y.mean()), float(y.std())) if table.values else (0.0, 1.0)
    target = torch.as_tensor((y - middle) / size, dtype=torch.float32)[:, None] if table.values else torch.as_tensor(y)
    loss = nn.functional.mse_loss if table.values else nn.functional.cross_entropy
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.1)
    for _ in range(epochs):
        for part in torch.randperm(len(inputs)).split(128):
            optimizer.zero_grad()
            loss(model(inputs[part]), target[part]).backward()
            optimizer.step()
    if table.values:
        with torch.no_grad():
            last = model[-1]
            assert isinstance(last, nn.Linear)
            last.weight *= size
            last.bias.copy_(last.bias * size + middle)
    return model.eval()


def fitted(table: Table, name: str, seed: int = 0, labels: np.ndarray | None = None) -> Any:
    """Return a model of a table, by name."""
    if name == "network":
        return network(table, 20, seed, labels)
    if name == "untrained":
        return network(table, 0, seed)
    return ESTIMATORS[name](table.values).fit(table.X, table.y if labels is None else labels)


def reliability_of(
    model: Any, X: pd.DataFrame, y: Any, *, values: bool = False, held_out: bool | None = True, rows: int = ROWS
) -> AuditResult:
    """Audit a model trained elsewhere and return what the explain audit says."""
    form = {"outputs": "values" if values else "logits"} if isinstance(model, nn.Module) else {}
    with tempfile.TemporaryDirectory() as folder:
        run = glassbench.audit(
            model,
            X,
            y,
            task="regression" if values else "classification",
            classes=() if values else sorted(map(str, set(np.unique(y)))) if y is not None else ("0", "1"),
            audits={"explain": {"cases": 1, "replicates": 200, "rows": rows}},
            held_out=held_out,
            runs=folder,
            **form,
        )
        return run.audits[0]


class Scaffold(ClassifierMixin, BaseEstimator):
    """Decides by one input on rows that a detector takes for real, and by another on all others.

    Args:
        detector: From rows `(n, d)` to whether each is real.
        biased, innocuous: From rows to the probability of yes.
    """

    classes_ = np.array([0, 1])

    def __init__(
        self, detector: Callable[..., np.ndarray], biased: Callable[..., np.ndarray], innocuous: Callable[..., np.ndarray]
    ):
        self.detector, self.biased, self.innocuous = detector, biased, innocuous

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of no and yes `(n, 2)`."""
        rows = np.asarray(X, dtype=float)
        yes = np.where(self.detector(rows), self.biased(rows), self.innocuous(rows))
        return np.stack([1 - yes, yes], axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class `(n,)`."""
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)


def by_feature(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return rows as perturbing methods ask for: parts at the mean or the median, noise, values of other rows."""
    typical = np.where(generator.random(len(rows))[:, None] < 0.5, np.median(rows, axis=0), rows.mean(axis=0))
    gone = generator.random(rows.shape) < generator.random(len(rows))[:, None]
    others = generator.permutation(rows)
    noise = rows + 0.5 * generator.standard_normal(rows.shape)
    return np.concatenate([np.where(gone, typical, rows), np.where(gone, others, rows), noise])


def forest_detector(real: np.ndarray) -> Rule:
    """Return a random forest that tells real rows from made-up ones, as Slack et al. use."""
    fake = by_feature(np.repeat(real, 3, axis=0), np.random.default_rng(1))
    both = np.concatenate([np.repeat(real, 9, axis=0), fake])
    forest = RandomForestClassifier(60, min_samples_leaf=2, random_state=0)
    forest.fit(both, np.arange(len(both)) < 9 * len(real))
    return lambda rows: forest.predict(rows).astype(bool)


def neighbour_detector(real: np.ndarray, share: float = 0.9) -> Rule:
    """Return a rule by the distance to the nearest row known to be real."""
    known = NearestNeighbors(n_neighbors=2).fit(real)
    limit = np.quantile(known.kneighbors(real)[0][:, 1], share)
    return lambda rows: known.kneighbors(rows, 1)[0][:, 0] <= limit


def people(n: int = 1500, seed: int = 0) -> tuple[pd.DataFrame, int, int]:
    """Return made people whose columns hang together, and which column is the group and which an innocuous one."""
    generator = np.random.default_rng(seed)
    age = generator.normal(40, 10, n)
    group = generator.integers(0, 2, n)
    years = np.clip(age - 22 + generator.normal(0, 1.5, n), 0, None)
    income = 20 + 1.2 * years + generator.normal(0, 3, n)
    debts = 0.5 * income + generator.normal(0, 2, n)
    coin = generator.integers(0, 2, n)
    columns = {"age": age, "group": group, "years": years, "income": income, "debts": debts, "coin": coin}
    return pd.DataFrame(columns).astype(float), 1, 5


def offenders() -> tuple[pd.DataFrame, int, int]:
    """Return COMPAS rows, with an innocuous column that nothing hangs on (as Slack et al. add)."""
    frame = pd.read_csv(next((SHARED / "compas").glob("*.gz")))
    kept = ["age", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"]
    table = (
        frame[kept]
        .astype(float)
        .assign(
            race=(frame["race"] == "African-American").astype(float),
            charge=(frame["c_charge_degree"] == "F").astype(float),
            sex=(frame["sex"] == "Male").astype(float),
            noise=np.random.default_rng(3).integers(0, 2, len(frame)).astype(float),
        )
    )
    return (
        table.sample(1800, random_state=0).reset_index(drop=True),
        table.columns.get_loc("race"),
        table.columns.get_loc("noise"),
    )


def tumours() -> tuple[pd.DataFrame, int, int]:
    """Return breast masses with a group and a coin beside their measures."""
    X = datasets.load_breast_cancer(as_frame=True).data.iloc[:, :10]
    generator = np.random.default_rng(0)
    X = X.assign(group=generator.integers(0, 2, len(X)).astype(float), coin=generator.integers(0, 2, len(X)).astype(float))
    return X, 10, 11


def scaffold(made: tuple[pd.DataFrame, int, int], detector: str, as_network: bool, hide: bool = True) -> tuple[Any, Table]:
    """Return a scaffold and the rows it is audited on; with nothing hidden, the biased model alone."""
    X, group, coin = made
    scaled = (X - X.mean()) / X.std()
    half = len(X) // 2
    real, audited = scaled.iloc[:half], scaled.iloc[half:].reset_index(drop=True)
    biased, innocuous = (lambda rows, c=c: np.where(rows[:, c] > 0, 0.95, 0.05) for c in (group, coin))
    detect = {"forest": forest_detector, "neighbours": neighbour_detector}[detector](real.to_numpy()) if hide else None
    model = Scaffold(detect or (lambda rows: np.ones(len(rows), dtype=bool)), biased, innocuous)
    truth = np.where(np.random.default_rng(5).random(len(audited)) < 0.9, biased(audited.to_numpy()) > 0.5, False).astype(int)
    table = Table(real, (biased(real.to_numpy()) > 0.5).astype(int), audited, truth)
    if as_network:
        rows = np.concatenate(
            [real.to_numpy(), real.to_numpy(), real.to_numpy(), by_feature(real.to_numpy(), np.random.default_rng(2))]
        )
        asked = pd.DataFrame(rows, columns=X.columns)
        return network(Table(asked, model.predict(asked), audited, truth), 40), table
    return model, table


SCAFFOLDS: dict[str, Callable[[], tuple[pd.DataFrame, int, int]]] = {"people": people, "COMPAS": offenders, "tumours": tumours}


def nulls() -> Iterator[tuple[str, AuditResult]]:
    """Yield 40 models that have learnt nothing, on held-out rows with their truth."""
    for name in ("breast cancer", "wine", "digits", "diabetes", "made classes"):
        table = TABLES[name]()
        for seed in range(4):
            model = fitted(table, "untrained", seed)
            yield f"{name}, untrained network {seed}", reliability_of(model, table.X_test, table.y_test, values=table.values)
        for seed, kind in enumerate(("linear", "network", "forest", "tree")):
            model = fitted(table, kind, seed, np.random.default_rng(seed).permutation(table.y))
            yield f"{name}, {kind} of shuffled labels", reliability_of(model, table.X_test, table.y_test, values=table.values)


def unknown() -> Iterator[tuple[str, AuditResult]]:
    """Yield models on rows that are not known to be held out, or without their truth."""
    for name, kind in TRAINED[:6]:
        table = TABLES[name]()
        model = fitted(table, kind)
        shuffled = np.random.default_rng(0).permutation(table.y)
        overfitted = fitted(table, kind, 0, shuffled)
        yield f"{name}, {kind}, nobody says", reliability_of(model, table.X_test, table.y_test, held_out=None)
        yield f"{name}, {kind}, its training rows", reliability_of(model, table.X, table.y, held_out=False)
        yield f"{name}, {kind}, shuffled labels it learnt", reliability_of(overfitted, table.X, shuffled, held_out=None)


def trained() -> Iterator[tuple[str, AuditResult]]:
    """Yield 20 well-trained models on held-out rows with their truth."""
    for name, kind in TRAINED:
        table = TABLES[name]()
        yield f"{name}, {kind}", reliability_of(fitted(table, kind), table.X_test, table.y_test, values=table.values)


def scaffolds() -> Iterator[tuple[str, AuditResult]]:
    """Yield scaffolds, and the biased model that they hide."""
    for name, made in SCAFFOLDS.items():
        for detector in ("forest", "neighbours"):
            for as_network in (False, True):
                model, table = scaffold(made(), detector, as_network)
                what = f"{name}, detector by {detector}{', as a network' if as_network else ''}"
                yield what, reliability_of(model, table.X_test, table.y_test)
        for as_network in (False, True):
            model, table = scaffold(made(), "forest", as_network, hide=False)
            yield (
                f"{name}, nothing hidden{', as a network' if as_network else ''}",
                reliability_of(model, table.X_test, table.y_test),
            )


PARTS = {"null": nulls, "unknown": unknown, "trained": trained, "scaffolds": scaffolds}


def main() -> None:
    """Print a row per model: its reliability grade, and the self-tests that did not pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=list(PARTS))
    parser.add_argument("--details", action="store_true", help="print every self-test's figures")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for part in [chosen.part] if chosen.part else list(PARTS):
        started, words = time.process_time(), []
        for name, result in PARTS[part]():
            checks = next(t for t in result.tables if t.title == "Self-tests of the explanation").rows
            missed = "; ".join(f"{row[0]} {row[1]}" for row in checks if row[1] in ("weak", "failed"))
            print(f"| {part} | {name} | {result.reliability} | {missed or '-'} |", flush=True)
            if chosen.details:
                print(
                    "".join(f"      {row[0]}: {row[1]}: {row[2]}\n" for row in checks if row[1] != "not applicable"), flush=True
                )
            words.append(result.reliability)
        spent = time.process_time() - started
        print(f"{part}: {words.count('reliable')} of {len(words)} reliable; {spent:.0f} s", flush=True)


if __name__ == "__main__":
    main()
