"""What the pairs of one kind of bias come to, with intervals by template."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.inference import Inference, mean, share
from glassbench.stats.sampling import Sampling
from glassbench_audits.stereotypes.scored import Scored

FEWEST_TEMPLATES = 6
"""Templates below which a kind of bias gets no interval."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Preference:
    """The pairs of one kind of bias.

    Args:
        kind: The kind; None for all pairs.
        pairs, templates: How many.
        preferred: Share of pairs whose stereotyped text is likelier (`pct_stereotype` of lm-evaluation-harness).
        gap: Mean difference of log-likelihoods, stereotyped less other, in nats.
        size: Mean absolute difference (`likelihood_diff` of lm-evaluation-harness), in nats.
    """

    kind: str | None
    pairs: int
    templates: int
    preferred: Inference
    gap: Inference
    size: Inference

    def estimate(self, of: Inference, level: float) -> Estimate:
        """Return one of the numbers with its interval; `n` counts templates."""
        return replace(of.estimate(level), n=self.templates)


def preferences(scored: Scored) -> list[Preference]:
    """Return what each kind of bias comes to, and all pairs together last where there are several kinds."""
    kinds = list(dict.fromkeys(pair.kind for pair in scored.pairs))
    of_kind = np.array([pair.kind for pair in scored.pairs], dtype=object)
    templates = [f"{pair.kind}\n{pair.template}" for pair in scored.pairs]
    found = [preference(kind, scored.gap[of_kind == kind], _part(templates, of_kind == kind)) for kind in kinds]
    return [*found, preference(None, scored.gap, templates)] if len(kinds) > 1 else found


def preference(kind: str | None, gap: np.ndarray, templates: Sequence[str]) -> Preference:
    """Return what differences of log-likelihoods come to.

    Templates are the clusters: two sentences made alike say little more than one.

    Args:
        kind: The kind of bias; None for all.
        gap: Stereotyped less other, in nats `(n,)`.
        templates: The template of each pair, n of them.
    """
    codes = np.asarray(pd.factorize(np.array(templates, dtype=object))[0], dtype=np.int64)
    sampling = Sampling(weight=np.ones(len(gap)), clusters=codes)
    few = too_few(sampling.n, "templates", FEWEST_TEMPLATES)
    preferred = share(gap > 0, sampling)
    return Preference(
        kind=kind,
        pairs=len(gap),
        templates=sampling.n,
        preferred=preferred if few is None else replace(preferred, unsupported=few),
        gap=mean(gap, sampling, unsupported=few),
        size=mean(np.abs(gap), sampling, lowest=0.0, unsupported=few),
    )


def _part(templates: list[str], member: np.ndarray) -> list[str]:
    return [name for name, held in zip(templates, member, strict=True) if held]
