"""Single decisions shown in full."""

from dataclasses import dataclass

import numpy as np

from glassbench.evidence import Case, Part
from glassbench.readable import in_its_unit
from glassbench.subject import Subject
from glassbench.task import FLAGS
from glassbench_audits.explain.explained import Rows
from glassbench_audits.explain.units import Units
from glassbench_audits.explain.values import encoded_words, observed_words, words

MOST_PARTS = 30
_WRONG = "a wrong decision, one the model was sure of"
_OTHER = "an answer that is not the truth to the letter, one the model was sure of"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A row worth showing.

    Args:
        position: Its position among the predictions.
        title: Why it is shown.
    """

    position: int
    title: str


def choose_cases(subject: Subject, each: int) -> tuple[Chosen, ...]:
    """Return the rows to show, each once: the most certain, the least certain and the wrong decisions, up to `each` of
    a kind.

    Wrong ones are those the model was surest of. For values: the highest, the lowest and those furthest from the truth.
    """
    wanted = _kinds(subject)
    seen: set[int] = set()
    chosen: list[Chosen] = []
    for title, order in wanted:
        fresh = [int(p) for p in order if int(p) not in seen][:each]
        seen.update(fresh)
        chosen += [Chosen(position=p, title=title) for p in fresh]
    return tuple(chosen)


def _kinds(subject: Subject) -> list[tuple[str, np.ndarray]]:
    if subject.task.decision == "value":
        return _value_kinds(subject)
    if subject.task.decision == "flag" and list(subject.predictions.scores.columns) == ["score"]:
        return _flag_kinds(subject)
    if subject.task.decision == "action" and "spread" in subject.predictions.frame:
        return _action_kinds(subject)
    return _class_kinds(subject)


def _action_kinds(subject: Subject) -> list[tuple[str, np.ndarray]]:
    """Steps of episodes: where most and least is at stake between the actions, and how the worst episode ended."""
    frame = subject.predictions.frame
    spread = frame["spread"].to_numpy(dtype=float)
    kinds = [
        ("the step where most was at stake", _order(-spread)[:1]),
        ("a step where next to nothing was at stake", _order(spread)[:1]),
    ]
    if {"episode", "reward"} <= set(frame.columns):
        returns = frame.groupby("episode")["reward"].transform("sum").to_numpy(dtype=float)
        last = np.flatnonzero(returns == returns.min())[-1:]
        kinds.append(("the last step of the worst episode", last))
    return kinds


def _flag_kinds(subject: Subject) -> list[tuple[str, np.ndarray]]:
    """Flags rest on one score: the highest, what lies just inside and outside the threshold, and what it got wrong."""
    frame = subject.predictions.frame
    score = frame["score"].to_numpy(dtype=float)
    flagged = (frame["decision"].astype(str) == flag_names(subject)[1]).to_numpy()
    kinds = [("the most unusual row", _order(-score))]
    for title, side, order in (
        ("flagged, but only just", flagged, _order(score)),
        ("not flagged, but nearly", ~flagged, _order(-score)),
    ):
        kinds.append((title, order[side[order]]))
    if "truth" in frame:
        missed = (frame["truth"].astype(str) != frame["decision"].astype(str)).to_numpy() & ~flagged
        kinds.append(("missed: unusual in truth, with the lowest score", _order(score)[missed[_order(score)]]))
    return kinds


def flag_names(subject: Subject) -> tuple[str, str]:
    """Return what rows are called that are not flagged, and that are."""
    target = subject.schema.target
    positive = target.positive or (target.classes[1] if len(target.classes) == 2 else FLAGS[1])
    others = [name for name in (target.classes or FLAGS) if name != positive]
    return others[0], positive


def _class_kinds(subject: Subject) -> list[tuple[str, np.ndarray]]:
    frame = subject.predictions.frame
    sure = certainty(subject)
    kinds = []
    if sure is not None:
        kinds += [("the most certain decision", _order(-sure)), ("the least certain decision", _order(sure))]
    if "truth" in frame and subject.task.decision != "cluster":  # a cluster's number is no name of a class
        wrong = (frame["truth"].notna() & (frame["truth"].astype(str) != frame["decision"].astype(str))).to_numpy()
        order = _order(-(sure if sure is not None else np.zeros(len(frame))))
        kinds.append((_WRONG if subject.task.decision != "sequence" else _OTHER, order[wrong[order]]))
    return kinds


def _value_kinds(subject: Subject) -> list[tuple[str, np.ndarray]]:
    frame = subject.predictions.frame
    predicted = frame["decision"].to_numpy(dtype=float)
    kinds = [("the highest prediction", _order(-predicted)), ("the lowest prediction", _order(predicted))]
    if "truth" in frame and frame["truth"].notna().all():
        miss = np.abs(frame["truth"].to_numpy(dtype=float) - predicted)
        kinds.append(("a prediction far from the truth", _order(-miss)))
    return kinds


def certainty(subject: Subject) -> np.ndarray | None:
    """Return each decision's highest score `(n,)`, or None where decisions carry none."""
    scores = subject.predictions.scores
    return scores.to_numpy(dtype=float).max(axis=1) if scores.shape[1] else None


def _order(keys: np.ndarray) -> np.ndarray:
    return np.argsort(keys, kind="stable")


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedRow:
    """What is known of one explained row.

    Args:
        row: The row as the model saw it, alone.
        attributions: Its attributions `(units,)`.
        elements: The same of single elements, shaped like the row or like the layer attributed to.
        output, reference: The explained output at the row and at the baseline; the reference None where a method has
            none.
    """

    row: Rows
    attributions: np.ndarray
    elements: np.ndarray
    output: float
    reference: float | None


def build_case(subject: Subject, units: Units, chosen: Chosen, explained_row: ExplainedRow) -> Case:
    """Return one decision in a person's words and units."""
    record = subject.predictions.frame.iloc[chosen.position]
    truth = record.get("truth")
    order = np.argsort(-np.abs(explained_row.attributions), kind="stable") if units.features else np.arange(0)
    parts = [_part(subject, units, chosen.position, explained_row, int(unit)) for unit in order]
    return Case(
        title=chosen.title,
        row=str(record["row"]),
        decision=_decision_words(subject, chosen.position),
        truth=None if truth is None or truth != truth else _target_words(subject, truth),
        parts=_shortened(parts),
        note=_note(explained_row),
    )


def _part(subject: Subject, units: Units, position: int, explained_row: ExplainedRow, unit: int) -> Part:
    feature = units.features[unit]
    source = subject.predictions.source
    value = words(feature, None if source is None else source.raw, position)
    if value is None and explained_row.row.inputs.ndim == 2 and feature.slots:
        seen = explained_row.row.inputs[0].double().numpy()
        value = observed_words(feature, seen) if subject.schema.modality == "observation" else encoded_words(feature, seen)
    return Part(name=feature.name, value=value or "", contribution=float(explained_row.attributions[unit]))


def _shortened(parts: list[Part]) -> tuple[Part, ...]:
    if len(parts) <= MOST_PARTS:
        return tuple(parts)
    rest = parts[MOST_PARTS - 1 :]
    total = sum(part.contribution for part in rest)
    return (*parts[: MOST_PARTS - 1], Part(name=f"{len(rest)} further inputs", value="", contribution=total))


def _decision_words(subject: Subject, position: int) -> str:
    decision = subject.predictions.frame["decision"].iloc[position]
    sure = None if subject.task.decision in ("value", "flag") else certainty(subject)
    text = _target_words(subject, decision)
    if sure is None or not 0 <= sure[position] <= 1:
        return text
    each = " of each token on average" if subject.task.decision == "sequence" else ""
    return f"{text}, {sure[position]:.1%} certain{each}"


def _target_words(subject: Subject, value: object) -> str:
    if subject.task.decision != "value":
        return str(value)
    return in_its_unit(float(str(value)), subject.schema.target)


def _note(explained_row: ExplainedRow) -> str:
    text = f"The explained output is {explained_row.output:.4g} here"
    if explained_row.reference is None:
        return f"{text}."
    total = explained_row.attributions.sum()
    return f"{text} and {explained_row.reference:.4g} at the baseline; all contributions add up to {total:.4g}."
