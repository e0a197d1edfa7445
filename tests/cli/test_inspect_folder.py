"""`glassbench inspect FOLDER` and `glassbench init FOLDER`: images, sounds, texts and tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from PIL import Image

import glassbench
from glassbench.cli.app import invoke
from glassbench.pipeline.run_data import read_data

CHANCE = np.random.default_rng(3)


def write_image(path: Path) -> None:
    Image.fromarray(CHANCE.integers(0, 255, (12, 10), dtype=np.uint8)).save(path)


def write_sound(path: Path) -> None:
    soundfile.write(path, CHANCE.normal(size=800) * 0.1, 8000)


def write_text(path: Path) -> None:
    path.write_text(f"a remark {CHANCE.integers(1_000_000)} which is {path.parent.name}")


KINDS = {"image-folder": (write_image, ".png"), "wav-folder": (write_sound, ".wav"), "text-table": (write_text, ".txt")}


@pytest.fixture(params=KINDS)
def folder(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write, ending = KINDS[request.param]
    for number in range(45):
        path = tmp_path / "held" / ("cat", "dog", "dog")[number % 3] / f"{number}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    return tmp_path / "held", request.param, ending


def inspected(capsys, *given):
    assert invoke(["inspect", *given, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_files_are_counted_by_class_and_format(folder, capsys):
    root, dataset, ending = folder
    (root / "notes.log").write_text("beside")
    found = inspected(capsys, str(root))
    assert found["dataset"] == dataset
    assert found["classes"] == {name: len(list((root / name).iterdir())) for name in ("cat", "dog")} == {"cat": 15, "dog": 30}
    assert found["formats"] == {ending: 45}
    assert found["size"] == sum(path.stat().st_size for path in root.rglob("*/*"))
    assert found["others"] == {".log": 1}
    assert (found["unreadable"], found["duplicates"], found["problems"]) == ({}, [], [])


def test_equal_files_are_found_and_wrong_labels_with_them(folder, capsys):
    root, _, ending = folder
    content = (root / "cat" / f"0{ending}").read_bytes()
    (root / "cat" / f"x{ending}").write_bytes(content)
    (root / "dog" / f"y{ending}").write_bytes(content)
    found = inspected(capsys, str(root))
    assert found["duplicates"] == [[f"cat/0{ending}", f"cat/x{ending}", f"dog/y{ending}"]]
    assert any(problem.startswith("2 of 47 files repeat another one") for problem in found["problems"])
    assert any("equal files stand in several classes (1 contents" in problem for problem in found["problems"])


def test_a_starting_experiment_reads_the_folder(folder, tmp_path):
    _, dataset, _ = folder
    assert invoke(["init", "held"]) == 0
    text = (tmp_path / "experiment.yaml").read_text()
    content = yaml.safe_load(text)
    assert (content["dataset"]["use"], content["dataset"]["path"]) == (dataset, "held")
    assert "#   cat: 15" in text
    plan = glassbench.plan("experiment.yaml")
    assert plan.dataset.component.spec.name == dataset


def test_folders_of_parts_are_no_classes(folder, capsys):
    root, dataset, ending = folder
    write = KINDS[dataset][0]
    for part in ("train", "test"):
        for label in ("cat", "dog"):
            (root.parent / "parted" / part / label).mkdir(parents=True)
            for number in range(12):
                write(root.parent / "parted" / part / label / f"{number}{ending}")
    same = (root.parent / "parted" / "train" / "cat" / f"0{ending}").read_bytes()
    (root.parent / "parted" / "test" / "cat" / f"0{ending}").write_bytes(same)
    found = inspected(capsys, "parted")
    assert (found["classes"], found["parts"]) == ({"cat": 24, "dog": 24}, {"train": 24, "test": 24})
    assert any("stand in several parts" in problem for problem in found["problems"])
    assert invoke(["init", "parted"]) == 0
    content = yaml.safe_load(Path("experiment.yaml").read_text())
    assert invoke(["plan", "experiment.yaml"]) == 0
    assert content["dataset"]["path"] == "parted"
    assert "24 test" in capsys.readouterr().out


@pytest.mark.parametrize("dataset", ["image-folder", "wav-folder"])
def test_files_that_cannot_be_read_are_named(dataset, tmp_path, capsys):
    write, ending = KINDS[dataset]
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(12):
            write(tmp_path / label / f"{number}{ending}")
    whole = (tmp_path / "a" / f"0{ending}").read_bytes()
    (tmp_path / "a" / f"0{ending}").write_bytes(whole[: len(whole) // 2] if dataset == "image-folder" else b"RIFF")
    (tmp_path / "b" / f"x{ending}").write_bytes(b"")
    found = inspected(capsys, str(tmp_path))
    assert set(found["unreadable"]) == {f"a/0{ending}", f"b/x{ending}"}
    assert found["classes"] == {"a": 11, "b": 12}
    assert invoke(["inspect", str(tmp_path)]) == 0
    assert f"- a/0{ending}:" in capsys.readouterr().out


def test_what_files_are_like_proposes_how_they_are_read(tmp_path, capsys):
    for label in ("a", "b"):
        (tmp_path / "sounds" / label).mkdir(parents=True)
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(10):
            soundfile.write(tmp_path / "sounds" / label / f"{number}.wav", np.full(2205 * (1 + number % 2), 0.1), 22050)
            write_image(tmp_path / "images" / label / f"{number}.png")
    sounds = inspected(capsys, str(tmp_path / "sounds"))
    assert sounds["settings"] == {"rate": 22050, "seconds": 0.2}
    assert sounds["properties"]["seconds"] == "0.1 to 0.2, median 0.15"
    images = inspected(capsys, str(tmp_path / "images"))
    assert images["settings"] == {"size": [12, 10], "colour": False}
    assert images["properties"] == {"width": "10", "height": "12", "colours": "grey (20)", "format": "PNG (20)"}


def test_a_folder_of_tables_is_one_inspection_each(tmp_path, capsys):
    pd.DataFrame({"a": range(30), "y": [0, 1] * 15}).to_csv(tmp_path / "one.csv", index=False)
    pd.DataFrame({"b": range(20)}).to_parquet(tmp_path / "two.parquet")
    (tmp_path / "three.csv").write_text("a,a\n1,2\n")
    found = inspected(capsys, str(tmp_path))
    assert [(Path(each["path"]).name, each["rows"]) for each in found["files"]] == [("one.csv", 30), ("two.parquet", 20)]
    assert "two columns are called" in found["failed"]["three.csv"]


@pytest.mark.parametrize(
    ("spoil", "given", "words"),
    [
        (lambda root: None, ["--target", "label"], "the folders are the classes"),
        (lambda root: [f.unlink() for f in (root / "dog").iterdir()], [], "one class only"),
        (lambda root: [f.rename(root / f.name) for f in root.glob("*/*")], [], "in folders of classes"),
        (lambda root: [f.unlink() for f in root.glob("*/*")], [], "holds no file of a table"),
        (lambda root: None, ["--dataset", "diabetes"], "cannot look at folders"),
    ],
    ids=["target", "one class", "flat", "empty", "another data set"],
)
def test_mistakes_get_one_screen_and_write_nothing(tmp_path, monkeypatch, spoil, given, words, capsys):
    monkeypatch.chdir(tmp_path)
    for label in ("cat", "dog"):
        (tmp_path / "held" / label).mkdir(parents=True)
        for number in range(12):
            write_image(tmp_path / "held" / label / f"{label}{number}.png")
    spoil(tmp_path / "held")
    assert invoke(["init", "held", *given]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) < 24
    assert "Traceback" not in said
    assert not Path("experiment.yaml").exists()


def test_many_grey_images_are_proposed_in_grey(tmp_path, capsys):
    for number in range(1001):
        path = tmp_path / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((2, 2), number % 256, dtype=np.uint8)).save(path)
    found = inspected(capsys, str(tmp_path))
    assert found["properties"]["colours"] == "grey (1,001)"
    assert found["settings"] == {"size": [2, 2], "colour": False}


@pytest.fixture
def beside(folder, tmp_path):
    """The same files beside each other, with a table that names each without its ending, its class and its owner."""
    root, dataset, ending = folder
    rows = []
    for path in sorted(root.rglob(f"*{ending}")):
        rows.append({"picture": path.stem, "owner": f"p{int(path.stem) % 9}", "kind": path.parent.name})
        path.rename(root / path.name)
    for name in ("cat", "dog"):
        (root / name).rmdir()
    pd.DataFrame(rows).to_csv(root / "labels.csv", index=False)
    return root, dataset, ending


def test_a_table_beside_the_files_names_their_classes(beside, capsys, tmp_path):
    root, dataset, ending = beside
    table = pd.read_csv(root / "labels.csv", dtype=str)
    table.loc[0, "kind"] = None  # of one the class is not known, another is not named at all
    table[:-1].rename(columns={"kind": "label"}).to_csv(root / "labels.csv", index=False)
    expected = table["kind"][:-1].value_counts().sort_index().to_dict()
    found = inspected(capsys, str(root))
    assert (found["dataset"], found["target"], found["classes"], found["files"]) == (dataset, "label", expected, 43)
    assert any("1 rows of the metadata without a label" in problem for problem in found["problems"])
    unnamed = f"{table['picture'].iloc[-1]}{ending}"
    assert any(f"1 files that the metadata do not name are left out, such as {unnamed}" in p for p in found["problems"])
    assert invoke(["init", "held", "--target", "label", "--sensitive", "owner"]) == 0
    data = read_data(glassbench.plan("experiment.yaml"))
    splits = [split for split in (data.train, data.validation, data.test) if split is not None]
    assert sum(map(len, splits)) == 43
    assert data.schema.target.name == "label"
    owners = dict(zip(table["picture"], table["owner"], strict=True))
    kinds = dict(zip(table["picture"], table["kind"], strict=True))
    for split in splits if ending != ".txt" else ():
        names = [Path(str(row)).stem for row in split.rows]
        assert split.groups["owner"].tolist() == [owners[name] for name in names]
        assert [data.schema.target.classes[k] for k in split.target.tolist()] == [kinds[name] for name in names]


def test_a_column_of_classes_under_another_name_is_asked_for(beside, capsys, tmp_path):
    root, dataset, _ = beside
    assert invoke(["inspect", str(root)]) == 2
    said = capsys.readouterr().err
    assert "which column of labels.csv names the classes?" in said
    assert "owner, kind" in said
    assert invoke(["init", "held", "--target", "kind"]) == 0
    content = yaml.safe_load((tmp_path / "experiment.yaml").read_text())["dataset"]
    assert (content["use"], content.get("label_column", content.get("target"))) == (dataset, "kind")


def test_tables_beside_each_other_stay_tables(tmp_path, capsys):
    for name in ("notes.txt", "rows.txt", "rows.csv"):
        (tmp_path / name).write_text("a,b\n" + "1,x\n2,y\n" * 30)
    assert len(inspected(capsys, str(tmp_path))["files"]) == 3
