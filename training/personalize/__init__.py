"""`fer-train personalize`: retraining on a person's own clips; find faces, learn, prove, export."""
