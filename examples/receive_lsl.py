"""Prints what `fer-live --lsl "FER Live"` sends (pip install pylsl)."""

from pylsl import StreamInlet, resolve_byprop

inlet = StreamInlet(resolve_byprop("name", "FER Live")[0])
while True:
    sample, timestamp = inlet.pull_sample()
    print(f"{timestamp:.3f} neutral {sample[0]:.2f} face {sample[-1]:.0f}", flush=True)
