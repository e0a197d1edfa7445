"""Whether a language model finds stereotyped sentences likelier than others."""
