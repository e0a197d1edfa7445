"""Generated reports of incidents, to be said in one sentence: which of their words belong into it is known."""

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.table import Reading
from glassbench_plugins.translation.pairs import PairColumns, pair_data

PLACES = ("harbour", "library", "market", "museum", "station", "theatre", "airport", "school", "stadium", "hospital")
EVENTS = {
    "fire": ("flames were seen", "smoke rose", "something burnt"),
    "flood": ("water came in", "the cellar was under water", "a pipe burst"),
    "theft": ("a bag was taken", "bicycles were missing", "a till was emptied"),
    "power cut": ("all lights went out", "the current failed", "lifts stood still"),
}
HURT = {"nobody hurt": "Nobody was harmed", "one hurt": "One person was harmed", "several hurt": "Several people were harmed"}
_PLACE = ("It happened at the {}", "The call came from the {}", "Crews went to the {}")
_FILLERS = (
    "The weather was mild",
    "Traffic was light",
    "The mayor had no time for questions",
    "A reporter took pictures",
    "Neighbours brought tea",
    "The radio played",
    "It was a quiet day before",
    "Buses ran as usual",
)


def incident_reports(
    seed: int, *, rows: Count = 3000, fillers: Count = 3, validation_share: ShareBelowOne = 0.1, test_share: ShareBelowOne = 0.15
) -> Data:
    """Generated reports of incidents, each to be said in one sentence: what happened, where, and whether anyone was hurt.

    Sentences stand in random order, and some mean nothing; tokens are words. The groups are the numbers of sentences.

    Args:
        seed: Seed of the reports and of the split.
        rows: How many reports.
        fillers: Sentences of a report that mean nothing, at most.
        validation_share: Share of the reports for validation.
        test_share: Share of the reports for testing.
    """
    if rows < 20 or fillers > len(_FILLERS):
        got = f"rows {rows}, fillers {fillers}"
        raise DataError(f"20 reports are the least, and {len(_FILLERS)} fillers the most", got=got, where="dataset")
    columns = PairColumns(
        source="report",
        target="summary",
        sensitive=("sentences",),
        conditions=("sentences",),
        reading=Reading(tokens="words", rare=1, context=64),
        writing=Reading(tokens="words", rare=1, context=16),
    )
    return pair_data(
        drawn(rows, fillers, np.random.default_rng([seed, 0x14C1])),
        columns,
        Division(seed=seed, validation=validation_share, test=test_share),
        unit="report",
        source="generated",
    )


def drawn(rows: int, fillers: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return the columns `report`, `summary` and `sentences`."""
    written = [_one(fillers, generator) for _ in range(rows)]
    return pd.DataFrame(written, columns=["report", "summary", "sentences"])


def _one(fillers: int, generator: np.random.Generator) -> tuple[str, str, str]:
    event, place, hurt = (str(generator.choice(list(names))) for names in (EVENTS, PLACES, HURT))
    said = str(generator.choice(EVENTS[event]))
    sentences = [f"{said[0].upper()}{said[1:]}", str(generator.choice(_PLACE)).format(place), HURT[hurt]]
    sentences += [str(text) for text in generator.choice(_FILLERS, int(generator.integers(fillers + 1)), replace=False)]
    report = " ".join(f"{sentences[place]}." for place in generator.permutation(len(sentences)))
    return report, f"{event} at the {place} with {hurt}", str(len(sentences))
