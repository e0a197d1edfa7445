"""Images worked out by hand: what is measured of them, how they are scaled, read, divided and moved."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.vision.annotated import _absent_notes
from glassbench_plugins.vision.assembly import Collection, divided, few_of_each, one_class
from glassbench_plugins.vision.augmentation import Augmentation
from glassbench_plugins.vision.duplicates import duplicate_notes, prints
from glassbench_plugins.vision.files import Form, read_image, size_of_file
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.properties import luminance, measured, terciles
from glassbench_plugins.vision.scaling import fit_scaling, moments
from glassbench_plugins.vision.stacks import Stack, joined


def test_light_is_weighed_by_colour_and_spreads_are_those_of_all_pixels() -> None:
    red, green, blue = (torch.zeros(1, 3, 1, 1, dtype=torch.uint8) for _ in range(3))
    red[0, 0], green[0, 1], blue[0, 2] = 255, 255, 255
    assert [float(luminance(one)) for one in (red, green, blue)] == pytest.approx([0.299, 0.587, 0.114])
    pixels = torch.tensor([[[[0, 0, 0, 0], [0, 255, 0, 255], [0, 0, 0, 0]]]], dtype=torch.uint8)
    found = measured(pixels).iloc[0]
    light = pixels.numpy().ravel() / 255
    laplacian = np.array([-4.0, 2.0])
    assert found.tolist() == pytest.approx([light.mean(), light.std(), laplacian.std()])


def test_a_value_on_a_tercile_of_the_training_images_lies_above_it() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0, 200.0])
    found = terciles(values, np.arange(4))
    assert [text.split()[0] for text in found] == ["low", "middle", "high", "high", "high", "high"]


def test_a_channels_spread_is_that_of_all_pixels_of_all_images() -> None:
    pixels = torch.tensor([[[[0, 0], [0, 0]]], [[[255, 255], [255, 255]]], [[[0, 255], [0, 255]]]], dtype=torch.uint8)
    scaling = fit_scaling(moments(pixels))
    assert (scaling.mean, scaling.std) == ((pytest.approx(0.5),), (pytest.approx(0.5),))
    flat = fit_scaling(moments(pixels[:1]))
    assert (flat.mean, flat.std) == ((0.0,), (1.0,))


def test_images_of_another_part_are_duplicates_where_they_are_learnt_from() -> None:
    pixels = torch.arange(6, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 2, 2)
    pixels[4], pixels[5] = pixels[0], pixels[2]
    parts = {"train": np.array([0, 1]), "validation": np.array([2, 3]), "test": np.array([4, 5])}
    assert duplicate_notes(parts, prints(pixels)) == ("1 of 2 test images are exact duplicates of training images.",)


@pytest.mark.parametrize(("turn", "size"), [(1, (3, 5)), (4, (3, 5)), (5, (5, 3)), (6, (5, 3)), (8, (5, 3))])
def test_an_image_has_the_size_that_its_camera_meant(turn, size, tmp_path) -> None:
    image = Image.new("RGB", (5, 3))
    exif = image.getexif()
    exif[274] = turn
    image.save(tmp_path / "a.jpg", exif=exif)
    assert size_of_file(tmp_path / "a.jpg") == size


def test_transparent_parts_are_white_and_sixteen_bits_are_scaled(tmp_path) -> None:
    clear = np.zeros((2, 2, 4), dtype=np.uint8)
    clear[0, :, 3] = 255
    Image.fromarray(clear).save(tmp_path / "clear.png")
    form = Form(height=2, width=2, colour=False)
    assert read_image(tmp_path / "clear.png", form).tolist() == [[[0, 0], [255, 255]]]
    Image.fromarray(np.array([[0, 32_768], [65_535, 257]], dtype=np.uint16)).save(tmp_path / "deep.png")
    assert read_image(tmp_path / "deep.png", form).tolist() == [[[0, 127], [255, 1]]]


def test_a_part_without_a_class_is_named_with_it() -> None:
    held = {0: {0, 1, 2}, 1: {0, 2}, 2: {1, 2}}
    images = SimpleNamespace(
        classes=("cat", "dog", "owl"), piece="box", present=lambda rows: set().union(*(held[int(row)] for row in rows))
    )
    parts = {"train": np.array([0]), "validation": np.array([1]), "test": np.array([1, 2])}
    assert _absent_notes(images, parts) == ("No box of the class dog is in the validation part.",)


def collection(labels: list[str]) -> Collection:
    pixels = torch.arange(len(labels), dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 8, 8)
    return Collection(pictures=InMemory(pixels), labels=pd.Series(labels), rows=np.arange(len(labels)), classes=())


def test_of_one_class_that_is_learnt_validation_images_are_too_and_all_are_judged() -> None:
    images = one_class(collection(["cat", "dog", "owl"] * 30), "dog")
    found = divided(images, Division(seed=0, validation=0.2, test=0.3))
    kinds = {part: set(images.labels.iloc[rows]) for part, rows in found.parts.items()}
    normal, unusual = images.classes
    assert kinds == {"train": {normal}, "validation": {normal}, "test": {normal, unusual}}


def test_few_images_are_taken_of_classes_in_turn() -> None:
    labels = pd.Series(["cat"] * 80 + ["dog"] * 15 + ["owl"] * 2)
    rows = np.arange(97)
    taken = few_of_each(rows, labels, 12, seed=3)
    assert labels.iloc[taken].value_counts().to_dict() == {"cat": 5, "dog": 5, "owl": 2}
    assert (np.diff(taken) > 0).all()


def test_labels_of_joined_parts_stand_beside_their_images() -> None:
    def stack(codes: list[int], first: int) -> Stack:
        images = np.arange(first, first + len(codes), dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
        return Stack.of(images, np.array(codes)[:, None], "images", "labels")

    whole, given = joined({"train": stack([2, 0, 1], 10), "test": stack([0, 2], 50)}, ("cat", "dog", "owl"))
    assert whole.labels.tolist() == ["owl", "cat", "dog", "cat", "owl"]
    assert whole.rows.tolist() == ["train/0", "train/1", "train/2", "test/0", "test/1"]
    assert whole.pixels[:, 0, 0, 0].tolist() == [10, 11, 12, 50, 51]
    assert {part: rows.tolist() for part, rows in given.items()} == {"train": [0, 1, 2], "test": [3, 4]}


def test_images_move_by_an_eighth_of_each_side() -> None:
    torch.manual_seed(0)
    height, width = 32, 8
    moved = Augmentation("shift", height, width).train()
    rows = torch.arange(height).float()[None, None, :, None].expand(300, 1, height, width)
    columns = torch.arange(width).float()[None, None, None, :].expand(300, 1, height, width)
    found = moved(torch.cat([rows, columns], dim=1))
    assert sorted(set((found[:, 0, 16, 4] - 16).tolist())) == list(range(-4, 5))
    assert sorted(set((found[:, 1, 16, 4] - 4).tolist())) == [-1, 0, 1]
