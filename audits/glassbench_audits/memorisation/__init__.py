"""Whether a language model has learnt its training text by heart."""
