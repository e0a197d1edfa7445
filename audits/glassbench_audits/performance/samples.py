"""What a model of running text writes: held-out texts, begun by their author and continued by the model."""

from dataclasses import dataclass

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Table
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Generation, Task
from glassbench.errors import GlassbenchError

SHOWN, TRIED = 3, 12
PROMPT, WRITTEN, SPOKEN = 60, 80, 70
"""Most characters of a prompt, tokens that are written, and characters of each that a sentence quotes."""

TEMPERATURE = 0.8


@dataclass(frozen=True)
class Sample:
    """A text that a model went on with.

    Args:
        row: The held-out row whose beginning is the prompt.
        prompt, written, actual: The beginning, what the model writes next, and what its author wrote next.
    """

    row: str
    prompt: str
    written: str
    actual: str


def samples(subject: Subject) -> tuple[Sample, ...]:
    """Return continuations of held-out texts drawn at random; none where the task writes no running text.

    Drawn at temperature 0.8 from the experiment's seed. A text that the encoder cannot read as a prompt is passed over.
    """
    facts, source = subject.schema.facts_of(TextFacts), subject.predictions.source
    column = None if facts is None else facts.column
    able = isinstance(subject.task, Task) and type(subject.task).generate is not Task.generate
    writes = able and subject.schema.target.kind == "token"
    if not writes or subject.model is None or subject.encoder is None or source is None or source.raw is None or column is None:
        return ()
    texts = source.raw[column].astype(str).tolist()
    found: list[Sample] = []
    for place in subject.generator("performance.samples").permutation(len(texts))[:TRIED].tolist():
        cut = min(PROMPT, len(texts[place]) // 2)
        how = Generation(length=WRITTEN, temperature=TEMPERATURE, seed=subject.seed)
        try:
            whole = subject.task.generate(subject.model, subject.encoder, texts[place][:cut], how)
        except GlassbenchError:
            continue
        written = whole[cut:]
        row = str(subject.predictions.frame["row"].iloc[place])
        found.append(Sample(row, texts[place][:cut], written, texts[place][cut : cut + len(written)]))
        if len(found) == SHOWN:
            break
    return tuple(found)


def sample_table(subject: Subject, found: tuple[Sample, ...]) -> Table:
    """Return each continuation beside its prompt and what its author wrote."""
    return Table(
        title="What the model writes",
        columns=(subject.schema.unit, "prompt", "the model goes on", "the text goes on"),
        rows=tuple((one.row, one.prompt, one.written, one.actual) for one in found),
        note=f"Drawn at temperature {TEMPERATURE:g}, at most {WRITTEN} tokens each; another seed writes something else.",
    )


def sample_finding(found: tuple[Sample, ...]) -> Finding:
    """Return the first continuation in a sentence."""
    one = found[0]
    return Finding(
        sentence=f"After “{_quoted(one.prompt)}” the model writes “{_quoted(one.written)}”; the text has "
        f"“{_quoted(one.actual)}”. Drawn once at random: it shows how the model writes, not how well.",
        grade="ok",
        weight=0.2,
    )


def _quoted(text: str) -> str:
    said = " ".join(text.replace("“", '"').replace("”", '"').split())
    return said if len(said) <= SPOKEN else f"{said[: SPOKEN - 1]}…"
