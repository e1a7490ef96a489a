"""What else a face tells: head pose, gaze, openings of eyes and mouth, blinks, action units.

`SignalStage` is the stage of the pipeline; the other files are formulas, each explained in
docs/signals.md. May import what `vision` may; only `stage` imports the landmarker.
"""
