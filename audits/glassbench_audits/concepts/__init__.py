"""Whether a model thinks in concepts that a person names."""
