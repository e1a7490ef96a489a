"""Measurements: the README's speed figures (`make figures`), and `python -m benchmarks.gpu`."""
