import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_live.errors import SourceError, TruncatedError
from fer_live.sources.clip import ClipSource, PacedClip
from fer_live.sources.content import kind_of
from fer_live.sources.folder import images_in, look_into
from fer_live.sources.images import ImageSource, Slideshow, read_image
from fer_live.sources.open import open_live_source, open_source
from tests.helpers.clips import read_all, read_what_is_there
from tests.helpers.images import as_image, gradient, save_animation, save_turned

LOSSY = 12
"""Mean difference that compression makes at most in the gradient."""
SUFFIXES = ("jpg", "png", "webp", "tiff", "avif", "heic")


def difference(image_bgr: np.ndarray, other_bgr: np.ndarray) -> float:
    assert image_bgr.shape == other_bgr.shape
    return float(np.abs(image_bgr.astype(int) - other_bgr).mean())


@pytest.mark.parametrize("suffix", [*SUFFIXES, "bmp", "gif", "jp2", "ppm"])
def test_every_kind_is_read_whatever_it_is_called(tmp_path: Path, suffix: str):
    as_image(gradient()).save(tmp_path / f"a.{suffix}")
    path = (tmp_path / f"a.{suffix}").rename(tmp_path / "a.mp4")
    assert kind_of(path) == "image"
    (frame,) = read_all(open_source(str(path)))
    assert difference(frame.image_bgr, gradient()) < LOSSY
    assert isinstance(open_live_source(str(path)), Slideshow)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_image_is_upright(tmp_path: Path, suffix: str, orientation: int):
    if suffix == "heic" and orientation in (2, 4, 5, 7):
        pytest.skip("pillow-heif writes no mirrored ones")
    path = tmp_path / f"a.{suffix}"
    save_turned(gradient(), path, orientation)
    assert difference(read_image(path), gradient()) < LOSSY


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("kind", ["gray", "color"])
def test_16_bits_are_the_upper_8(tmp_path: Path, name: str, kind: str):
    wanted = gradient()
    wide = wanted.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / name), wide if kind == "color" else wide[..., 1])
    wanted = wanted if kind == "color" else np.repeat(wanted[..., 1:2], 3, axis=2)
    assert difference(read_image(tmp_path / name), wanted) == 0


@pytest.mark.parametrize("mode", ["CMYK", "P", "L", "LA", "RGBA", "1", "F", "I", "YCbCr", "LAB"])
def test_every_mode_is_read(tmp_path: Path, mode: str):
    gray = as_image(np.repeat(gradient()[..., 1:2], 3, axis=2))
    if mode == "LAB":
        from PIL import ImageCms

        to_lab = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(gray, to_lab[1], to_lab[0], outputMode="LAB")
    else:
        image = gray.convert("L").convert(mode) if mode in "FI" else gray.convert(mode)
    if mode == "I":
        image = image.point(lambda value: value * 257)
    image.save(tmp_path / "a.tif" if mode != "LA" else tmp_path / "a.png")
    (path,) = tmp_path.iterdir()
    read = read_image(path)
    assert read.shape == (48, 64, 3)
    assert read.dtype == np.uint8
    if mode not in ("1", "P"):
        assert np.abs(read.mean(axis=2) - gradient()[..., 1]).mean() < LOSSY


def test_what_is_transparent_is_white_as_viewers_show_it(tmp_path: Path):
    image = as_image(gradient()).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_is_a_short_clip_with_its_own_times(tmp_path: Path, suffix: str):
    pictures = [gradient() // (k + 1) for k in range(4)]
    path = tmp_path / f"a.{suffix}"
    save_animation(pictures, path, [100, 300, 50, 200])
    source = open_source(str(path))
    assert source.n_frames == 4
    frames = read_all(source)
    assert [f.captured_at_s for f in frames] == pytest.approx([0, 0.1, 0.4, 0.45])
    assert [f.index for f in frames] == [0, 1, 2, 3]
    for frame, picture in zip(frames, pictures, strict=True):
        assert difference(frame.image_bgr, picture) < LOSSY
    assert isinstance(open_live_source(str(path)), PacedClip)


def test_a_picture_of_a_gif_that_is_shown_for_no_time_stays_as_browsers_have_it(tmp_path: Path):
    save_animation([gradient(), gradient() // 2, gradient() // 3], tmp_path / "a.gif", [0, 10, 30])
    times_s = [frame.captured_at_s for frame in read_all(open_source(str(tmp_path / "a.gif")))]
    assert times_s == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.tif"])
def test_a_cut_image_is_read_as_far_as_it_goes_and_said_to_be_cut(tmp_path: Path, name: str):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    as_image(noise).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    frames, trouble = read_what_is_there(ImageSource(tmp_path / name))
    assert isinstance(trouble, TruncatedError)
    assert name in str(trouble)
    (frame,) = frames
    halves = (slice(0, 80), slice(-80, None))  # BMP begins with the last row
    assert min(difference(frame.image_bgr[half], noise[half]) for half in halves) < 60
    assert read_image(tmp_path / name).shape == (200, 200, 3)


def test_a_damaged_tiff_is_told_by_us_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """libtiff wrote lines of its own."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    as_image(noise).save(tmp_path / "a.tif", compression="tiff_lzw")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[len(content) // 2 : -1000] = bytes(len(content) - len(content) // 2 - 1000)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises((SourceError, TruncatedError)):
        list(iter(ImageSource(tmp_path / "a.tif").read, None))
    assert capfd.readouterr().err == ""


def test_a_cut_animation_is_read_as_far_as_it_goes(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 60, 60, 3), dtype=np.uint8)
    save_animation(list(noise), tmp_path / "a.gif", [100] * 6)
    content = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(content[: len(content) // 2])
    frames, trouble = read_what_is_there(ImageSource(tmp_path / "a.gif"))
    assert 2 <= len(frames) <= 4
    assert isinstance(trouble, TruncatedError)


def test_an_image_is_a_source_of_one_frame(tmp_path: Path):
    path = tmp_path / "gray é.png"
    cv2.imencode(".png", np.full((5, 7), 9, np.uint8))[1].tofile(path)
    frames = read_all(ImageSource(path))
    assert [frame.image_bgr.shape for frame in frames] == [(5, 7, 3)]


def test_a_broken_image_is_refused(tmp_path: Path):
    path = tmp_path / "broken.png"
    whole = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
    huge = struct.pack(">II", 60_000, 60_000)
    for content in (b"\x89PNG but no more", whole[:16] + huge + whole[24:]):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="not an image"):
            read_image(path)


def test_an_image_that_is_no_regular_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(SourceError, match="is not a regular file"):
        read_image(tmp_path / "pipe.png")
    with pytest.raises(SourceError, match="no such file"):
        read_image(tmp_path / "missing.png")


@pytest.fixture
def photos(tmp_path: Path, demo_clip: Path) -> Path:
    """A folder as a camera, an office and three operating systems leave it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    image = as_image(gradient())
    for name in ("IMG_1.JPG", "IMG_2.tif", "IMG_4.gif", "IMG_6.heic"):
        image.save(folder / name)
    image.save(folder / "IMG_5.jfif", "JPEG")
    image.save(folder / "without_suffix", "PNG")
    for name in ("._IMG_1.JPG", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (folder / name).write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")
    (folder / "__MACOSX").mkdir()
    (folder / "dir.jpg").mkdir()
    (folder / "notes.txt").write_text("not an image")
    (folder / "really_a_video.jpg").write_bytes(demo_clip.read_bytes())
    (folder / "loop.png").symlink_to(folder / "loop.png")
    return folder


def test_a_folder_gives_its_images_and_counts_what_is_left_out(photos: Path):
    names = [path.name for path in images_in(photos)]
    assert names == [
        *("IMG_1.JPG", "IMG_2.tif", "IMG_4.gif", "IMG_5.jfif", "IMG_6.heic"),
        *("loop.png", "without_suffix"),
    ]
    folder = look_into(photos)
    assert (folder.n_other_files, folder.n_folders, folder.n_companions) == (2, 1, 5)
    assert folder.left_out.startswith(f"{photos}: images 7; left out: other files 2, ")
    assert len(folder.left_out.splitlines()) == 1


def test_an_image_that_is_called_one_but_is_none_is_not_passed_over(tmp_path: Path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.jpg").write_bytes(b"")
    assert [path.name for path in images_in(tmp_path)] == ["empty.jpg", "text.png"]
    assert look_into(tmp_path).left_out == ""


def test_a_video_that_is_called_an_image_is_read_as_a_video(demo_clip: Path, tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(demo_clip.read_bytes())
    assert isinstance(open_source(str(tmp_path / "a.jpg")), ClipSource)


def test_motion_jpeg_is_a_video_and_a_photo_with_others_behind_it_an_image(tmp_path: Path):
    jpeg = cv2.imencode(".jpg", gradient())[1].tobytes()
    (tmp_path / "motion").write_bytes(jpeg * 10)
    (tmp_path / "photo").write_bytes(jpeg * 2)
    assert len(read_all(open_source(str(tmp_path / "motion")))) == 10
    assert isinstance(open_source(str(tmp_path / "photo")), ImageSource)


def test_a_slideshow_passes_over_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fer_live.sources.images._STILL_FPS", 100)
    monkeypatch.setattr("fer_live.sources.images._STILL_SHOWN_FOR_S", 0.02)
    (tmp_path / "a.png").write_text("no image")
    for name, value in (("b.png", 50), ("c.png", 200)):
        cv2.imwrite(str(tmp_path / name), np.full((4, 4), value, np.uint8))
    show = open_live_source(str(tmp_path))
    assert {int(show.read().image_bgr.mean()) for _ in range(8)} == {50, 200}
    with pytest.raises(SourceError, match=r"a\.png"):
        Slideshow("broken", [tmp_path / "a.png"]).read()


def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # file modes do not bind root
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        images_in(tmp_path)
