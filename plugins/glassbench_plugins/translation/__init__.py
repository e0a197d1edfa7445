"""Translation: pairs of texts, the task of writing an answer, and networks that read one sequence and write another."""
