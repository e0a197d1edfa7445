"""From the names of tokens to the text they spell."""

from collections.abc import Sequence

from tokenizers import decoders

from glassbench_plugins.text.vocabulary import Kind


def spelt(tokens: Sequence[str], kind: Kind) -> str:
    """Return the text of tokens, special ones left out beforehand, as the vocabulary that named them decodes it.

    Example:
        >>> spelt(["Ġdeux", "Ġhomme", "s"], "pieces"), spelt(["two", "men"], "words"), spelt(["1", "9"], "characters")
        (' deux hommes', 'two men', '19')
    """
    if kind == "words":
        return " ".join(tokens)
    return str(decoders.ByteLevel().decode(list(tokens))) if kind == "pieces" else "".join(tokens)
