"""Whether a model given to `glassbench.audit` is a language model of Hugging Face; nothing of that library is imported."""

from typing import Any

TASK = "text-generation"


def is_language_model(model: Any) -> bool:
    """Return whether it is a pipeline that writes text, a network that does, or a pair with such a network or a tokenizer."""
    if isinstance(model, tuple | list):
        return len(model) == 2 and any(writes_text(part) or is_tokenizer(part) for part in model)
    return is_pipeline(model) or writes_text(model)


def is_pipeline(model: Any) -> bool:
    """Return whether it is a pipeline of the task `text-generation`."""
    task = getattr(model, "task", None)
    return isinstance(task, str) and task == TASK and hasattr(model, "model") and callable(model)


def writes_text(model: Any) -> bool:
    """Return whether it is a network that says of itself that it writes text; a class is none."""
    says = getattr(model, "can_generate", None)
    return not isinstance(model, type) and callable(says) and hasattr(model, "config") and bool(says())


def is_tokenizer(part: Any) -> bool:
    """Return whether it is a tokenizer; a class is none."""
    return not isinstance(part, type) and callable(getattr(part, "convert_tokens_to_ids", None))
