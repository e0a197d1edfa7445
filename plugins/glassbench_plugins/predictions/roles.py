"""What each column of decisions made elsewhere is for."""

from dataclasses import dataclass, replace

from glassbench.errors import DataError
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.cells.value_labels import Labels


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of decisions made elsewhere, by purpose, and the classes that settings name.

    Args:
        decision: What was decided or predicted.
        truth: What was true; None where it is not known.
        score: The probability given to the positive class.
        sensitive: Features to audit by.
        counts: How many equal rows a row stands for.
        weight: Survey or sample weights.
        cluster: What rows belong to.
        positive: The positive class.
        favourable: What is good for a person.
        decides: Values of the decision that stand for the positive class.
    """

    decision: str
    truth: str | None
    score: str | None
    sensitive: tuple[str | Band, ...]
    counts: str | None
    weight: str | None
    cluster: str | None
    positive: str | None
    favourable: str | tuple[str, ...] | None
    decides: tuple[str, ...]

    @property
    def judged(self) -> tuple[str, ...]:
        """The columns of what was true, decided and scored."""
        return tuple(filter(None, (self.truth, self.decision, self.score)))

    @property
    def used(self) -> tuple[str, ...]:
        """The columns with a purpose of their own; sensitive ones are none of them."""
        return tuple(filter(None, (*self.judged, self.counts, self.cluster, self.weight)))

    def called(self, labels: Labels) -> "Roles":
        """Return the same roles under the names for people."""
        classes_in = self.truth or self.decision
        return replace(
            self,
            decision=str(labels.title(self.decision)),
            truth=labels.title(self.truth),
            score=labels.title(self.score),
            sensitive=tuple(map(labels.feature, self.sensitive)),
            counts=labels.title(self.counts),
            weight=labels.title(self.weight),
            cluster=labels.title(self.cluster),
            positive=labels.label(classes_in, self.positive),
            favourable=labels.label(classes_in, self.favourable),
            decides=labels.label(self.decision, self.decides),
        )

    def check(self, kind: str) -> None:
        """Check that the roles go together.

        Raises:
            DataError: One column has two purposes, or a purpose is not for this kind of decision.
        """
        if self.truth == self.decision:
            raise DataError("truth and decision are one column", got=self.decision, fix="name the column of what was decided")
        if kind == "value" and (self.truth is None or self.counts):
            raise DataError(
                "values are audited row by row, against a truth", fix="name dataset.truth and leave dataset.counts out"
            )
        if self.cluster in self.judged:
            raise DataError("a cluster is named by a column of its own", got=self.cluster, where="dataset.cluster")
        if self.weight is not None and self.weight in (*self.judged, self.cluster):
            raise DataError("weights have a column of their own", got=self.weight, where="dataset.weight")
        if self.weight is not None and self.counts is not None:
            raise DataError(
                "rows have either weights or counts",
                got=f"weight '{self.weight}' and counts '{self.counts}'",
                fix="leave one of the two out: counts say how many equal rows there are, weights how much each row counts",
            )
