"""Turns a checkpoint into one ONNX file that carries its manifest; `fer-export --help`."""

import fer_live  # noqa: F401  # before onnxruntime: it switches off what that would upload
