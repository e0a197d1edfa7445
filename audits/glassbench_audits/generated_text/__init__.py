"""Which words of a prompt made a language model write what it wrote."""
