"""The three kinds of annotations, made from the demo's portraits and learnt from."""
