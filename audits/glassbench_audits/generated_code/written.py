"""Functions that a model writes after the headers of held-out ones."""

from dataclasses import dataclass

from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Generation
from glassbench.errors import GlassbenchError
from glassbench_audits.generated_code.functions import function_of, headers, parses


@dataclass(frozen=True)
class WrittenFunction:
    """A function that a model wrote.

    Args:
        row: The held-out row whose header was the prompt.
        text: The function.
        parsed: Whether it can be parsed; None where it breaks off and nobody can tell.
        actual: The beginning of the text's own function, as far as it was known.
        actual_parsed: The same of it.
    """

    row: str
    text: str
    parsed: bool | None
    actual: str
    actual_parsed: bool | None


def prompts(texts: list[str]) -> list[tuple[int, int, int]]:
    """Return the row and the ends of each header in held-out texts, those with a line of the function behind them alone."""
    found = []
    for row, text in enumerate(texts):
        found += [(row, start, stop) for start, stop in headers(text) if "\n" in text[stop:].rstrip(" \t")]
    return found


def written_functions(subject: Subject, texts: list[str], functions: int, how: Generation) -> list[WrittenFunction]:
    """Return what a model writes after headers drawn at random; a header that the encoder cannot read is passed over.

    Args:
        subject: The model, its task and encoder.
        texts: Held-out texts.
        functions: How many functions at most.
        how: How to write; each function has a seed of its own.
    """
    asked = prompts(texts)
    order = subject.generator("generated_code.headers").permutation(len(asked))[:functions]
    assert subject.model is not None
    assert subject.encoder is not None
    found = []
    for number, place in enumerate(order.tolist()):
        row, start, stop = asked[place]
        # The line's end is the model's to write: tokens may hold it together with the indentation that follows.
        prompt, one = texts[row][: stop - 1], Generation(**{**vars(how), "seed": how.seed + number})
        try:
            whole = subject.task.generate(subject.model, subject.encoder, prompt, one)
        except GlassbenchError:
            continue
        ours, theirs = function_of(whole[start:]), function_of(texts[row][start:])
        name = str(subject.predictions.frame["row"].iloc[row])
        found.append(WrittenFunction(name, ours[0], parses(*ours), theirs[0], parses(*theirs)))
    return found
