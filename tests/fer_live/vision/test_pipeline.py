from contextlib import closing
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live import Frame, Pipeline
from fer_live.model.manifest import EXPRESSIONS
from fer_live.sources.images import read_image
from fer_live.sources.open import open_source
from fer_live.vision.quality import QualityJudge
from fer_live.vision.speaking import SpeechMeter


@pytest.fixture(scope="module")
def pipeline():
    with Pipeline.load(provider="cpu") as loaded:
        yield loaded


def test_a_picture_without_a_face_gives_none(pipeline: Pipeline):
    pipeline.reset()
    result = pipeline.process(Frame(np.full((240, 320, 3), 90, np.uint8), 0, 0.0))
    assert result.faces == ()
    stages = {"detect", "track", "align", "classify", "quality", "smooth"}
    assert set(result.timings_ms) == stages


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3), (33, 17, 3)])
def test_odd_pictures_do_no_harm(pipeline: Pipeline, shape: tuple[int, ...]):
    pipeline.reset()
    assert pipeline.process(Frame(np.zeros(shape, np.uint8), 0, 0.0)).faces == ()


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))]
)
def test_a_frame_of_another_shape_is_refused(image: np.ndarray):
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8"):
        Frame(image, 0, 0.0)


def test_every_frame_of_the_demo_has_a_face_and_each_face_keeps_its_number(
    pipeline: Pipeline, demo_frames: list[np.ndarray]
):
    pipeline.reset()
    seen: list[list[int]] = []
    for index, image in enumerate(demo_frames):
        result = pipeline.process(Frame(image, index, index / 30))
        seen.append([face.track_id for face in result.faces])
        for face in result.faces:
            x1, y1, x2, y2 = face.box_xyxy
            assert 0 <= x1 < x2 <= 640
            assert 0 <= y1 < y2 <= 480
            assert face.probs.sum() == pytest.approx(1, abs=1e-5)
            assert face.label == EXPRESSIONS[int(face.probs.argmax())]
            assert face.confidence == pytest.approx(float(face.probs.max()))
    assert all(seen), f"no face in frames {[k for k, ids in enumerate(seen) if not ids]}"
    assert sum(len(ids) == 2 for ids in seen[155:]) >= 60, "the last part shows two people"
    assert all(len(set(ids)) == len(ids) for ids in seen)


def test_the_smiling_portrait_reads_as_happiness(pipeline: Pipeline, demo_frames: list[np.ndarray]):
    pipeline.reset()
    result = pipeline.process(Frame(demo_frames[20], 0, 0.0))
    assert result.faces[0].label == "happiness"


def test_reset_starts_the_numbers_again(pipeline: Pipeline, demo_frames: list[np.ndarray]):
    for _ in range(2):
        pipeline.reset()
        result = pipeline.process(Frame(demo_frames[0], 0, 5.0))
        assert [face.track_id for face in result.faces] == [1]


def test_auto_takes_the_full_range_model_only_where_it_finds_more(
    demo_frames: list[np.ndarray],
):
    far = np.full((720, 1280, 3), 110, np.uint8)
    small = cv2.resize(demo_frames[20], None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    far[300 : 300 + small.shape[0], 600 : 600 + small.shape[1]] = small
    with Pipeline.load(provider="cpu", detector="auto") as pipeline:
        near = pipeline.process(Frame(demo_frames[20], 0, 0.0))
        assert near.detector == "short"
        pipeline.reset()
        wide = pipeline.process(Frame(far, 0, 0.0))
        assert (wide.detector, len(wide.faces)) == ("full", 1)
        later = pipeline.process(Frame(demo_frames[20], 1, 1.5))
        assert (later.detector, len(later.faces)) == ("short", 1)


def test_one_person_is_one_track_and_is_seen(pipeline: Pipeline, shared_data):
    from fer_live.sources.clip import ClipSource

    pipeline.reset()
    clip = ClipSource(shared_data / "clips/pyfeat/single_face.mp4")
    n_frames, n_seen, tracks = 0, 0, set()
    while (frame := clip.read()) is not None:
        faces = pipeline.process(frame).faces
        n_frames += 1
        n_seen += bool(faces)
        tracks |= {face.track_id for face in faces}
    clip.close()
    assert n_seen >= 0.95 * n_frames
    assert tracks == {1}


@pytest.mark.parametrize("name", ["no-faces.jpg", "free-mountain-vector-01.jpg"])
def test_no_face_is_invented(pipeline: Pipeline, shared_data, name: str):
    pipeline.reset()
    image = read_image(shared_data / "stills" / name)
    assert pipeline.process(Frame(image, 0, 0.0)).faces == ()


def test_ten_faces_in_a_wide_shot_are_found_and_read(pipeline: Pipeline, shared_data):
    """Five people and their mirror images in 1280x720: 65 pixels a face."""
    five = read_image(shared_data / "stills/multi_face.jpg")
    ten = cv2.resize(np.hstack([five, five[:, ::-1]]), (1280, 427), interpolation=cv2.INTER_AREA)
    frame = np.full((720, 1280, 3), 90, np.uint8)
    frame[150:577] = ten
    pipeline.reset()
    result = pipeline.process(Frame(frame, 0, 0.0))
    assert len(result.faces) == 10
    assert result.detector == "full-parts"
    assert sorted(face.track_id for face in result.faces) == list(range(1, 11))
    pairs = sorted(result.faces, key=lambda face: float(face.box_xyxy[0]))
    centers = [float(face.box_xyxy[[0, 2]].mean()) for face in pairs]
    assert centers == pytest.approx([1280 - x for x in reversed(centers)], abs=12)
    later = pipeline.process(Frame(frame, 1, 1 / 30))
    assert {face.track_id for face in later.faces} == set(range(1, 11))


def test_the_number_beside_a_label_is_its_smoothed_probability(
    pipeline: Pipeline, demo_frames: list[np.ndarray]
):
    pipeline.reset()
    for index, image in enumerate(demo_frames):
        for face in pipeline.process(Frame(image, index, index / 30)).faces:
            if face.shown_label:
                place = pipeline.labels.index(face.shown_label)
                assert face.shown_confidence == pytest.approx(float(face.smoothed_probs[place]))
            else:
                assert face.shown_confidence is None


def n_switches(pipeline: Pipeline, clip: Path) -> int:
    """How often the label that is shown of the largest face changes."""
    pipeline.reset()
    shown: list[str] = []
    with closing(open_source(str(clip))) as source:
        while (frame := source.read()) is not None:
            faces = pipeline.process(frame).faces
            if faces:
                shown.append(max(faces, key=lambda face: face.area).shown_label)
    return sum(one != other for one, other in pairwise(shown))


def test_labels_change_less_while_somebody_speaks(
    pipeline: Pipeline, shared_data: Path, monkeypatch: pytest.MonkeyPatch
):
    """A woman who speaks to the camera; the man of the other clip moves his brows and jaw."""
    speech = shared_data / "clips/ferlib/woman2.mp4"
    calm = shared_data / "clips/pyfeat/single_face.mp4"
    with_meter = [n_switches(pipeline, clip) for clip in (speech, calm)]
    monkeypatch.setattr(SpeechMeter, "update", lambda *_: 0.0)
    without = [n_switches(pipeline, clip) for clip in (speech, calm)]
    assert with_meter[0] <= 0.6 * without[0]
    assert with_meter[1] == without[1]


def test_the_measured_pose_judges_the_picture(
    demo_frames: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    """With signals the turn of a head is the landmarker's, without them that of the key points."""
    heads = []
    original = QualityJudge.judge

    def note(self, *arguments):
        heads.append(arguments[5][0])
        return original(self, *arguments)

    monkeypatch.setattr(QualityJudge, "judge", note)
    with Pipeline.load(provider="cpu", signals=True) as pipeline:
        (face,) = pipeline.process(Frame(demo_frames[20], 0, 0.0)).faces
    with Pipeline.load(provider="cpu") as pipeline:
        pipeline.process(Frame(demo_frames[20], 0, 0.0))
    assert heads == [face.signals, None]
    assert (heads[0].yaw_deg, heads[0].pitch_deg) == tuple(face.signals.head_deg[:2].tolist())


@pytest.mark.parametrize("n_at_once", [1, 3, 16])
def test_several_frames_at_once_are_read_as_one_after_the_other(
    pipeline: Pipeline, demo_frames: list[np.ndarray], n_at_once: int
):
    """Through a hard cut, an empty picture, a clock that goes back, and frames without a face."""
    black, mirrored = np.zeros_like(demo_frames[0]), [f[:, ::-1].copy() for f in demo_frames]
    images = [*demo_frames[70:84], *mirrored[150:160], black, *demo_frames[180:186]]
    times_s = [k / 30 for k in range(25)] + [0.1 + k / 30 for k in range(len(images) - 25)]
    frames = [Frame(image, k, t) for k, (image, t) in enumerate(zip(images, times_s, strict=True))]
    pipeline.reset()
    apart = [pipeline.process(frame) for frame in frames]
    assert len({face.track_id for result in apart for face in result.faces}) >= 3, "scenes change"
    pipeline.reset()
    blocks = [frames[k : k + n_at_once] for k in range(0, len(frames), n_at_once)]
    at_once = [result for block in blocks for result in pipeline.process_all(block)]
    assert pipeline.process_all([]) == []
    for one, other in zip(apart, at_once, strict=True):
        assert one.frame is other.frame and one.detector == other.detector
        assert one.timings_ms.keys() == other.timings_ms.keys()
        assert len(one.faces) == len(other.faces)
        for face, same in zip(one.faces, other.faces, strict=True):
            for field in fields(face):
                np.testing.assert_array_equal(getattr(face, field.name), getattr(same, field.name))


def test_another_thread_changes_no_answer(pipeline: Pipeline, demo_frames: list[np.ndarray]):
    """Beside other processes many faces are read by one thread."""
    faces = np.stack([frame[100:148, 200:248, 0] for frame in demo_frames[:40]])
    by_two = pipeline.classifier.classify(faces)
    pipeline.classifier.may_use_two_threads = False
    by_one = pipeline.classifier.classify(faces)
    pipeline.classifier.may_use_two_threads = True
    np.testing.assert_array_equal(by_one, by_two)
