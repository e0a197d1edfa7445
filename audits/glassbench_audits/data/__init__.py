"""What is wrong with the rows a model learnt from, and with those it is judged by."""
