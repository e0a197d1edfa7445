"""Pascal VOC and COCO files: what is read of them, what is left out and named, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

from glassbench import DataError
from glassbench_plugins.detection.annotations import read_coco, read_voc
from glassbench_plugins.detection.encoder import BoxEncoder
from glassbench_plugins.detection.files import coco, voc

BOXES = [("red", 10, 5, 30, 25), ("white", 0, 0, 8, 8)]


def xml(name, boxes):
    objects = "".join(
        f"<object><name>{kind}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for kind, a, b, c, d in boxes
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<annotation><filename>{name}</filename>{objects}</annotation>'


@pytest.fixture
def folder(tmp_path):
    chance = np.random.default_rng(1)
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (tmp_path / part).mkdir(parents=True)
    for number in range(20):
        pixels = chance.integers(0, 255, (30, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "JPEGImages" / f"{number:02}.jpg")
        (tmp_path / "Annotations" / f"{number:02}.xml").write_text(xml(f"{number:02}.jpg", BOXES))
    return tmp_path


def lists(folder):
    for name, numbers in (("train", range(12)), ("val", range(12, 15)), ("test", range(15, 20))):
        (folder / "ImageSets" / "Main" / f"{name}.txt").write_text("".join(f"{number:02}\n" for number in numbers))


def test_boxes_are_squeezed_with_their_images_and_lists_divide_them(folder):
    lists(folder)
    data = voc(1, path=str(folder), size=[15, 80])
    assert (len(data.train), len(data.validation), len(data.test)) == (12, 3, 5)
    assert list(data.test.rows) == [f"{number:02}.jpg" for number in range(15, 20)]
    assert data.schema.target.classes == ("red", "white")
    assert data.test.target[0].tolist() == [[20, 2.5, 60, 12.5, 0], [0, 0, 16, 4, 1]]


def test_faulty_boxes_are_left_out_counted_and_named(folder):
    faulty = [("red", 10, 5, 10, 25), ("white", 50, 3, 60, 8), ("red", 30, 20, 44, 33)]
    (folder / "Annotations" / "03.xml").write_text(xml("03.jpg", faulty))
    data = voc(1, path=str(folder), size=[30, 40])
    (note,) = [note for note in data.notes if "faulty" in note]
    assert note.startswith("2 boxes are faulty and are left out")
    assert "03.jpg: red 10, 5 to 10, 25 has no area" in note
    assert "03.jpg: white 50, 3 to 60, 8 lies outside" in note
    part = next(p for p in (data.train, data.validation, data.test) if "03.jpg" in p.rows)
    kept = part.target[list(part.rows).index("03.jpg")]
    assert kept[kept[:, 4] >= 0].tolist() == [[30, 20, 40, 30, 0]]  # cut at the edges


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><annotation><filename>&b;</filename></annotation>'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><annotation><filename>&a;</filename></annotation>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB.encode(), "document type"),
        (OUTSIDE.encode(), "document type"),
        (BOMB.replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"), "no text in UTF-8"),
        (b"<annotation><object>", "no XML"),
        (b"<annotation><filename>&lol;</filename></annotation>", "no XML"),
        (b"<annotation><object><name>red</name></object></annotation>", "lacks its name or a side"),
        (xml("a", [("red", "left", 1, 2, 3)]).encode(), "no number"),
    ],
)
def test_xml_that_expands_fetches_or_lacks_something_is_refused(tmp_path, content, said):
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_voc(tmp_path / "a.xml")


def test_an_annotation_of_an_image_outside_the_folder_or_of_none_is_refused(folder):
    (folder / "secret.jpg").write_bytes((folder / "JPEGImages" / "00.jpg").read_bytes())
    (folder / "Annotations" / "00.xml").write_text(xml("../secret.jpg", BOXES))
    with pytest.raises(DataError, match="outside its folder"):
        voc(1, path=str(folder))
    (folder / "Annotations" / "00.xml").write_text(xml("99.jpg", BOXES))
    with pytest.raises(DataError, match="not there"):
        voc(1, path=str(folder))


def test_a_list_that_names_an_image_without_annotation_is_refused(folder):
    lists(folder)
    with (folder / "ImageSets" / "Main" / "test.txt").open("a") as file:
        file.write("77\n")
    with pytest.raises(DataError, match="without annotations") as error:
        voc(1, path=str(folder))
    assert "77" in str(error.value.got)


def described(folder):
    return {
        "images": [{"id": number, "file_name": f"{number:02}.jpg"} for number in range(20)],
        "categories": [{"id": 7, "name": "red"}, {"id": 9, "name": "white"}],
        "annotations": [
            {"image_id": number, "category_id": {"red": 7, "white": 9}[kind], "bbox": [a, b, c - a, d - b], "iscrowd": 0}
            for number in range(20)
            for kind, a, b, c, d in BOXES
        ],
    }


def test_both_forms_of_the_same_boxes_are_the_same_data(folder):
    (folder / "boxes.json").write_text(json.dumps(described(folder)))
    one = voc(1, path=str(folder), size=[30, 40])
    other = coco(1, path=str(folder / "JPEGImages"), annotations=str(folder / "boxes.json"), size=[30, 40])
    assert (one.test.rows == other.test.rows).all()
    assert (one.test.target == other.test.target).all()
    assert (BoxEncoder.from_json(other.encoder.to_json()).encode(other.test.raw).inputs[0] == other.test.inputs[0]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.pop("categories"), "not in COCO's form"),
        (lambda content: content["annotations"][0].update(category_id=1), "not in COCO's form"),
        (lambda content: content["annotations"][0].update(image_id=99), "not in COCO's form"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2]), "not in COCO's form"),
    ],
)
def test_annotations_in_another_form_are_refused(folder, change, said):
    content = described(folder)
    change(content)
    (folder / "boxes.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=said):
        read_coco(folder / "boxes.json")
