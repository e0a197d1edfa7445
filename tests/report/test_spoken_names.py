"""Names of columns stand as words in what people read, and as they are in what machines do."""

from glassbench.report import render_report
from glassbench.report.templating import with_spoken_names


def test_a_page_says_names_as_words(report):
    text = report.partition("<main")[0]
    assert "age_band" not in text
    assert "age band" in report
    assert "age_band" in report.partition("The experiment as resolved")[2]


def test_code_scripts_attributes_and_other_names_stay():
    kept = "<code>age_band</code><script>age_band</script>"
    page = f'<p title="age_band">by age_band, my_age_band and age_band_2 of x.age_band</p>{kept}'
    assert with_spoken_names(page, ["age_band", "plain"]) == page.replace("by age_band,", "by age band,")


def test_the_longest_name_is_the_one_that_is_said():
    assert (
        with_spoken_names("<p>age_band and age_band_old</p>", ["age_band", "age_band_old"]) == "<p>age band and age band old</p>"
    )


def test_hostile_names_are_no_patterns_and_no_tags(write_run, tmp_path):
    assert with_spoken_names("<p>a_b(</p>", ["a_b(", "_", "a_", "<b_c>"]) == "<p>a_b(</p>"
    assert "<script>alert" not in render_report(write_run(tmp_path / "run"))
