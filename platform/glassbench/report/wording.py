"""How verdicts, gates, measures and groups read in plain words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.contracts.measure_words import SPELT, group_words, measure_words
from glassbench.report.numbers import DASH, threshold

_VERDICTS = {"pass": "✓", "fail": "✗", "insufficient evidence": "?", "not applicable": DASH}
_GRADES = {"ok": "✓", "concern": "✗", "unclear": "?"}
SYMBOLS = _VERDICTS | _GRADES
"""The sign of each verdict of a gate and of each grade of a finding."""

TOO_FEW = "(too few to judge)"
"""What stands behind a value that no verdict may be based on."""

_CITED = re.compile(r"[^()]*\(\d{4}[a-z]?\)(?=[:,.] )")
_FEWEST_WORDS = 5
_NAMED_GATES = 2


def short(name: str) -> str:
    """Return a component's short name: `mlp` for `glassbench/mlp`."""
    return name.rpartition("/")[2]


def audit_words(name: str) -> str:
    """Return an audit's name as a heading.

    Example:
        >>> audit_words("annex-iv"), audit_words("model_card")
        ('Annex IV', 'Model card')
    """
    words = " ".join(SPELT.get(word, word) for word in name.replace("_", "-").split("-"))
    return words[:1].upper() + words[1:]


def cited(reference: str) -> str:
    """Return a source as it is cited, by authors and year; one without a year whole.

    Example:
        >>> cited("Wilson (1927): Probable inference"), cited("29 CFR 1607.4 D")
        ('Wilson (1927)', '29 CFR 1607.4 D')
    """
    found = _CITED.match(reference)
    return found[0] if found else reference


def opening(sentence: str, ends: str = ":;.") -> str:
    """Return what a finding says in short: its words up to a colon, semicolon or full stop outside quotes and brackets.

    Fewer than five words say too little, and the next break is taken. `ends` are the signs that end it.

    Example:
        >>> opening("Women are missed more often: 41 % against 19 %. The gap is wide.")
        'Women are missed more often'
        >>> opening("Recall of “a: b” is 0.5 [0.4, 0.6; 95 %]; more rows are needed.")
        'Recall of “a: b” is 0.5 [0.4, 0.6; 95 %]'
    """
    depth = 0
    for place, character in enumerate(sentence):
        depth += (character in "“([") - (character in "”)]")
        over = depth <= 0 and character in ends and sentence[place + 1 : place + 2] in (" ", "")
        if over and len(sentence[:place].split()) >= _FEWEST_WORDS:
            return sentence[:place]
    return sentence


def gate_words(gate: Mapping[str, Any]) -> str:
    """Return a gate as a person would say it.

    Example:
        >>> gate_words({"measure": "performance.accuracy", "by": None, "group": None, "at_least": 0.65, "at_most": None})
        'accuracy at least 0.65'
    """
    several = "*" in str(gate["measure"])
    parts = [f"every measure {gate['measure']}" if several else measure_words(str(gate["measure"]))]
    by = gate.get("by")
    if by:
        parts.append(f"by {by if isinstance(by, str) else ' and '.join(by)}")
    if gate.get("group"):
        parts.append(f"for {group_words(gate['group'])}")
    bounds = [
        f"{words} {threshold(gate[key])}"
        for key, words in (("at_least", "at least"), ("at_most", "at most"))
        if gate.get(key) is not None
    ]
    if gate.get("no_worse_than"):
        bounds = [f"no worse than run {gate['no_worse_than']} by more than {threshold(gate['margin'])}"]
    return " ".join([*parts, " and ".join(bounds)]).strip()


def outcome_words(verdict: str) -> str:
    """Return what a run came to in words: only one without gates has nothing to come to.

    Example:
        >>> outcome_words("not applicable"), outcome_words("fail")
        ('no gates set', 'fail')
    """
    return "no gates set" if verdict == "not applicable" else verdict


def verdict_sentence(verdicts: Sequence[str], held_out: str, failed_gates: Sequence[str] = ()) -> str:
    """Return in one sentence how the gates came out.

    Args:
        verdicts: One verdict per gate.
        held_out: What they were judged on, "89 held-out patients".
        failed_gates: Names of the gates that fail.

    Example:
        >>> verdict_sentence(["fail", "insufficient evidence", "pass"], "89 held-out patients")
        "1 of 3 gates fails, 1 can't be told from 89 held-out patients."
    """
    total = len(verdicts)
    if not total:
        return "The experiment sets no gates, so nobody has said what is good enough; the findings stand on their own."
    failed = verdicts.count("fail")
    unsure = sum(verdict not in ("pass", "fail") for verdict in verdicts)
    if total == 1:
        if failed and failed_gates:
            return f"The only gate, {failed_gates[0]}, fails on {held_out}."
        ending = "fails on" if failed else "can't be told from" if unsure else "passes on"
        return f"The only gate {ending} {held_out}."
    named = (
        f" ({', '.join(failed_gates[:_NAMED_GATES])}{', ...' if len(failed_gates) > _NAMED_GATES else ''})"
        if failed_gates
        else ""
    )
    parts = [f"{failed} of {total} gates {'fails' if failed == 1 else 'fail'}{named}"] if failed else []
    if unsure:
        subject = f"{unsure}" if parts else f"{unsure} of {total} gates"
        parts.append(f"{subject} can't be told from {held_out}")
    return f"{', '.join(parts)}." if parts else f"All {total} gates pass on {held_out}."
