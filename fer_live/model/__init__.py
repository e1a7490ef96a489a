"""What a model file is: its manifest, the shipped variants, and a look inside before it runs.

May import `base`. The only room that imports onnx. Promises that a model is one file and that
nothing is read from its name.
"""
