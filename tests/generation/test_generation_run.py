"""Generation through a whole run: audits, pictures, report, and the same predictions from the stored model."""

from pathlib import Path

import pytest

from glassbench import load_run, run

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "generation.yaml"


def found(done, audit):
    return next(one for one in done.audits if one.audit == audit)


def value(done, name):
    return next(m.value for one in done.audits for m in one.measures if m.name == name)


def test_a_small_run_is_audited_and_reported(tmp_path, quick_judge):
    tiny = ["model={use: conditional-vae, code: 2, hidden: [16]}", "trainer.max_epochs=1", "gates=[]", "about={}"]
    done = run(
        EXAMPLE, runs=tmp_path, overrides=[*tiny, "audits=[performance, samples, memorisation, fairness]", "task.pictures=200"]
    )
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    assert {one.audit for one in done.audits if one.not_applicable} == set()
    assert found(done, "samples").pictures[0].title == "Generated and held-out images"
    page = (done.folder / "report.html").read_text()
    assert "Generates an image of a wanted class" in page
    assert "drawing from a Gaussian mixture per class" in page
    assert load_run(done.folder).model.noise_shape == (2,)


@pytest.mark.slow
def test_the_example_makes_digits_of_the_wanted_class_that_are_no_copies(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    assert value(done, "performance.condition_accuracy") >= 0.95
    assert value(done, "performance.frechet_distance") < value(done, "performance.frechet_distance_baseline")
    assert "concern" not in {finding.grade for finding in found(done, "memorisation").findings}
