"""How explanations are shown: tables, texts, images, series, sounds, episodes; their sentences."""
