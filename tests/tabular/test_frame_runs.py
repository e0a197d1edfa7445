"""Training on a data frame from Python: as on the file it would make, and complete in the run's folder."""

import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import glassbench
from glassbench.cli.app import invoke

CHANCE = np.random.default_rng(2)
N = 150
FRAME = pd.DataFrame(
    {
        "income": CHANCE.normal(30, 9, N),
        "city": pd.Categorical(CHANCE.choice(["north", "south"], N)),
        "sex": CHANCE.choice(["f", "m", None], N, p=[0.45, 0.45, 0.1]),
        "owner": CHANCE.random(N) < 0.5,
    },
    index=pd.Index([f"p{i}" for i in range(N)], name="person"),
)
FRAME["granted"] = np.where(FRAME["income"] + 8 * FRAME["owner"] + CHANCE.normal(0, 5, N) > 34, "yes", "no")
EXPERIMENT = {
    "name": "loans",
    "dataset": {"use": "table", "target": "granted", "sensitive": ["sex"]},
    "task": "classification",
    "model": "logistic-regression",
    "audits": ["performance", "fairness"],
}


def train(data, root, **dataset):
    return glassbench.run({**EXPERIMENT, "dataset": {**EXPERIMENT["dataset"], **dataset}}, data=data, runs=root)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(FRAME, tmp_path_factory.mktemp("runs"))


def test_a_frame_is_learnt_from_as_its_file_is(trained, tmp_path):
    FRAME.reset_index(drop=True).to_parquet(tmp_path / "loans.parquet")
    dataset = {**EXPERIMENT["dataset"], "path": str(tmp_path / "loans.parquet")}
    filed = glassbench.run({**EXPERIMENT, "dataset": dataset}, runs=tmp_path)
    ours, theirs = (pd.read_parquet(run.folder / "predictions.parquet") for run in (trained, filed))
    pd.testing.assert_frame_equal(ours, theirs)
    truth = FRAME["granted"].iloc[ours["row"]].to_numpy()
    np.testing.assert_array_equal(ours["y_true"], truth)


def test_a_moved_run_reads_predicts_audits_and_verifies_from_its_own_folder(trained, tmp_path, capsys):
    folder = tmp_path / "elsewhere"
    shutil.copytree(trained.folder, folder)
    again = glassbench.load_run(folder)
    before = again.predict(FRAME[:5])["y_pred"].tolist()
    assert invoke(["verify", str(folder)]) == 0
    shutil.move(trained.folder / "data.parquet", tmp_path / "away.parquet")
    try:
        assert glassbench.load_run(folder).audit(["fairness"]).predict(FRAME[:5])["y_pred"].tolist() == before
    finally:
        shutil.move(tmp_path / "away.parquet", trained.folder / "data.parquet")
    assert "data.parquet" in (folder / "manifest.json").read_text()


def test_another_frame_in_the_folder_is_noticed(trained, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(trained.folder, folder)
    FRAME.iloc[::-1].reset_index(drop=True).to_parquet(folder / "data.parquet")
    with pytest.raises(glassbench.GlassbenchError):
        glassbench.load_run(folder).audit()


def test_an_unused_index_is_said(trained):
    assert "The index of the DataFrame (person) was not used" in (trained.folder / "data.json").read_text()


def test_frames_of_other_libraries_and_decisions(tmp_path):
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    assert train(table, tmp_path).verdict == "not applicable"
    decided = FRAME.assign(said=np.where(FRAME["income"] > 34, "yes", "no"))
    dataset = {"use": "predictions", "truth": "granted", "decision": "said", "sensitive": ["sex"]}
    run = glassbench.run(
        {"name": "given", "dataset": dataset, "task": "given-classes", "audits": ["performance"]}, data=decided, runs=tmp_path
    )
    found = next(m.value for m in run.measures if m.name == "performance.accuracy" and not m.group)
    assert found == pytest.approx((decided["said"] == decided["granted"]).mean())


@pytest.mark.parametrize(
    ("data", "dataset", "words"),
    [
        (FRAME.to_dict(), {}, "data takes one DataFrame"),
        ((FRAME[["income"]], FRAME["granted"]), {}, r"X.join\(y\)"),
        (FRAME[:0], {}, "the table is empty"),
        (FRAME.assign(odd=[1, "a", *[None] * (N - 2)]), {}, "column 'odd' holds values of several kinds"),
        (FRAME, {"path": "loans.csv"}, "names a file, and a data frame was given too"),
        (FRAME, {"use": "breast-cancer"}, "reads no table"),
        (FRAME, {"target": "person"}, "person"),
        (pd.concat([FRAME, FRAME], axis=1), {}, "two columns are called 'income'"),
    ],
)
def test_what_is_refused_leaves_nothing(data, dataset, words, tmp_path):
    with pytest.raises(glassbench.GlassbenchError, match=words):
        train(data, tmp_path, **dataset)
    assert not list(tmp_path.iterdir())
