"""Images from files: folders, IDX files, NumPy archives, and what is wrong with them."""

import gzip
import struct

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from glassbench.contracts.data import Lazy
from glassbench.errors import DataError
from glassbench.testing import check_dataset
from glassbench_plugins.vision.encoder import ImageEncoder
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.folder import image_folder
from glassbench_plugins.vision.idx import idx, read_idx
from glassbench_plugins.vision.npz import npz

RNG = np.random.default_rng(0)


def pixels(n, height=8, width=8, channels=None):
    shape = (n, height, width) if channels is None else (n, height, width, channels)
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Sixty images of two classes, of several formats and sizes."""
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for i in range(30):
            ending = ("png", "jpg", "bmp", "gif", "webp", "tiff")[i % 6]
            Image.fromarray(pixels(1, 10 + i % 3, 12, 3)[0]).save(tmp_path / label / f"{i}.{ending}")
    return tmp_path


def test_a_folder_keeps_the_promises_of_data_sets(folder):
    data = check_dataset(
        image_folder, encoder=ImageEncoder, path=str(folder), size=8, sensitive=("brightness", "contrast", "sharpness")
    )
    assert data.schema.shape == (3, 8, 8)
    assert data.schema.target.classes == ("cat", "dog")
    groups = data.train.groups["brightness"].str.split().str[0]
    assert set(groups) == {"low", "middle", "high"}
    assert groups.value_counts().max() - groups.value_counts().min() <= 3


def test_corrupt_images_are_named_counted_and_skipped(folder):
    (folder / "cat" / "broken.png").write_bytes(b"no image at all")
    whole = (folder / "dog" / "0.png").read_bytes()
    (folder / "dog" / "short.png").write_bytes(whole[: len(whole) // 2])
    data = image_folder(1, path=str(folder), size=8)
    assert sum(map(len, (data.train, data.validation, data.test))) == 60
    assert "2 files cannot be read as images and are skipped" in data.notes[0]
    assert "cat/broken.png (is no image)" in data.notes[0]
    assert "dog/short.png" in data.notes[0]
    assert str(folder) not in data.notes[0]


def test_images_on_disk_are_the_same_as_in_memory(folder):
    memory, disk = (image_folder(1, path=str(folder), size=8, keep=keep, sensitive=("contrast",)) for keep in ("memory", "disk"))
    assert isinstance(disk.train.inputs, Lazy)
    assert not isinstance(disk.train.inputs, tuple)
    assert torch.equal(disk.train.batch(slice(0, 9)).inputs[0], memory.train.batch(slice(0, 9)).inputs[0])
    assert disk.schema == memory.schema
    assert disk.train.groups.equals(memory.train.groups)


def test_copies_of_training_images_are_counted(folder):
    assert not any("duplicates" in note for note in image_folder(1, path=str(folder), size=8).notes)
    same = (folder / "cat" / "0.png").read_bytes()
    for i in range(20):
        (folder / "cat" / f"copy{i}.png").write_bytes(same)
    notes = image_folder(1, path=str(folder), size=8).notes
    assert any("test images are exact duplicates of training images" in note for note in notes)


def test_folders_of_parts_are_the_split(folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("parts")
    for part in ("train", "test"):
        (root / part).mkdir()
    for label in ("cat", "dog"):
        (folder / label).rename(root / "train" / label)
    (root / "test" / "cat").mkdir()
    Image.fromarray(pixels(1)[0]).save(root / "test" / "cat" / "x.png")
    data = image_folder(1, path=str(root), size=8)
    assert data.test.rows.tolist() == ["test/cat/x.png"]
    assert "No image of the class dog is in the test part." in data.notes


def test_metadata_bring_labels_and_groups(folder):
    files = [f"cat/{i}.{e}" for i, e in zip(range(30), ["png", "jpg", "bmp", "gif", "webp", "tiff"] * 5, strict=True)]
    table = pd.DataFrame({"file": files, "label": ["a", "b"] * 15, "camera": (["old", "new", ""] * 10)})
    table.loc[0, "label"] = ""
    table.to_csv(folder / "meta.csv", index=False)
    data = image_folder(1, path=str(folder), metadata=str(folder / "meta.csv"), size=8, sensitive=("camera",))
    assert set(data.train.groups["camera"]) == {"old", "new", "missing"}
    assert data.notes[0].startswith("1 rows of the metadata without a label")


def test_weights_of_the_metadata_stay_with_their_images(folder):
    files = [f"cat/{i}.{e}" for i, e in zip(range(30), ["png", "jpg", "bmp", "gif", "webp", "tiff"] * 5, strict=True)]
    table = pd.DataFrame({"file": files, "label": ["a", "b"] * 15, "w": np.arange(30) / 7})
    table.to_csv(folder / "meta.csv", index=False)
    data = image_folder(1, path=str(folder), metadata=str(folder / "meta.csv"), size=8, weight="w")
    weights = dict(zip(files, table["w"], strict=True))
    parts = (data.train, data.validation, data.test)
    assert all(part.weights.tolist() == pytest.approx([weights[name] for name in part.rows]) for part in parts)
    assert sum(len(part) for part in parts) == 29
    assert "1 rows with a weight of 0 in 'w' were left out" in str(data.treatments)


def test_clusters_of_the_metadata_stay_together_and_labels_name_them(folder):
    files = [f"cat/{i}.{e}" for i, e in zip(range(30), ["png", "jpg", "bmp", "gif", "webp", "tiff"] * 5, strict=True)]
    table = pd.DataFrame(
        {"file": files, "label": [0, 1] * 15, "sex": [1, 1, 2] * 10, "patient": [f"p{i // 2}" for i in range(30)]}
    )
    table.to_csv(folder / "meta.csv", index=False)
    labels = {"label": {"0": "well", "1": "ill"}, "sex": {"1": "man", "2": "woman"}, "patient": "person"}
    settings = {"metadata": str(folder / "meta.csv"), "size": 8, "sensitive": ("sex",), "cluster": "patient", "labels": labels}
    data = image_folder(1, path=str(folder), positive="1", **settings)
    patients = dict(zip(files, table["patient"], strict=True))
    parts = (data.train, data.validation, data.test)
    assert all(part.clusters.tolist() == [patients[name] for name in part.rows] for part in parts)
    assert sum(len(set(part.clusters)) for part in parts) == 15
    assert (data.schema.target.classes, data.schema.target.positive) == (("ill", "well"), "ill")
    sexes = dict(zip(files, table["sex"].map({1: "man", 2: "woman"}), strict=True))
    assert data.test.groups["sex"].tolist() == [sexes[name] for name in data.test.rows]
    coded = table.assign(file=[str(folder / name) for name in files])[table["file"].isin(data.test.rows)]
    encoder = ImageEncoder.from_json(data.encoder.to_json())
    read = encoder.encode(coded.sort_values("file"))
    assert read.groups["sex"].tolist() == [sexes[name] for name in sorted(data.test.rows)]
    assert read.target.tolist() == [
        data.schema.target.classes.index("well" if k == 0 else "ill") for k in coded.sort_values("file")["label"]
    ]


def test_deep_grey_and_transparent_images_are_read_as_they_look(tmp_path):
    deep = np.linspace(0, 65_535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    grey = Form(height=8, width=8, colour=False)
    assert np.abs(read_image(tmp_path / "deep.png", grey)[0].astype(int) - deep / 257).max() <= 1
    assert (read_image(tmp_path / "clear.png", grey) == 255).all()


def write_idx(path, array):
    content = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def mnist(tmp_path):
    for name, n in (("train", 60), ("t10k", 20)):
        write_idx(tmp_path / f"{name}-images-idx3-ubyte.gz", pixels(n))
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", np.arange(n, dtype=np.uint8) % 3)
    return tmp_path


def test_idx_files_keep_the_promises_of_data_sets(mnist):
    data = check_dataset(idx, path=str(mnist), classes=("shirt", "shoe", "bag"), sensitive=("sharpness",))
    assert data.schema.target.classes == ("shirt", "shoe", "bag")
    assert len(data.test) == 20
    raw = read_idx(mnist / "t10k-images-idx3-ubyte.gz")
    mean, std = data.schema.facts.mean[0], data.schema.facts.std[0]
    assert np.allclose(data.test.inputs[0][:, 0].numpy() * std + mean, raw / 255, atol=1e-6)


def test_idx_files_that_are_wrong_say_how(mnist):
    labels = mnist / "train-labels-idx1-ubyte.gz"
    write_idx(labels, np.zeros(59, dtype=np.uint8))
    with pytest.raises(DataError, match="not one label for each image") as caught:
        idx(1, path=str(mnist))
    assert "60 images" in caught.value.got
    labels.write_bytes(labels.read_bytes()[:-9])
    with pytest.raises(DataError, match="cannot be read"):
        idx(1, path=str(mnist))
    labels.unlink()
    with pytest.raises(DataError, match="no file 'train-labels-"):
        idx(1, path=str(mnist))
    (mnist / "text").write_bytes(b"hello")
    with pytest.raises(DataError, match="no IDX file"):
        read_idx(mnist / "text")


def archive(path, **changed):
    arrays = {}
    for part, n in (("train", 40), ("val", 10), ("test", 10)):
        arrays |= {f"{part}_images": pixels(n, channels=3), f"{part}_labels": (np.arange(n) % 2).astype(np.uint8)[:, None]}
    np.savez(path, **{name: array for name, array in (arrays | changed).items() if array is not None})
    return str(path)


def test_npz_archives_keep_the_promises_of_data_sets(tmp_path):
    data = check_dataset(npz, seeded=False, path=archive(tmp_path / "a.npz"), classes=("healthy", "ill"))
    assert (len(data.train), len(data.validation), len(data.test)) == (40, 10, 10)
    assert data.schema.target.positive == "ill"
    colours = data.train.inputs[0].double().transpose(0, 1).flatten(1)
    assert torch.allclose(colours.mean(dim=1), torch.zeros(3, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(colours.std(dim=1, correction=0), torch.ones(3, dtype=torch.float64), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"test_labels": None}, "holds no 'test_labels'"),
        ({"val_labels": np.zeros(9, dtype=int)}, "not one label for each image"),
        ({"train_labels": np.zeros((40, 14), dtype=int)}, "one whole number from 0"),
        ({"train_images": np.zeros((40, 8))}, "must be bytes"),
        ({"train_images": np.zeros((40, 8, 8, 5), dtype=np.uint8)}, "wrong shape"),
        ({"test_images": np.zeros((10, 9, 8, 3), dtype=np.uint8)}, "differ in the size"),
        ({"test_labels": np.full(10, 2)}, "a label has no name"),
    ],
)
def test_npz_archives_that_are_wrong_say_how(tmp_path, changed, problem):
    with pytest.raises(DataError, match=problem):
        npz(1, path=archive(tmp_path / "a.npz", **changed), classes=("healthy", "ill"))


def test_archives_are_never_unpickled(tmp_path):
    path = archive(tmp_path / "a.npz", train_labels=np.array([{}] * 40, dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        npz(1, path=path)


@pytest.mark.parametrize("build", [image_folder, idx, npz])
def test_a_missing_path_is_said_to_be_missing(build):
    with pytest.raises(DataError, match="there is no such"):
        build(1, path="nowhere")


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match="holds no images in folders of classes"):
        image_folder(1, path=str(tmp_path))
    (tmp_path / "cat" / "a.png").write_bytes(b"broken")
    with pytest.raises(DataError, match="no image can be read"):
        image_folder(1, path=str(tmp_path))
