"""Where weights and tokenizers that others trained are kept."""
