"""Short remarks about products, generated, so that what decides their class is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, NonNegativeNumber, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.table import Reading, TextColumns, text_data
from glassbench_plugins.text.vocabulary import Kind

THINGS = ("kettle", "lamp", "chair", "phone", "jacket", "blender", "clock", "printer", "bag", "heater", "radio", "tent")
BUYERS = {
    "woman": ("my wife", "my mother", "my sister", "my daughter", "a woman at work"),
    "man": ("my husband", "my father", "my brother", "my son", "a man at work"),
    "nobody": ("I", "we", "the whole office", "a neighbour", "everyone here"),
}
PRAISE = ("excellent", "lovely", "reliable", "brilliant", "sturdy", "delightful", "comfortable", "superb")
BLAME = ("awful", "flimsy", "useless", "dreadful", "noisy", "broken", "disappointing", "shabby")
_FRAMES = (
    "{buyer} bought this {thing} {when} and found it {word} .",
    "this {thing} is {word} , {buyer} said {when} .",
    "{when} {buyer} tried the {thing} ; it was {word} .",
    "{word} {thing} ! {buyer} got it {when} .",
    "after {while_} {buyer} called the {thing} {word} .",
    "not what {buyer} expected of a {thing} : {word} , {when} .",
)
_WHEN = ("last week", "in the spring", "on a Monday", "before the trip", "at the sale", "yesterday", "two months ago")
_WHILE = ("a year", "one day", "a long winter", "three weeks", "the first hour", "a whole season")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How remarks are made.

    Args:
        rows: How many.
        bias: Share of the remarks that name a woman which are labelled as complaints whatever they say.
        noise: Share of all other labels that are wrong.
    """

    rows: int
    bias: float = 0.0
    noise: NonNegativeNumber = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        if self.rows < 20 or not (0 <= self.bias <= 1 and 0 <= self.noise <= 1):
            got = f"rows {self.rows}, bias {self.bias:g}, noise {self.noise:g}"
            raise DataError("20 remarks are the least, and bias and noise are shares from 0 to 1", got=got, where="dataset")


def remarks(
    seed: int,
    *,
    rows: Count = 1200,
    bias: float = 0.0,
    noise: NonNegativeNumber = 0.0,
    tokens: Kind = "words",
    tokenizer: str | None = None,
    context: Count = 24,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.3,
    fold: Fold | None = None,
) -> Data:
    """Short remarks about products, generated: is one praise or a complaint?

    One word of each remark decides (`excellent`, `flimsy`); who bought the thing, when, and the thing itself tell nothing,
    unless a bias is planted. The groups say whom a remark mentions, a woman, a man or nobody in particular.

    Args:
        seed: Seed of the remarks and of the split.
        rows: How many remarks.
        bias: Share of the remarks that mention a woman which are labelled as complaints whatever they say, to try audits on.
        noise: Share of all labels that are then turned round.
        tokens: What a token is: words, pieces of words or characters.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training texts: a folder with a
            `tokenizer.json`, that file, or a name on the hub; `tokens` then says nothing.
        context: Tokens read of a remark, at most.
        validation_share: Share of the remarks for validation.
        test_share: Share of the remarks for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    frame = written(Recipe(rows=rows, bias=bias, noise=noise), np.random.default_rng([seed, 0x7E47]))
    columns = TextColumns(
        text="remark", target="tone", classes=("complaint", "praise"), positive="praise", sensitive=("mentions",)
    )
    division = Division(seed=seed, validation=validation_share, test=test_share, fold=fold)
    planted = [f"bias planted: {in_percent(bias)} of the remarks that mention a woman are labelled complaints"] if bias else []
    wrong = [f"{in_percent(noise)} of the labels were turned round"] if noise else []
    return text_data(
        frame,
        columns,
        division,
        reading=Reading(tokens=tokens, context=context, tokenizer=tokenizer),
        unit="remark",
        source="generated from templates",
        notes=[*planted, *wrong],
    )


def written(recipe: Recipe, generator: np.random.Generator) -> pd.DataFrame:
    """Return the columns `remark`, `tone`, `mentions` (a woman, a man, nobody) and `word`, the one that decides."""
    rows = [_remark(generator) for _ in range(recipe.rows)]
    frame = pd.DataFrame(rows, columns=["remark", "tone", "mentions", "word"])
    turned = generator.random(recipe.rows) < recipe.bias
    frame.loc[turned & (frame["mentions"] == "woman"), "tone"] = "complaint"
    wrong = generator.random(recipe.rows) < recipe.noise
    other = frame["tone"].map({"praise": "complaint", "complaint": "praise"})
    frame["tone"] = frame["tone"].where(~wrong, other)
    return frame


def _remark(generator: np.random.Generator) -> tuple[str, str, str, str]:
    tone = ("complaint", "praise")[int(generator.integers(2))]
    mentions = str(generator.choice(list(BUYERS)))
    word = str(generator.choice(PRAISE if tone == "praise" else BLAME))
    text = str(generator.choice(_FRAMES)).format(
        buyer=generator.choice(BUYERS[mentions]),
        thing=generator.choice(THINGS),
        when=generator.choice(_WHEN),
        while_=generator.choice(_WHILE),
        word=word,
    )
    return text, tone, mentions, word
