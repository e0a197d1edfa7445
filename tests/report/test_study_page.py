"""The report of a study says first whether its winner can be told from the others."""

import pytest

from glassbench.report.study_page import render_study


def study(*ends):
    """Return what a study of candidates with these intervals found, the first of them the winner."""
    candidates = [
        {
            "words": f"model.C={place}",
            "objectives": [{"value": (low + high) / 2, "low": low, "high": high, "undefined": None}],
            "runs": [{"run": f"r{place}", "seed": 0, "fold": None, "words": "seed 0"}],
            "values": [[(low + high) / 2]],
        }
        for place, (low, high) in enumerate(ends)
    ]
    objective = {"measure": "performance.accuracy", "by": None, "group": None, "higher_is_better": True}
    winner = {"candidate": 0, "among": len(ends), "naive": None, "nested": None, "chosen_on_other_folds": None}
    runs = {"asked": len(ends), "done": len(ends), "failed": {}, "pruned": 0}
    told = {"study": "s", "name": "one", "level": 0.95, "folds": None, "search": None, "behind": {}, "frontier": [0], "sizes": []}
    return {**told, "runs": runs, "objectives": [objective], "candidates": candidates, "winner": winner, "variation": [None]}


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ([(0.7, 0.9), (0.6, 0.8)], "Which of the two is better cannot be told"),
        ([(0.7, 0.9), (0.5, 0.6)], "The other is worse beyond chance"),
        ([(0.7, 0.9), (0.6, 0.8), (0.65, 0.75)], "the intervals of all 2 others overlap its own"),
        ([(0.7, 0.9), (0.6, 0.8), (0.1, 0.2)], "1 of the 2 others is worse beyond chance"),
        ([(0.7, 0.9), (0.3, 0.4), (0.1, 0.2)], "All 2 others are worse beyond chance"),
    ],
)
def test_the_head_of_the_page_says_whether_the_best_can_be_told(ends, words):
    page = render_study(study(*ends))
    assert words in page.split("</header>")[0]
