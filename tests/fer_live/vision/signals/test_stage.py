"""Which face is measured when, and what is told of it between."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_live import Frame, Pipeline
from fer_live.datatypes import FaceDetection, FaceLandmarks, TrackedFace
from fer_live.vision.landmarker import FaceLandmarker
from fer_live.vision.signals.stage import SignalStage

PICTURE = np.zeros((480, 640, 3), np.uint8)


class Clock:
    """Time that passes when a face is measured."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, demo_frames: list[np.ndarray]):
    """A stage that takes 10 ms a face and finds the demo's points in every one."""
    with FaceLandmarker() as landmarker:
        real = landmarker.measure(demo_frames[20])
        assert real is not None
    clock = Clock()
    monkeypatch.setattr("fer_live.vision.signals.stage.time.perf_counter", clock)

    def measure(self: FaceLandmarker, image: np.ndarray, box: np.ndarray) -> FaceLandmarks | None:
        clock.now_s += 0.01
        if image.max():
            return None
        middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 0], np.float32)
        centred = real.points_xyz - real.points_xyz.mean(axis=0)
        return replace(real, points_xyz=centred * 0.1 + middle)

    monkeypatch.setattr(FaceLandmarker, "measure", measure)
    made = SignalStage()
    yield made
    made.close()


def faces(n: int, x: float = 0.0) -> list[TrackedFace]:
    return [
        TrackedFace(
            number + 1,
            FaceDetection(
                np.array([x + 100 * number, 50, x + 100 * number + 80, 130], np.float32),
                np.zeros((6, 2), np.float32),
                0.9,
            ),
        )
        for number in range(n)
    ]


def test_no_face_is_no_signals(stage: SignalStage):
    assert stage.measure(PICTURE, [], 0.0) == []


def test_without_a_budget_every_face_is_measured_in_every_frame(stage: SignalStage):
    for frame in range(5):
        known = stage.measure(PICTURE, faces(3), frame / 30)
        assert [one is not None and one.age_s == 0 for one in known] == [True] * 3


@pytest.mark.parametrize(
    ("budget", "n_faces", "frames_a_second", "measured_a_second"),
    [
        (0.4, 1, 30, 30),
        (0.4, 4, 30, 30),  # no frame waits for more than its share, or for one face
        (0.1, 1, 30, 10),
        (0.4, 4, 10, 40),
        (0.4, 2, 15, 30),
        (0.15, 2, 30, 15),
    ],
)
def test_a_budget_is_kept_and_faces_take_turns(
    stage: SignalStage,
    budget: float,
    n_faces: int,
    frames_a_second: int,
    measured_a_second: int,
):
    stage.budget = budget
    counts = np.zeros(n_faces, int)
    at_most = 0
    for frame in range(3 * frames_a_second):
        known = stage.measure(PICTURE, faces(n_faces), frame / frames_a_second)
        new = [one is not None and one.age_s == 0 for one in known]
        counts += new
        at_most = max(at_most, sum(new))
    assert at_most <= max(budget / frames_a_second / 0.01, 1)
    assert counts.sum() == pytest.approx(3 * measured_a_second, abs=4)
    assert counts.max() - counts.min() <= 2
    if n_faces > 1:
        assert all(one is not None for one in known), "held between"


@pytest.fixture
def beside():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_what_was_begun_is_taken_and_nothing_is_looked_at_twice(
    stage: SignalStage, beside: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
):
    stage.budget = 0.4
    threads: list[str] = []
    look = SignalStage._look

    def told(self: SignalStage, *rest: object) -> object:
        threads.append(threading.current_thread().name)
        return look(self, *rest)

    monkeypatch.setattr(SignalStage, "_look", told)
    for frame in range(4):
        stage.begin(PICTURE, frame / 30, beside)
        (known,) = stage.measure(PICTURE, faces(1, x=2.0 * frame), frame / 30)
        assert known is not None and known.age_s == 0
    here = threading.current_thread().name
    assert [thread == here for thread in threads] == [True, False, False, False]


def test_what_was_begun_of_a_face_that_left_is_nobodys(
    stage: SignalStage, beside: ThreadPoolExecutor
):
    stage.budget = 0.4
    stage.measure(PICTURE, faces(1), 0.0)
    stage.begin(PICTURE, 1 / 30, beside)
    (other,) = faces(2)[1:]
    assert stage.measure(PICTURE, [other], 1 / 30) == [None], "its own turn comes"
    stage.begin(PICTURE, 2 / 30, beside)
    assert stage.measure(PICTURE, [other], 2 / 30) != [None]


def test_what_was_begun_where_a_face_was_is_not_of_one_that_jumped(
    stage: SignalStage, beside: ThreadPoolExecutor
):
    stage.budget = 0.4
    stage.measure(PICTURE, faces(1), 0.0)
    for frame, age_s in ((1, 1 / 30), (2, 0.0)):
        stage.begin(PICTURE, frame / 30, beside)
        (known,) = stage.measure(PICTURE, faces(1, x=300.0), frame / 30)
        assert known is not None and known.age_s == pytest.approx(age_s)


def test_a_frame_that_failed_leaves_nothing_to_the_next(
    stage: SignalStage, beside: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
):
    stage.budget = 0.4
    stage.measure(PICTURE, faces(1), 0.0)
    stage.begin(PICTURE + 1, 1 / 30, beside)  # nobody is in it; and `measure` never comes
    stage.begin(PICTURE, 2 / 30, beside)
    (known,) = stage.measure(PICTURE, faces(1), 2 / 30)
    assert known is not None and known.age_s == 0
    stage.begin(PICTURE, 3 / 30, beside)
    stage.reset()
    assert stage._begun == []
    stage.begin(PICTURE, 4 / 30, beside)
    assert stage._begun == [], "after a reset there is no frame before"


def test_the_pipeline_measures_the_same_beside_and_after(
    demo_frames: list[np.ndarray], beside: ThreadPoolExecutor
):
    told = []
    for pool in (None, beside):
        with Pipeline.load(provider="cpu", signals=True) as pipeline:
            pipeline.signals_budget, pipeline.beside = 1.0, pool
            results = [pipeline.process(Frame(demo_frames[20], k, k / 30)) for k in range(4)]
        told.append([result.faces[0].signals for result in results])
    for after, before in zip(*told, strict=True):
        assert after is not None and before is not None
        assert (after.age_s, before.age_s) == (0, 0)
        points = [one.landmarks.points_xyz for one in (after, before)]
        assert points[0] == pytest.approx(points[1], abs=0.5)


def test_points_between_move_with_the_face(stage: SignalStage):
    stage.budget = 1e-6
    (first,) = stage.measure(PICTURE, faces(1), 0.0)
    (held,) = stage.measure(PICTURE, faces(1, x=30.0), 0.1)
    assert first is not None and held is not None
    assert first.age_s == 0 and held.age_s == pytest.approx(0.1)
    shift = held.landmarks.points_xyz - first.landmarks.points_xyz
    assert shift == pytest.approx(np.broadcast_to((30, 0, 0), shift.shape), abs=1e-3)
    assert stage.measure(PICTURE, faces(1), 0.9) == [None], "what is old is not told"


def test_a_face_that_is_not_found_is_not_the_one_before(stage: SignalStage):
    assert stage.measure(PICTURE, faces(1), 0.0) != [None]
    assert stage.measure(PICTURE + 1, faces(1), 1 / 30) == [None]


def test_a_reset_forgets_everybody(stage: SignalStage):
    stage.measure(PICTURE, faces(1), 0.0)
    stage.budget = 1e-6
    stage.reset()
    stage._credit_s = 0.0
    assert stage.measure(PICTURE, faces(1), 0.1) == [None]


def test_the_pipeline_measures_when_asked_and_only_then(demo_frames: list[np.ndarray]):
    with Pipeline.load(provider="cpu", signals=True) as pipeline:
        result = pipeline.process(Frame(demo_frames[20], 0, 0.0))
        assert result.timings_ms["signals"] > 0
        (face,) = result.faces
        assert face.signals is not None and face.signals.age_s == 0
        x1, y1, x2, y2 = face.box_xyxy
        nose = face.signals.landmarks.points_xyz[1]
        assert x1 < nose[0] < x2 and y1 < nose[1] < y2
        pipeline.with_signals = False
        result = pipeline.process(Frame(demo_frames[21], 1, 1 / 30))
        assert result.faces[0].signals is None
        assert "signals" not in result.timings_ms
        pipeline.with_signals = True
        assert pipeline.process(Frame(demo_frames[22], 2, 2 / 30)).faces[0].signals is not None


def test_two_faces_are_each_measured(demo_frames: list[np.ndarray]):
    both = demo_frames[180]
    with Pipeline.load(provider="cpu", signals=True) as pipeline:
        result = pipeline.process(Frame(both, 0, 0.0))
        places = [
            (face.box_xyxy, face.signals.landmarks.points_xyz[1])
            for face in result.faces
            if face.signals is not None
        ]
    assert len(places) == 2
    for (x1, y1, x2, y2), (x, y, _) in places:
        assert x1 < x < x2 and y1 < y < y2


def test_signals_that_are_off_are_not_even_imported(tmp_path):
    picture = tmp_path / "black.png"
    cv2.imwrite(str(picture), PICTURE)
    code = (
        "import sys, cv2; from fer_live import Frame, Pipeline\n"
        "with Pipeline.load(provider='cpu') as p:\n"
        f"    p.process(Frame(cv2.imread({str(picture)!r}), 0, 0.0))\n"
        "found = [m for m in sys.modules if 'landmarker' in m.split('fer_live.')[-1]\n"
        "         and m.startswith('fer_live') or m.startswith('fer_live.vision.signals')]\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
