"""Held-out beginnings of texts, what a model writes after them, and which words made it write so."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import TokenDecoder
from glassbench_audits.attribution.token_words import Word, named, words_of
from glassbench_audits.generated_text.captum_language import Method, attributed


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedText:
    """What a model wrote after a prompt.

    Args:
        row: The held-out row that begins so.
        prompt: Its tokens, long `(l,)`.
        words: Its words.
        written: The tokens that the model wrote, long `(m,)`.
        names: How these read.
        contributions: How much each word raised the log-probability of each of them `(m, words)`.
    """

    row: str
    prompt: Tensor
    words: tuple[Word, ...]
    written: Tensor
    names: tuple[str, ...]
    contributions: np.ndarray


def explained_texts(subject: Subject, texts: int, prompt: int, length: int, method: Method, samples: int) -> list[ExplainedText]:
    """Return explained texts after prompts drawn from the held-out rows; rows with too short a beginning are passed over.

    Args:
        subject: The model, its rows and what reads them.
        texts: How many.
        prompt, length: Tokens of a prompt, and tokens written after it.
        method, samples: As of `attributed`.
    """
    tokens, facts = tokens_of(subject), subject.schema.facts_of(TextFacts)
    assert tokens is not None
    assert subject.model is not None
    padding = 0 if facts is None else facts.padding
    begins = (
        (tokens[:, :prompt] != padding).all(dim=1) if tokens.shape[1] >= prompt else torch.zeros(len(tokens), dtype=torch.bool)
    )
    usable = np.flatnonzero(begins.numpy())
    chosen = usable[subject.generator("generated-text.prompts").permutation(len(usable))[:texts]]
    network, absent = subject.model.cpu().eval(), absent_token(subject.schema)
    found = []
    for position, words in zip(chosen.tolist(), words_of(subject, chosen.tolist(), tokens[chosen]), strict=True):
        begun = tokens[position, :prompt]
        held = [Word(text=w.text, positions=tuple(p for p in w.positions if p < prompt)) for w in words]
        read = tuple(word for word in held if word.positions)
        written = continued(network, begun, length, padding)
        places = [word.positions for word in read]
        contributions = attributed(network, begun, places, written, absent, method, samples)
        names = tuple(word.shown for word in written_words(subject, begun, written))
        row = str(subject.predictions.frame["row"].iloc[position])
        found.append(ExplainedText(row=row, prompt=begun, words=read, written=written, names=names, contributions=contributions))
    return found


def written_words(subject: Subject, begun: Tensor, written: Tensor) -> list[Word]:
    """Return what each written token adds to the text; where nothing spells tokens, their names in the vocabulary."""
    if not isinstance(subject.encoder, TokenDecoder):
        return named(subject.schema, written)
    whole, first = [*begun.tolist(), *written.tolist()], len(begun)
    texts = [subject.encoder.decode(whole[:end]) for end in range(first, len(whole) + 1)]
    return [Word(text=longer[len(shorter) :], positions=(place,)) for place, (shorter, longer) in enumerate(pairwise(texts))]


def tokens_of(subject: Subject) -> Tensor | None:
    """Return the held-out rows as tokens, long `(n, l)`; None where they are none."""
    source = subject.predictions.source
    first = None if source is None or len(source.inputs) != 1 else source.inputs[0]
    return first if isinstance(first, Tensor) and first.ndim == 2 and not first.is_floating_point() else None


def absent_token(schema: Schema) -> int:
    """Return the token that stands where a word is left out: what is not known, or padding where every text can be read."""
    facts = schema.facts_of(TextFacts)
    if facts is None:
        return 0
    return facts.padding if facts.unknown is None else facts.unknown


def continued(network: nn.Module, begun: Tensor, length: int, padding: int) -> Tensor:
    """Return the likeliest token after a prompt `(l,)`, then the likeliest after that, long `(length,)`; never padding."""
    tokens = begun
    with torch.inference_mode():
        for _ in range(length):
            logits = network(tokens[None])[0, -1].clone()
            logits[padding] = -torch.inf
            tokens = torch.cat([tokens, logits.argmax()[None]])
    return tokens[len(begun) :].clone()


def log_probability(network: nn.Module, prompt: Tensor, written: Tensor) -> float:
    """Return the mean log-probability of the tokens that were written after a prompt."""
    with torch.inference_mode():
        logits = network(torch.cat([prompt, written])[None])[0, len(prompt) - 1 : -1].double()
        chances = torch.log_softmax(logits, dim=-1)
    return float(chances[torch.arange(len(written)), written].mean())
