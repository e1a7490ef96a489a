"""The tab *Yourself*: clips and takes, guided takes, retraining, and the models that came of it."""
