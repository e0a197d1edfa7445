"""A folder of sound files as a data set."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from glassbench.errors import DataError
from glassbench.testing import check_dataset
from glassbench_plugins.audio.folder import wav_folder
from glassbench_plugins.audio.tones import tones

SHORT = {"rate": 8000, "seconds": 0.1}


@pytest.fixture
def folder(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(40):
        kind, rate = ("cat", "dog")[number % 2], (8000, 16000)[number % 4 // 2]
        sound = generator.normal(size=(rate // 10, 1 + number % 3 // 2)) * 0.1
        path = tmp_path / "sounds" / kind / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound, rate)
    return tmp_path / "sounds"


def test_folders_are_classes_and_what_was_done_is_counted(folder):
    (folder / "cat" / "broken.wav").write_bytes(b"nothing")
    (folder / "dog" / "notes.txt").write_text("no sound")
    data = check_dataset(wav_folder, path=str(folder), **SHORT)
    assert data.schema.target.classes == ("cat", "dog")
    assert len(data.train) + len(data.validation) + len(data.test) == 40
    notes = " ".join(data.notes)
    assert "20 of 40 files were resampled to 8,000 Hz" in notes
    assert "13 of 40 files were mixed" in notes
    assert "1 files cannot be read and are skipped: cat/broken.wav" in notes


def test_clips_on_disk_are_those_in_memory(folder):
    memory, disk = (wav_folder(1, path=str(folder), keep=keep, **SHORT) for keep in ("memory", "disk"))
    first, second = memory.test.batch(slice(None)), disk.test.batch(slice(None))
    assert memory.test.rows.tolist() == disk.test.rows.tolist()
    assert torch.equal(first.inputs[0], second.inputs[0])


def test_metadata_bring_labels_groups_and_who_belongs_together(folder, tmp_path):
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.wav"))
    table = pd.DataFrame({"file": files, "label": [f.split("/")[0] for f in files]})
    table["speaker"] = [f"s{k % 20}" for k in range(40)]
    table["device"] = ["phone" if k % 3 else "" for k in range(40)]
    table.to_csv(tmp_path / "about.csv", index=False)
    settings = {"metadata": str(tmp_path / "about.csv"), "sensitive": ("speaker", "device"), "cluster": "speaker"}
    data = wav_folder(0, path=str(folder), **settings, **SHORT)
    speakers = [set(split.groups["speaker"]) for split in (data.train, data.validation, data.test)]
    assert sum(map(len, speakers)) == len(set.union(*speakers)) == 20
    assert set(data.train.groups["device"]) == {"phone", "missing"}
    for split in (data.train, data.validation, data.test):
        assert split.clusters.tolist() == split.groups["speaker"].tolist()
    assert "Rows with the same speaker are one cluster: 40 rows of 20 clusters." in data.notes


def test_labels_name_classes_and_values_of_the_metadata(folder, tmp_path):
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.wav"))
    table = pd.DataFrame(
        {"name": files, "kind": [int(f.startswith("dog")) for f in files], "sex": [1 + k % 2 for k in range(40)]}
    )
    table.to_csv(tmp_path / "about.csv", index=False)
    labels = {"kind": {"0": "cat", "1": "dog"}, "sex": {"1": "man", "2": "woman"}}
    settings = {"metadata": str(tmp_path / "about.csv"), "file_column": "name", "label_column": "kind", "sensitive": ("sex",)}
    data = wav_folder(0, path=str(folder), labels=labels, positive="0", **settings, **SHORT)
    assert data.schema.target.classes == ("cat", "dog")
    assert data.schema.target.positive == "cat"
    known = dict(zip(files, table["sex"].map({1: "man", 2: "woman"}), strict=True))
    assert data.test.groups["sex"].tolist() == [known[name] for name in data.test.rows]
    assert [data.schema.target.classes[int(k)] for k in data.test.target] == [name.split("/")[0] for name in data.test.rows]


def test_files_without_a_label_are_left_out_and_counted(folder, tmp_path):
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.wav"))
    table = pd.DataFrame({"file": files, "label": [*("" for _ in files[:3]), *(f.split("/")[0] for f in files[3:])]})
    table.to_csv(tmp_path / "about.csv", index=False)
    data = wav_folder(0, path=str(folder), metadata=str(tmp_path / "about.csv"), **SHORT)
    assert data.schema.target.classes == ("cat", "dog")
    assert "3 rows of the metadata without a label or a file are left out." in data.notes


def test_a_folder_without_sounds_is_refused(tmp_path):
    with pytest.raises(DataError, match="no sound files"):
        wav_folder(0, path=str(tmp_path))
    with pytest.raises(DataError, match="no such folder"):
        wav_folder(0, path=str(tmp_path / "away"))


def test_groups_need_metadata(folder):
    with pytest.raises(DataError, match="table of metadata"):
        wav_folder(0, path=str(folder), sensitive=("speaker",))


def test_generated_clips_keep_their_promises():
    data = check_dataset(tones, rows=40, seconds=0.2)
    assert data.schema.shape == (1600,)
    assert torch.bincount(torch.cat([data.train.target, data.validation.target, data.test.target])).tolist() == [10] * 4
