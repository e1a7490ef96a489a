"""The tab *Personal*: clips, guided takes, retraining, and one's own models."""
