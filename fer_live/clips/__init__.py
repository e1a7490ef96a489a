"""What a person records of themselves for retraining: it stays here until they delete it."""
