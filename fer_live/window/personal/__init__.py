"""Everything about one's own face: clips, guided takes, retraining, and one's own models."""
