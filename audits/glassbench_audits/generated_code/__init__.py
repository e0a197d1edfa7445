"""What a language model of source code writes: whether its functions can be parsed. Nothing written is run."""
