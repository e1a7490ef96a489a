"""Networks: a backbone, and what is put on it."""
