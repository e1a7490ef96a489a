"""What a step tells beside its loss, the same for every method."""

import math

import pytest
import torch

from tests.helpers.scripted import Scripted, faces_with
from training.methods import METHODS
from training.methods.method import Batch, Method, StepResult, gradient_size

SEMI_SUPERVISED = [name for name, method in METHODS.items() if method.uses_unlabeled]
LABELED = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]
WEAK = [[0.97, 0.02, 0.01], [0.3, 0.4, 0.3]]
STRONG = [[0.6, 0.3, 0.1], [0.2, 0.4, 0.4]]


def made(name: str, **options: object) -> Method:
    method = METHODS[name]
    return method(method.Options.model_validate(options), 3)


def stepped(method: Method, student: Scripted | None = None) -> StepResult:
    """A step in which the first unlabeled image is surely of class 0, and the second of none."""
    student = student or Scripted(3)
    weak = faces_with(WEAK)
    batch = Batch(faces_with(LABELED), torch.eye(3)[:2], (weak, weak), faces_with(STRONG))
    method.begin(student)
    return method.step(student, Scripted(3), batch, 1.0)


@pytest.mark.parametrize("name", METHODS)
def test_the_logits_of_the_labeled_images_are_told_without_gradient(name: str):
    result = stepped(made(name))
    torch.testing.assert_close(result.labeled_logits, torch.tensor(LABELED).log())
    assert not result.labeled_logits.requires_grad
    assert result.loss.requires_grad and result.loss.shape == ()


@pytest.mark.parametrize("name", SEMI_SUPERVISED)
def test_the_likeliest_classes_are_told(name: str):
    result = stepped(made(name))
    assert result.pseudo_labels is not None and result.kept is not None
    assert result.pseudo_labels.tolist() == [0, 1]
    assert result.kept.dtype == torch.bool and result.kept[0].item()


def test_supervised_training_tells_of_no_unlabeled_image():
    result = stepped(made("supervised"))
    assert (result.pseudo_labels, result.kept, result.complementary) == (None, None, None)
    assert result.gradients == {}
    assert made("supervised").thresholds(1.0) is None


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("fixmatch", {"pseudo_label"}),
        ("freematch", set()),
        ("fullmatch", {"pseudo_label", "complementary", "entropy"}),
        ("adacm", set()),
        ("dta_snl", {"pseudo_label", "complementary"}),
        ("personal", set()),
    ],
)
def test_the_terms_whose_gradients_are_told_have_their_names(name: str, terms: set[str]):
    assert set(stepped(made(name)).gradients) == terms


def test_without_negative_learning_its_gradient_is_not_told():
    assert set(stepped(made("dta_snl", snl=False)).gradients) == {"pseudo_label"}


@pytest.mark.parametrize("name", ["fixmatch", "dta_snl"])
def test_the_gradient_of_the_pseudo_labels_is_that_of_their_weighted_term(name: str):
    """One of two images is kept: lambda_u * (q - y) / 2 with q = (0.6, 0.3, 0.1), y = class 0."""
    fixed = {"dta": False} if name == "dta_snl" else {}
    gradients = stepped(made(name, lambda_u=3.0, threshold=0.95, **fixed)).gradients
    expected = 3 / 2 * math.hypot(0.4, 0.3, 0.1)
    assert gradients["pseudo_label"].item() == pytest.approx(expected, rel=1e-5)
    assert not gradients["pseudo_label"].requires_grad


def test_fullmatch_weighs_its_gradients_as_its_loss():
    once, thrice = (
        stepped(made("fullmatch", lambda_u=w, lambda_n=2 * w, lambda_e=5 * w)).gradients
        for w in (1.0, 3.0)
    )
    for name, size in once.items():
        assert size > 0
        assert thrice[name].item() == pytest.approx(3 * size.item(), rel=1e-5)


def test_a_constant_term_pulls_at_nothing():
    size = gradient_size(torch.tensor(4.0), torch.zeros(2, 3, requires_grad=True))
    assert size.item() == 0 and size.shape == ()


@pytest.mark.parametrize("name", ["fixmatch", "freematch", "fullmatch", "dta_snl"])
def test_teacher_or_student_labels_the_images_as_asked(name: str):
    """The student answers the opposite of the teacher."""
    for by_teacher, label in ((True, 0), (False, 2)):
        student = Scripted(3)
        student.scale.data.fill_(-1.0)
        result = stepped(made(name, teacher_labels=by_teacher), student)
        assert result.pseudo_labels is not None
        assert result.pseudo_labels[0].item() == label


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("supervised", set()),
        ("fixmatch", set()),
        ("freematch", {"tau", "mean_probs", "histogram"}),
        ("fullmatch", set()),
        ("adacm", {"margin.confidence", "margin.seen"}),
        ("personal", {"dynamic.confidence", "dynamic.seen"}),
        (
            "dta_snl",
            {"dynamic.confidence", "dynamic.seen", "mean_probs"}
            | {f"heldout.{key}" for key in ("right", "read", "truth", "n_images")},
        ),
    ],
)
def test_a_checkpoint_holds_what_a_method_has_learnt_and_no_option(name: str, state: set[str]):
    method = made(name)
    stepped(method)
    assert set(method.state_dict()) == state
