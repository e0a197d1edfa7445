"""Folders of images and masks: what is read of them, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from glassbench import DataError
from glassbench.testing import check_dataset
from glassbench_plugins.segmentation.encoder import MaskEncoder
from glassbench_plugins.segmentation.mask_folder import mask_folder

NAMED = {0: "background", 255: "cell"}


@pytest.fixture
def folder(tmp_path):
    chance = np.random.default_rng(1)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number in range(20):
        Image.fromarray(chance.integers(0, 255, (16, 24, 3)).astype(np.uint8)).save(tmp_path / "images" / f"{number:02}.jpg")
        save_mask(tmp_path, number, chance.choice([0, 255], (16, 24)))
    return tmp_path


def save_mask(folder, number, values):
    Image.fromarray(np.asarray(values).astype(np.uint8)).save(folder / "masks" / f"{number:02}.png")


def read(folder, **settings):
    return mask_folder(1, **{"path": str(folder), "classes": NAMED, **settings})


def test_masks_are_read_as_they_were_written(folder):
    data = read(folder)
    assert data.schema.target.classes == ("background", "cell")
    assert data.schema.shape == (3, 16, 24)
    mask = np.asarray(Image.open(folder / "masks" / data.test.rows[0].replace("jpg", "png")))
    assert (data.test.target[0].numpy() == (mask == 255)).all()


def test_the_data_set_keeps_its_promises(folder):
    check_dataset(lambda seed, **settings: mask_folder(seed, **settings), path=str(folder), classes=NAMED)


def test_pictures_and_masks_are_cut_alike(folder):
    left = np.zeros((16, 24))
    left[:, :12] = 255
    for number in range(20):
        save_mask(folder, number, left)
        image = np.repeat(left[..., None], 3, axis=2)
        Image.fromarray(image.astype(np.uint8)).save(folder / "images" / f"{number:02}.jpg", quality=100)
    for fit in ("crop", "squeeze"):
        data = read(folder, size=[8, 8], fit=fit)
        bright = data.test.inputs[0][:, 0] > 0
        assert (bright == data.test.target.bool()).float().mean() > 0.98


def test_an_image_without_a_mask_is_named(folder):
    (folder / "masks" / "03.png").unlink()
    with pytest.raises(DataError, match="1 of 20 images have no mask") as error:
        read(folder)
    assert "03.jpg" in str(error.value.got)


def test_a_mask_of_another_size_is_refused_with_both_sizes(folder):
    save_mask(folder, 4, np.zeros((16, 25)))
    with pytest.raises(DataError, match="another size than its image") as error:
        read(folder)
    assert "16 x 24" in str(error.value.got)
    assert "16 x 25" in str(error.value.got)


def test_a_value_that_no_class_is_named_for_is_refused_unless_it_is_ignored(folder):
    values = np.zeros((16, 24))
    values[3, :5] = 7
    for number in range(20):
        save_mask(folder, number, values)
    with pytest.raises(DataError, match="no class is named for") as error:
        read(folder)
    assert "7" in str(error.value.got)
    assert int((read(folder, ignore=[7]).test.target[0] == -1).sum()) == 5


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"images": "pictures"}, "no such folder"),
        ({"classes": {0: "cell"}}, "two classes at least"),
        ({"ignore": [0]}, "both a class and ignored"),
        ({"sensitive": ["age"]}, "no such feature to audit by"),
        ({"metadata": "images/../parts.csv"}, "not there"),
    ],
)
def test_settings_that_do_not_fit_are_refused(folder, settings, said):
    pd.DataFrame({"file": ["00.jpg", "99.jpg"]}).to_csv(folder / "parts.csv", index=False)
    if "metadata" in settings:
        settings = {"metadata": str(folder / "parts.csv")}
    with pytest.raises(DataError, match=said):
        read(folder, **settings)


def test_a_damaged_mask_and_a_mask_in_colours_are_refused(folder):
    (folder / "masks" / "05.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(DataError, match="mask cannot be read"):
        read(folder)
    colours = np.random.default_rng(1).integers(0, 255, (16, 24, 3))
    Image.fromarray(colours.astype(np.uint8)).save(folder / "masks" / "05.png")
    with pytest.raises(DataError, match="no image of one number per pixel"):
        read(folder)


def test_images_of_several_sizes_need_a_size(folder):
    Image.fromarray(np.zeros((20, 24, 3), dtype=np.uint8)).save(folder / "images" / "00.jpg")
    save_mask(folder, 0, np.zeros((20, 24)))
    with pytest.raises(DataError, match="differ in size"):
        read(folder)
    assert read(folder, size=16).schema.shape == (3, 16, 16)


def test_the_encoder_reads_files_again_after_it_was_written(folder):
    data = read(folder)
    again = MaskEncoder.from_json(data.encoder.to_json())
    encoded = again.encode(data.test.raw)
    assert (encoded.inputs[0] == data.test.inputs[0]).all()
    assert (encoded.target == data.test.target).all()
    assert again.encode(data.test.raw[["file"]]).target is None


def test_the_parts_of_a_table_are_kept(folder):
    names = [f"{number:02}.jpg" for number in range(20)]
    parts = pd.DataFrame({"file": names, "part": ["test" if number >= 14 else "train" for number in range(20)]})
    parts.to_csv(folder / "parts.csv", index=False)
    data = read(folder, metadata=str(folder / "parts.csv"), split={"by": "column", "column": "part", "validation": 0})
    assert sorted(data.test.rows) == names[14:]
