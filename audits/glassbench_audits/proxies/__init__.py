"""Whether what the model is given, or what it leans on, gives sensitive features away."""
