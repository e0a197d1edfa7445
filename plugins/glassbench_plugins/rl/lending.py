"""`glassbench/Lending-v0`: loans to two groups whose credit scores move with what they are granted."""

import math
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

ID = "glassbench/Lending-v0"
LOWEST, HIGHEST = 300.0, 850.0
GROUPS = ("A", "B")
_MEANS, _DEVIATION = (680.0, 620.0), 70.0
_MIDDLE, _SLOPE = 620.0, 40.0
_RISE, _FALL = 75.0, 150.0
_BINS, _HEIGHT = 44, 60
_COLOURS = ((31, 119, 180), (214, 96, 30))


def register() -> None:
    """Make the environment known to Gymnasium."""
    if ID not in gymnasium.registry:
        gymnasium.register(id=ID, entry_point=f"{__name__}:Lending", max_episode_steps=200)


def repayment(score: float) -> float:
    """Return the chance that an applicant of a credit score repays.

    Example:
        >>> round(repayment(620.0), 2), round(repayment(675.5), 2)
        (0.5, 0.8)
    """
    return 1 / (1 + math.exp((_MIDDLE - score) / _SLOPE))


class Lending(gymnasium.Env[np.ndarray, int]):
    """A lender decides on one applicant after another, after Liu et al. (2018), "Delayed impact of fair machine learning".

    Each group g has people with credit scores, drawn as normal(mean_g, 70) within [300, 850], mean 680 in A and 620 in B. At
    step t an applicant comes: of group B with the chance `share`, and anyone of the group alike. With score s they would repay
    (y = 1) with the chance rho(s) = 1 / (1 + exp((620 - s) / 40)). The lender grants (a = 1) or denies (a = 0):

        profit   = a (y - loss (1 - y))
        score    s <- clip(s + a (75 y - 150 (1 - y)), 300, 850)
        rate     r_g <- r_g + (a - r_g) / memory          of the applicant's group; both begin at 1/2
        reward   = profit - penalty |r_A - r_B|

    With `criterion` "opportunity" the rates move only when the applicant would have repaid. A lender who looks at profit alone
    grants from rho(s) = loss / (1 + loss) on; a person gains from a loan, on average, from rho(s) = 2/3 on.

    The observation is (score, whether the group is B, r_A, r_B). `info` says of the applicant observed: `group`, `score`,
    `repays` (y), and `group_mean_score`, the mean of the whole group now. Episodes are cut off after 200 applicants.

    Args:
        penalty: Weight of the gap between the groups' rates; 0 leaves profit alone.
        criterion: Whether the rates are of all applicants or of those who would repay.
        loss: What a default costs, in units of what a repayment brings.
        share: Share of applicants who are of group B.
        people: People in each group.
        memory: Applicants over which a rate is remembered.
        render_mode: `rgb_array` draws the scores of both groups.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Gymnasium itself reads it from the class
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "names": {
            "observations": (("score", "points"), ("group is B", None), ("rate of A", None), ("rate of B", None)),
            "actions": ("deny", "grant"),
            "positive": "grant",
            "truth": "repays",
            "outcome": "group_mean_score",
            "gain": "profit",
        },
    }

    def __init__(
        self,
        *,
        penalty: float = 0.0,
        criterion: Literal["selection", "opportunity"] = "selection",
        loss: float = 4.0,
        share: float = 0.4,
        people: int = 50,
        memory: float = 20.0,
        render_mode: Literal["rgb_array"] | None = None,
    ) -> None:
        if criterion not in ("selection", "opportunity"):
            raise ValueError(f"criterion is 'selection' or 'opportunity', not {criterion!r}")
        self.penalty, self.criterion, self.loss = penalty, criterion, loss
        self.share, self.people, self.memory = share, people, memory
        self.render_mode = render_mode
        low, high = np.array([LOWEST, 0, 0, 0], dtype=np.float32), np.array([HIGHEST, 1, 1, 1], dtype=np.float32)
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space: spaces.Space[Any] = spaces.Discrete(2)
        self.scores = np.zeros((2, people))
        self.rates = np.full(2, 0.5)
        self.group, self.person, self.repays = 0, 0, False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Draw the people anew and let the first applicant come."""
        super().reset(seed=seed)
        drawn = self.np_random.normal(np.array(_MEANS)[:, None], _DEVIATION, (2, self.people))
        self.scores = np.clip(drawn, LOWEST, HIGHEST)
        self.rates = np.full(2, 0.5)
        self._arrive()
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Grant (1) or deny (0), and let the next applicant come."""
        granted = bool(action)
        profit = (1.0 if self.repays else -self.loss) if granted else 0.0
        if granted:
            moved = self.scores[self.group, self.person] + (_RISE if self.repays else -_FALL)
            self.scores[self.group, self.person] = min(max(moved, LOWEST), HIGHEST)
        if self.criterion == "selection" or self.repays:
            self.rates[self.group] += (granted - self.rates[self.group]) / self.memory
        gap = abs(float(self.rates[0] - self.rates[1]))
        self._arrive()
        info = {**self._info(), "profit": profit, "gap": gap}
        return self._observation(), profit - self.penalty * gap, False, False, info

    def render(self) -> np.ndarray:
        """Return a picture `(123, 220, 3)`: how many people have which score, group A above, group B below; the applicant's
        score is black."""
        canvas = np.full((2 * _HEIGHT + 3, 5 * _BINS, 3), 255, dtype=np.uint8)
        for group, colour in enumerate(_COLOURS):
            counts, _ = np.histogram(self.scores[group], bins=_BINS, range=(LOWEST, HIGHEST))
            bottom = (group + 1) * _HEIGHT + 2 * group
            for place, count in enumerate(counts):
                height = min(_HEIGHT - 2, 4 * int(count))
                canvas[bottom - height : bottom, 5 * place : 5 * place + 4] = colour
            canvas[bottom] = 120
        place = int((self._score() - LOWEST) / (HIGHEST - LOWEST) * (canvas.shape[1] - 3))
        top = self.group * (_HEIGHT + 2)
        canvas[top : top + _HEIGHT, place : place + 2] = 0
        return canvas

    def _arrive(self) -> None:
        self.group = int(self.np_random.random() < self.share)
        self.person = int(self.np_random.integers(self.people))
        self.repays = bool(self.np_random.random() < repayment(self._score()))

    def _score(self) -> float:
        return float(self.scores[self.group, self.person])

    def _observation(self) -> np.ndarray:
        return np.array([self._score(), self.group, *self.rates], dtype=np.float32)

    def _info(self) -> dict[str, Any]:
        return {
            "group": GROUPS[self.group],
            "score": self._score(),
            "repays": int(self.repays),
            "group_mean_score": float(self.scores[self.group].mean()),
        }
