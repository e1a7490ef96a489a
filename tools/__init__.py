"""Makes what ships from what it was made of: the demo's faces, and the README's animation."""
