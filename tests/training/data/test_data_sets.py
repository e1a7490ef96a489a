"""Each data set in its official layout, as a small tree."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from training.config import DataConfig
from training.data.affectnet import load_affectnet
from training.data.folder import load_labeled_folder
from training.data.image_files import load_clips, load_image_folder, load_photos
from training.data.raf_db import CLASSES as RAF_CLASSES
from training.data.raf_db import load_raf_db
from training.data.sources import draw_list, load_training_data, load_unlabeled
from training.data.splits import save_list


def write_image(path: Path, gray: int, side: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((side, side, 3), gray, dtype=np.uint8))


@pytest.fixture
def raf(tmp_path: Path) -> Path:
    """One image of each label for training, the first three for testing; gray = 30 x label."""
    lines = []
    for split, labels in (("train", range(1, 8)), ("test", range(1, 4))):
        for number, label in enumerate(labels, 1):
            lines.append(f"{split}_{number:05}.jpg {label}")
            write_image(tmp_path / f"Image/aligned/{split}_{number:05}_aligned.jpg", 30 * label)
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel/list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def affectnet_csv(folder: Path, rows: list[tuple[str, int]], split: str = "training") -> Path:
    """Photos of one white face each, whose eyes and mouth are where the landmarks say."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[48:68] = (80, 90), (120, 90), (100, 130)
    landmarks = ";".join(f"{value:.1f}" for value in points.ravel())
    head = (
        "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
        "expression,valence,arousal"
    )
    lines = [head] + [f"{name},60,60,80,90,{landmarks},{label},0.1,0.2" for name, label in rows]
    (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    for name, _ in rows:
        photo = np.zeros((200, 200, 3), dtype=np.uint8)
        photo[60:150, 60:140] = 255
        path = folder / "Manually_Annotated_Images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), photo)
    return folder


def affectnet_npy(folder: Path, labels: list[int], part: str = "train_set") -> Path:
    (folder / part / "annotations").mkdir(parents=True)
    for number, label in enumerate(labels):
        np.save(folder / part / f"annotations/{number}_exp.npy", np.array(str(label)))
        np.save(folder / part / f"annotations/{number}_val.npy", np.array("0.5"))
        write_image(folder / part / f"images/{number}.jpg", 20 * label)
    return folder


def test_raf_db_labels_are_by_its_own_numbers(raf: Path):
    data = load_raf_db(raf, "train", 48)
    by_number = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]
    assert [RAF_CLASSES[label] for label in data.labels] == by_number
    assert data.images.shape == (7, 48, 48)
    assert [round(image.mean() / 30) for image in data.images] == [1, 2, 3, 4, 5, 6, 7]
    assert len(load_raf_db(raf, "test", 48)) == 3
    assert data.ids[0] == "train_00001.jpg"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("train_00001.jpg 8", "line 1: expected NAME.jpg and a label 1..7"),
        ("train_00001.jpg", "line 1: expected"),
        ("test_00001.jpg 1", "names no image of train"),
    ],
)
def test_a_faulty_raf_list_is_named(raf: Path, line: str, says: str):
    (raf / "EmoLabel/list_patition_label.txt").write_text(line + "\n")
    with pytest.raises(DataError, match=says):
        load_raf_db(raf, "train", 48)


def test_an_image_that_a_list_names_twice_is_named(raf: Path):
    list_file = raf / "EmoLabel/list_patition_label.txt"
    list_file.write_text(f"{list_file.read_text()}train_00002.jpg 5\n")
    with pytest.raises(DataError, match=r"line 11: names train_00002\.jpg a second time, after l"):
        load_raf_db(raf, "train", 48)


def test_affectnet_counts_an_image_once_and_tells_what_it_leaves_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    affectnet_csv(tmp_path, [("1/a.jpg", 0), ("1/b.jpg", 1), ("1/a.jpg", 3)])
    assert len(load_affectnet(tmp_path, "training", 48)) == 2
    assert "left out 1 rows of images that earlier rows name" in capsys.readouterr().err
    text = (tmp_path / "training.csv").read_text()
    (tmp_path / "training.csv").write_text(text.replace("80.0", "nan", 1))
    with pytest.raises(DataError, match="line 2: facial_landmarks is not 68 pairs"):
        load_affectnet(tmp_path, "training", 48)
    annotated = affectnet_npy(tmp_path / "npy", [0, 1])
    write_image(annotated / "train_set/images/9.jpg", 50)
    assert len(load_affectnet(annotated, "training", 48)) == 2
    assert "1 images left out, without an annotation" in capsys.readouterr().err


def test_a_folder_says_which_of_its_folders_are_no_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_image(tmp_path / "happiness/a.png", 40)
    write_image(tmp_path / "anger/b.png", 90)
    (tmp_path / "fear").mkdir()
    assert load_labeled_folder(tmp_path, 48).classes == ("happiness", "anger")
    assert "no image in fear, so it is no class" in capsys.readouterr().err


def test_accents_of_either_kind_are_one_label(tmp_path: Path):
    """macOS stores a letter and its accent as two characters."""
    write_image(tmp_path / "u\u0308bel/a.png", 40)
    write_image(tmp_path / "\u00fcbel/b.png", 60)
    write_image(tmp_path / "gut/c.png", 90)
    data = load_labeled_folder(tmp_path, 48)
    assert data.classes == ("gut", "\u00fcbel")
    assert data.labels.tolist().count(1) == 2
    assert set(data.ids) == {"gut/c.png", "\u00fcbel/a.png", "\u00fcbel/b.png"}


def test_raf_without_its_images(raf: Path):
    for file in (raf / "Image/aligned").iterdir():
        file.unlink()
    (raf / "Image/aligned").rmdir()
    with pytest.raises(DataError, match="RAF-DB's aligned images belong there"):
        load_raf_db(raf, "train", 48)


def test_affectnet_csv_release(tmp_path: Path):
    rows = [(f"{n}/a.jpg", n) for n in range(11)]
    data = load_affectnet(affectnet_csv(tmp_path, rows), "training", 48)
    names = [EXPRESSIONS[label] for label in data.labels]
    assert names == [
        "neutral",
        "happiness",
        "sadness",
        "surprise",
        "fear",
        "disgust",
        "anger",
        "contempt",
    ], "8, 9 and 10 are no expressions"
    assert data.images[:, 24, 24].min() > 200, "the face is in the middle of its crop"


def test_affectnet_lists_may_lie_in_their_own_folder(tmp_path: Path):
    affectnet_csv(tmp_path, [("1/a.jpg", 1)], "validation")
    (tmp_path / "Manually_Annotated_file_lists").mkdir()
    (tmp_path / "validation.csv").rename(tmp_path / "Manually_Annotated_file_lists/validation.csv")
    assert len(load_affectnet(tmp_path, "validation", 48)) == 1


def test_affectnet_npy_release(tmp_path: Path):
    data = load_affectnet(affectnet_npy(tmp_path, [0, 3, 7]), "training", 48)
    assert [EXPRESSIONS[label] for label in data.labels] == ["neutral", "surprise", "contempt"]
    assert [round(image.mean() / 20) for image in data.images] == [0, 3, 7]


def test_faulty_affectnet_files_are_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"neither training\.csv"):
        load_affectnet(tmp_path, "training", 48)
    affectnet_csv(tmp_path, [("1/a.jpg", 1)])
    text = (tmp_path / "training.csv").read_text()
    (tmp_path / "training.csv").write_text(text.replace(",1,0.1", ",12,0.1"))
    with pytest.raises(DataError, match=r"line 2: expression '12' is not one of 0\.\.10"):
        load_affectnet(tmp_path, "training", 48)
    (tmp_path / "training.csv").write_text(text.replace("80.0;90.0", "eye"))
    with pytest.raises(DataError, match="line 2: facial_landmarks is not 68 pairs"):
        load_affectnet(tmp_path, "training", 48)
    (tmp_path / "training.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="no column subDirectory_filePath"):
        load_affectnet(tmp_path, "training", 48)


def test_an_annotation_that_is_a_pickle_is_refused(tmp_path: Path):
    affectnet_npy(tmp_path, [1])
    np.save(tmp_path / "train_set/annotations/0_exp.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(DataError, match="not an annotation"):
        load_affectnet(tmp_path, "training", 48)


def test_a_folder_a_class(tmp_path: Path):
    write_image(tmp_path / "happiness/a.png", 50)
    write_image(tmp_path / "neutral/b.png", 100)
    data = load_labeled_folder(tmp_path, 48)
    assert data.classes == ("neutral", "happiness"), "in the order of our models"
    assert data.labels.tolist() == [1, 0]
    assert data.ids.tolist() == ["happiness/a.png", "neutral/b.png"]


def test_a_folder_of_other_classes_has_them_by_name(tmp_path: Path):
    write_image(tmp_path / "smile/a.png", 50)
    write_image(tmp_path / "frown/b.png", 100)
    assert load_labeled_folder(tmp_path, 48).classes == ("frown", "smile")


@pytest.mark.parametrize("label", ["a&b", "-fear", "happy+sad", "Freude 😀", "x" * 70])
def test_a_folder_that_can_be_no_label_is_named_before_training(tmp_path: Path, label: str):
    write_image(tmp_path / label / "a.png", 50)
    write_image(tmp_path / "frown/b.png", 100)
    with pytest.raises(DataError, match="its name can be no label of a model; rename it"):
        load_labeled_folder(tmp_path, 48)


def test_one_unreadable_image_among_many_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for number in range(200):
        write_image(tmp_path / f"{number:04}.jpg", number, side=48)
    (tmp_path / "0100.jpg").write_bytes(b"not an image")
    faces = load_image_folder(tmp_path, 48)
    assert len(faces) == 199
    assert "0100.jpg" not in faces.ids
    assert round(faces.images[100].mean()) == 101, "the images after it keep their place"
    message = capsys.readouterr().err
    assert "skipped 1 of 200 images" in message and "0100.jpg" in message


def test_a_folder_without_a_readable_image_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no image below this folder"):
        load_image_folder(tmp_path, 48)
    (tmp_path / "a.jpg").write_bytes(b"not an image")
    with pytest.raises(DataError, match="none of 1 images can be read"):
        load_image_folder(tmp_path, 48)


def test_faces_of_clips_are_cut_as_the_app_cuts_them(
    demo_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "a.mp4").write_bytes(demo_clip.read_bytes())
    (tmp_path / "b.mp4").write_bytes(b"not a clip")
    faces = load_clips(tmp_path, 48)
    assert len(faces) >= 5
    assert faces.images.std() > 10
    assert "skipped 1 of 2 clips" in capsys.readouterr().err


def test_faces_of_photos(demo_frames: list[np.ndarray], tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.png"), demo_frames[10])
    write_image(tmp_path / "empty.png", 100)
    assert len(load_photos(tmp_path, 48)) >= 1
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match="no face found in its 1 photos"):
        load_photos(tmp_path, 48)


def test_any_data_set_can_be_any_part(raf: Path, learnable_tree: Path, tmp_path: Path):
    """RAF-DB labeled, FER2013 unlabeled, a folder for evaluation."""
    write_image(tmp_path / "own/happiness/a.png", 50)
    config = DataConfig(
        source=f"raf-db:{raf}",
        unlabeled=(f"fer2013:{learnable_tree}", f"images:{raf / 'Image'}"),
        evaluation=f"folder:{tmp_path / 'own'}",
    )
    data = load_training_data(config, 48, 0)
    assert len(data.labeled) == 7
    assert len(data.unlabeled) == 96 + 10
    assert (data.hidden_labels == -1).all()
    (evaluation,) = data.evaluations.values()
    assert evaluation.classes == RAF_CLASSES
    assert [RAF_CLASSES[label] for label in evaluation.labels] == ["happiness"]


def test_what_is_measured_on_is_trained_on_nowhere(
    raf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """RAF-DB's folder holds its test images too, here equal to three of the training ones."""
    config = DataConfig(source=f"raf-db:{raf}", unlabeled=(f"images:{raf / 'Image'}",))
    data = load_training_data(config, 48, 0)
    (evaluation,) = data.evaluations.values()
    measured = {image.tobytes() for image in evaluation.images}
    assert len(measured) == 3
    assert len(data.labeled) == 4 and len(data.unlabeled) == 4
    pools = (data.labeled.faces, data.unlabeled)
    trained = {image.tobytes() for pool in pools for image in pool.all()}
    assert not trained & measured
    said = capsys.readouterr().err
    assert "3 images dropped" in said and "6 images dropped" in said


def test_hidden_and_empty_folders_are_no_classes(tmp_path: Path):
    write_image(tmp_path / "happiness/a.png", 50)
    write_image(tmp_path / "neutral/a.png", 60)
    write_image(tmp_path / ".ipynb_checkpoints/a.png", 70)
    (tmp_path / "contempt").mkdir()
    data = load_labeled_folder(tmp_path, 48)
    assert data.classes == ("neutral", "happiness")
    assert len(data) == 2


def test_one_class_is_nothing_to_train_on(tmp_path: Path):
    write_image(tmp_path / "neutral/a.png", 60)
    with pytest.raises(DataError, match="1 class in it"):
        load_training_data(DataConfig(source=f"folder:{tmp_path}"), 48, 0)


def test_a_list_of_one_label_rule_serves_the_other(learnable_tree: Path, tmp_path: Path):
    source = f"fer2013:{learnable_tree}"
    file = tmp_path / "third.json"
    save_list(file, draw_list(source, "PublicTest", "ferplus-argmax", 0.5, 0))
    config = DataConfig(source=source, labels="ferplus-majority", evaluation_only=str(file))
    sizes = {len(part) for part in load_training_data(config, 48, 0).evaluations.values()}
    assert sizes == {16}
    config = DataConfig(source=source, evaluation_only=str(file), labeled_list=str(file))
    with pytest.raises(DataError, match="belongs to another data set"):
        load_training_data(config, 48, 0)


def test_an_evaluation_with_classes_that_were_not_trained_is_refused(raf: Path, tmp_path: Path):
    write_image(tmp_path / "own/contempt/a.png", 50)
    config = DataConfig(source=f"raf-db:{raf}", evaluation=f"folder:{tmp_path / 'own'}")
    with pytest.raises(DataError, match="has contempt, which the training data has not"):
        load_training_data(config, 48, 0)


def test_the_rest_of_the_training_images_is_unlabeled(learnable_tree: Path):
    config = DataConfig(source=f"fer2013:{learnable_tree}", labeled_share=0.25)
    data = load_training_data(config, 48, 1)
    assert (len(data.labeled), len(data.unlabeled)) == (24, 72)
    assert len(data.split.ids) == 24
    assert sorted({*data.hidden_labels.tolist()}) == [0, 2, 4, 6]
    assert list(data.evaluations) == ["PublicTest ferplus-argmax", "PublicTest ferplus-majority"]


def test_an_unknown_data_set_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="not a data set; write fer2013:DIR or raf-db:DIR"):
        load_unlabeled(f"imagenet:{tmp_path}", 48)
