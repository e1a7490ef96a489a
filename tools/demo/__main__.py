"""Writes assets/demo_faces.mp4: python -m tools.demo"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from fer_live.datatypes import UInt8Array
from fer_live.vision.detector import FaceDetector
from fer_live.vision.landmarker import FaceLandmarker
from tools.demo.portraits import PORTRAITS
from tools.demo.rig import Rig
from tools.demo.scene import FPS, FRAME_WH, SECONDS, frames

OUT = Path(__file__).parents[2] / "assets/demo_faces.mp4"
_QUALITY = {"crf": "23", "preset": "slow", "threads": "1"}
"""One thread: with several, the file would differ from one machine to the next."""


def main() -> None:
    """Find the faces, move them through the clip, and write it."""
    detector = FaceDetector("short")
    with FaceLandmarker() as landmarker:
        rigs = {person.name: Rig(person, detector, landmarker) for person in PORTRAITS}
    detector.close()
    write(OUT, frames(rigs))
    print(f"{OUT}: {SECONDS} s, {OUT.stat().st_size / 1e6:.2f} MB")


def write(out: Path, images_bgr: Iterator[UInt8Array]) -> None:
    """An H.264 file that begins to play before it is read whole."""
    with av.open(str(out), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=_QUALITY)
        stream.width, stream.height = FRAME_WH
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for image_bgr in images_bgr:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image_bgr, format="bgr24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
