"""Language models: windows of text, the task of the next token, and networks that read left to right."""
