"""Everything around one person's own face: clips and takes, consent, proof, models, retraining.

May import `recording` and what lies below it; never Qt and never torch. Promises that clips stay on
this machine until they are deleted, and that no model is installed that the proof speaks against.
"""
