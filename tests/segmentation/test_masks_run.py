"""Masks through a whole run: audits, pictures, report and prediction of new images."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "masks.yaml"


def found(done, audit):
    return next(one for one in done.audits if one.audit == audit)


def test_a_small_run_is_audited_and_reported(tmp_path):
    tiny = ["dataset.rows=60", "trainer.max_epochs=2", "audits=[performance, fairness, data]", "gates=[]", "about={}"]
    done = run(EXAMPLE, runs=tmp_path, overrides=tiny)
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    assert {one.audit for one in done.audits if one.not_applicable} == set()
    pictures = found(done, "performance").pictures
    assert any(picture.title.startswith("The picture with the lowest Dice coefficient") for picture in pictures)
    page = (done.folder / "report.html").read_text()
    assert "Gives each pixel of each image a class" in page
    assert "what is true, and what was predicted" in page


@pytest.mark.slow
def test_the_example_finds_what_was_planted_and_nothing_else(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    assert next(m.value for m in found(done, "performance").measures if m.name == "performance.dice") > 0.8
    concerned = [f.sentence for f in found(done, "fairness").findings if f.grade == "concern"]
    assert concerned
    assert all("camera" in sentence for sentence in concerned)
    assert found(done, "explain").reliability is not None
