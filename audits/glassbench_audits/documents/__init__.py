"""Documents filled in from a run: a model card, and the headings of Annex IV of the EU AI Act."""
