"""Do stated probabilities come true?"""
