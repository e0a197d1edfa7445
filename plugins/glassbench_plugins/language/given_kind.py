"""Whether a model given to `glassbench.audit` is a language model of Hugging Face; nothing of that library is imported."""

from typing import Any

from glassbench_plugins.pretrained.given_kind import classifies_texts, is_pipeline, is_tokenizer, writes_text

TASK = "text-generation"


def is_language_model(model: Any) -> bool:
    """Return whether it is a pipeline that writes text, a network that does, or a pair with such a network or a tokenizer.

    A pair whose network classifies texts is none.
    """
    if isinstance(model, tuple | list):
        return len(model) == 2 and not any(map(classifies_texts, model)) and any(map(_of_language, model))
    return is_pipeline(model, TASK) or writes_text(model)


def _of_language(part: Any) -> bool:
    return writes_text(part) or is_tokenizer(part)
