"""Measurements: the README's speed figures (`make figures`) and the GPU's (`python -m benchmarks.gpu`)."""
