"""Selection rates as two frameworks ask for them: New York City's Local Law 144 and the four-fifths rule of the EEOC."""
