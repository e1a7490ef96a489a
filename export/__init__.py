"""Turns a checkpoint into one ONNX file that carries its manifest; `fer-export --help`."""
