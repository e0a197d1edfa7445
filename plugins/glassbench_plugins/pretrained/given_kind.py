"""What kind of Hugging Face object was given from Python; nothing of that library is imported."""

from typing import Any

_CLASSIFIER = "ForSequenceClassification"
"""What the library calls the classes of networks that classify texts, those that peft adapts among them."""


def is_pipeline(model: Any, task: str) -> bool:
    """Return whether it is a pipeline of a task."""
    given = getattr(model, "task", None)
    return isinstance(given, str) and given == task and hasattr(model, "model") and callable(model)


def unpacked(model: Any, task: str) -> tuple[Any, Any]:
    """Return network and tokenizer of a pipeline of a task, or of a pair; the model itself and None of anything else."""
    if is_pipeline(model, task):
        return model.model, model.tokenizer
    if isinstance(model, tuple | list):
        network, tokenizer = model
        return network, tokenizer
    return model, None


def beside(network: Any, tokenizer: Any) -> str:
    """Return what stands where a tokenizer should, in words."""
    name = type(network).__name__
    return f"{name} without a tokenizer" if tokenizer is None else f"a {type(tokenizer).__name__} beside it"


def writes_text(model: Any) -> bool:
    """Return whether it is a network that says of itself that it writes text; a class is none."""
    says = getattr(model, "can_generate", None)
    return not isinstance(model, type) and callable(says) and hasattr(model, "config") and bool(says())


def classifies_texts(model: Any) -> bool:
    """Return whether it is a network that decides a class or a value for a text; a class is none."""
    names = [kind.__name__ for kind in type(model).__mro__]
    return hasattr(model, "config") and any(name.endswith(_CLASSIFIER) for name in names)


def is_tokenizer(part: Any) -> bool:
    """Return whether it is a tokenizer; a class is none."""
    return not isinstance(part, type) and callable(getattr(part, "convert_tokens_to_ids", None))
