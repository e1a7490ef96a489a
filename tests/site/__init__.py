"""Tests of the documentation: commands, examples and the built site."""
