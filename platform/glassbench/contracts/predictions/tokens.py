"""The next token after each text."""

import numpy as np
import pandas as pd
from torch import Tensor

from glassbench.contracts.predictions.choices import Choices
from glassbench.contracts.predictions.classes import class_agreement, class_losses, wrong_rows
from glassbench.contracts.predictions.kind import Agreement
from glassbench.contracts.predictions.outputs import Losses, RowErrors
from glassbench.contracts.schema import Schema


class Tokens(Choices):
    """A token of a vocabulary per row; too many for rates of each to be read."""

    name = "tokens"
    softmax = True
    self_supervised = True

    def decided_words(self, schema: Schema) -> str:
        """Return that texts are gone on with."""
        return f"predicts each next token of a {schema.unit}"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return whether each token is predicted wrongly; None where a truth is not known."""
        return wrong_rows(frame)

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return Brier scores where all tokens have one, else whether each token is wrong."""
        return class_losses(frame)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return how far predictions and true tokens agree."""
        return class_agreement(frame)

    def attribution_words(self, schema: Schema) -> str:
        """Return that log-odds are explained."""
        return "the log-odds of the chosen token against all others"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: there are more than two tokens."""
        return None

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Refuse: there is no single token that directions could be said of."""
        raise LookupError("directions are said of two tokens")
