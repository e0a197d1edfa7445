"""Local Law 144: the published example's figures, unknowns, small categories, scores."""

import pytest

from glassbench_audits.selection.local_law_144 import audit

SEX = [({"sex": "male"}, 667, 1390), ({"sex": "female"}, 555, 1181)]
RACE = [("Hispanic", 204, 408), ("White", 412, 797), ("Black", 170, 390), ("Pacific", 52, 119), ("Asian", 302, 616)]
RACE = [({"race": name}, a, n) for name, a, n in [*RACE, ("Native", 18, 41), ("Two or more", 96, 213)]]
PUBLISHED = {"Hispanic": 0.97, "White": 1.00, "Black": 0.84, "Pacific": 0.85, "Asian": 0.95, "Native": 0.85, "Two or more": 0.87}


def values(result, name):
    found = [m for m in result.measures if m.name == f"local-law-144.{name}"]
    return {" & ".join((m.group or {}).values()): m.value for m in found}


def test_the_published_ratios(decided):
    assert {k: round(v, 3) for k, v in values(audit(decided(*SEX)), "impact_ratio").items()} == {"male": 1.0, "female": 0.979}
    assert {k: round(v, 2) for k, v in values(audit(decided(*RACE)), "impact_ratio").items()} == PUBLISHED


def test_nothing_passes_or_fails(decided):
    result = audit(decided(*RACE))
    assert result.findings == ()
    assert result.grade == "not applicable"
    assert "sets no pass mark" in result.tables[0].note


def test_unknown_categories_are_counted_and_not_calculated_with(decided):
    with_unknown = audit(decided(*SEX, ({"sex": "unknown"}, 60, 60), ({"sex": "missing"}, 5, 10)))
    assert values(with_unknown, "impact_ratio") == values(audit(decided(*SEX)), "impact_ratio")
    assert values(with_unknown, "unknown") == {"": 70.0}
    assert ("unknown", 70, None, None, "not calculated", None, None) in with_unknown.tables[0].rows


def test_small_categories_may_be_left_out_and_stay_in_sight(decided):
    result = audit(decided(*RACE, ({"race": "tiny"}, 9, 9)), leave_out_below=0.02)
    assert {k: round(v, 2) for k, v in values(result, "impact_ratio").items() if v} == {
        k: v for k, v in PUBLISHED.items() if k != "Native"
    }
    row = next(row for row in result.tables[0].rows if row[0] == "tiny")
    assert row[1:5] == (9, 9, 1.0, "left out")


def test_categories_of_both_features_together(decided):
    both = [({"sex": s, "race": r}, a, 100) for s, r, a in [("f", "x", 50), ("f", "y", 40), ("m", "x", 30), ("m", "missing", 90)]]
    result = audit(decided(*both))
    assert values(result, "impact_ratio")["f & y"] == pytest.approx(0.8)
    assert next(m.value for m in result.measures if m.name.endswith("unknown") and m.by == ("sex", "race")) == 100


def test_scoring_rates_count_those_above_the_median(decided):
    cells = [({"sex": "f"}, 4, 8), ({"sex": "m"}, 2, 8)]
    result = audit(decided(*cells, scores=lambda frame: [i / 16 for i in range(16)]))
    assert result.method.parameters["median_score"] == pytest.approx(7.5 / 16)
    assert values(result, "scoring_rate") == {"f": 0.0, "m": 1.0}
    assert values(result, "scoring_impact_ratio") == {"f": 0.0, "m": 1.0}


def test_nobody_selected_gives_no_ratio(decided):
    result = audit(decided(({"sex": "f"}, 0, 20), ({"sex": "m"}, 0, 20)))
    assert set(values(result, "impact_ratio").values()) == {None}
