"""How episodes of a policy went: their returns, the worst of them, and how they look."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from glassbench.contracts.data import Renderable
from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Picture, Table
from glassbench.contracts.png import png
from glassbench.contracts.subject import Subject
from glassbench.errors import GlassbenchError
from glassbench.stats.grade import Grade
from glassbench.stats.percent import in_percent
from glassbench_audits.performance.scores import Score, score

WORST, FRAMES, WIDTH, BINS = 5, 8, 150, 20


def policy_findings(subject: Subject, scores: Sequence[Score]) -> Iterator[Finding]:
    """Yield what an episode brings, how often it fails, and which was the worst; nothing where decisions are no episodes."""
    episodes = episodes_of(subject)
    if episodes is None:
        return
    found = {score.metric.name: score for score in scores}
    worst = episodes.iloc[int(episodes["return"].to_numpy().argmin())]
    least = f"with seed {worst['seed']}, brought {worst['return']:.4g}"
    held = found["return"].gain is not None
    sentence = f"The worst of {len(episodes)} episodes, {least} reward."
    if not held:
        mean = f"An episode brings {_figure(found['return'])} reward on average over {len(episodes)} episodes"
        sentence = f"{mean}, described only, with nothing to hold it against; the worst, {least}."
    names, weight = ("performance.return",), 0.3 if held else 0.6
    yield Finding(sentence=sentence, grade="ok", measures=names, weight=weight, answers=None if held else "quality")
    yield from _gain_findings(found)
    yield from _failure_findings(found)


def _failure_findings(found: Mapping[str, Score]) -> Iterator[Finding]:
    """Yield how many episodes end in failure, held against random play where that is known."""
    fails = found.get("failure_rate")
    if fails is None or fails.model.value is None or fails.model.low is None or fails.model.high is None:
        return
    ends = f"[{in_percent(fails.model.low)}, {in_percent(fails.model.high)}]"
    said = f"{in_percent(fails.model.value)} {ends} of episodes end in failure"
    grade: Grade = "ok"
    if fails.gain is not None and fails.baseline is not None and fails.baseline.value is not None and fails.model.value > 0:
        said += f", against {in_percent(fails.baseline.value)} with every action at random"
        low, high = (np.nan if end is None else end for end in (fails.gain.low, fails.gain.high))
        grade = "ok" if low > 0 else "concern" if high < 0 else "unclear"
    step = "" if grade == "ok" else "Look at the episodes that failed; train longer, or reward what keeps an episode going."
    yield Finding(sentence=f"{said}.", grade=grade, measures=("performance.failure_rate",), weight=0.4, next_step=step)


def _gain_findings(found: Mapping[str, Score]) -> Iterator[Finding]:
    """Yield what an episode brings apart from the penalties among its rewards, where there are any."""
    gain = found.get("gain")
    brought = found["return"].model.value
    if gain is None or gain.model.value is None or brought is None or np.isclose(gain.model.value, brought):
        return
    paid = gain.model.value - brought
    yield Finding(
        sentence=f"Penalties aside an episode brings {_figure(gain)}; penalties take {paid:.4g} of it.",
        grade="ok",
        measures=("performance.gain",),
        weight=0.5,
    )


def policy_charts(subject: Subject) -> Iterator[Chart]:
    """Yield the histogram of the returns."""
    episodes = episodes_of(subject)
    if episodes is None:
        return
    returns = episodes["return"].to_numpy(dtype=float)
    heights, edges = np.histogram(returns, bins=min(BINS, max(1, len(np.unique(returns)))))
    quarter, middle, three = np.quantile(returns, [0.25, 0.5, 0.75])
    yield Chart(
        kind="histogram",
        title="Returns of the evaluation episodes",
        message=f"Half of the episodes bring between {quarter:.4g} and {three:.4g}, the middle one {middle:.4g}.",
        rows=tuple(
            {"low": float(low), "high": float(high), "y": int(n)}
            for low, high, n in zip(edges[:-1], edges[1:], heights, strict=True)
        ),
        x_title="return (sum of rewards)",
        y_title="episodes",
        section="Episodes",
    )


def policy_table(subject: Subject) -> Iterator[Table]:
    """Yield the worst episodes, with the seeds that bring them back."""
    episodes = episodes_of(subject)
    if episodes is None:
        return
    shown = episodes.sort_values("return", kind="stable").head(WORST)
    contexts = [str(c) for c in shown.columns if str(c).startswith("group.")]
    rows: tuple[tuple[str | float | int, ...], ...] = tuple(
        (
            str(r["cluster"]),
            str(r["seed"]),
            float(r["return"]),
            int(r["steps"]),
            _yes(r["failed"]),
            *(str(r[c]) for c in contexts),
        )
        for _, r in shown.iterrows()
    )
    columns = ("episode", "seed", "return", "steps", "failed", *(c.removeprefix("group.") for c in contexts))
    yield Table(title="Worst episodes", columns=columns, rows=rows, note="An environment reset with the seed plays them again.")


def unequal_tables(subject: Subject, scores: Sequence[Score], level: float) -> Iterator[Table]:
    """Yield the return and the rates of episodes under each condition that the task makes unequal, as opponents of a game."""
    frame = subject.predictions.frame
    if episodes_of(subject) is None:
        return
    metrics = [one.metric for one in scores if one.metric.rate or one.metric.name == "return"]
    ends = tuple(f"{one.name}{end}" for one in metrics for end in ("", ", low", ", high"))
    for name in subject.schema.unequal:
        groups = frame[f"group.{name}"].astype(str)
        rows = []
        for group in sorted(groups.unique()):
            some = frame[groups == group].reset_index(drop=True)
            found = [one.model for one in score(some, None, metrics, subject.generator, level=level)]
            rows.append((group, some["episode"].nunique(), *(end for one in found for end in (one.value, one.low, one.high))))
        yield Table(
            title=f"Results by {name}",
            columns=(name, "episodes", *ends),
            rows=tuple(rows),
            note=f"The task makes them unequal, so a gap is no fault of the policy. Low and high: {in_percent(level)} interval.",
        )


def policy_pictures(subject: Subject) -> tuple[tuple[Picture, ...], str | None]:
    """Return a strip of frames of the middle and of the worst episode, or none and in words why the environment is not drawn."""
    episodes = episodes_of(subject)
    if episodes is None or not isinstance(subject.episodes, Renderable):
        return (), None
    try:
        return tuple(_strips(subject, subject.episodes, episodes)), None
    except GlassbenchError as error:
        return (), f"No episode is shown: {error.problem}" + (f" ({error.got})" if error.got else "") + "."


def _strips(subject: Subject, renderable: Renderable, episodes: pd.DataFrame) -> Iterator[Picture]:
    ranked = episodes.sort_values("return", kind="stable")["episode"].to_numpy()
    for name, number in (("middle", ranked[len(ranked) // 2]), ("worst", ranked[0])):
        frame = subject.predictions.frame
        rows = frame[frame["episode"] == number].reset_index(drop=True)
        frames = renderable.render(rows, FRAMES)
        gained = rows["reward"].sum()
        yield Picture(
            title=f"The {name} episode (return {gained:.4g})",
            message=f"{len(frames)} frames of the {len(rows)} steps of the {name} episode by return, from left to right.",
            png=png(strip(frames)),
        )


def strip(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Lay frames `(height, width, 3)` side by side, each at most 150 pixels wide, white lines between them."""
    stride = max(1, -(-frames[0].shape[1] // WIDTH))
    small = [frame[::stride, ::stride] for frame in frames]
    line = np.full((small[0].shape[0], 3, 3), 255, dtype=np.uint8)
    return np.concatenate([part for frame in small for part in (frame, line)][:-1], axis=1)


def episodes_of(subject: Subject) -> pd.DataFrame | None:
    """Return one row per episode: `episode`, `unit`, `seed`, `return`, `steps`, `failed`, and the groups that hold throughout
    it; None where decisions are no steps of episodes."""
    frame = subject.predictions.frame
    if subject.episode_output is None or not {"reward", "seed"} <= set(frame.columns):
        return None
    steady = [c for c in frame.columns if str(c).startswith("group.") and frame.groupby("episode")[c].nunique().max() == 1]
    alike = frame.groupby("episode", sort=True)
    first = alike[["cluster", "seed", "failed", *steady]].first()
    return first.assign(**{"return": alike["reward"].sum(), "steps": alike.size()}).reset_index()


def _figure(score: Score) -> str:
    e = score.model
    if e.value is None or e.low is None or e.high is None:
        return "an unknown" if e.value is None else f"{e.value:.4g}"
    return f"{e.value:.4g} [{e.low:.4g}, {e.high:.4g}]"


def _yes(value: float) -> str:
    return "unknown" if value != value else "yes" if value else "no"
