"""Detection: boxes around the objects of a picture."""
