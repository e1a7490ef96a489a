import pytest
import torch
from kornia.augmentation import RandomAffine
from torch import Tensor

from fer_live.model.manifest import CropGeometry
from training.augment_config import AugmentationConfig
from training.data.augment import augmentation
from training.data.image_operations import Affine

NOTHING = {"flip": 0, "affine": 1.0, "rotate_degrees": 0, "translate": 0, "scale": 0}
STRONGEST = {
    "flip": 1.0,
    "rotate_degrees": 90.0,
    "translate": 0.5,
    "scale": 0.5,
    "shear_degrees": 45.0,
    "brightness": 0.9,
    "contrast": 0.9,
    "gamma": 2.0,
    "side_light": 0.9,
    "cover": 1.0,
    "blur": 1.0,
    "motion": 1.0,
    "downscale": 1.0,
    "noise": 0.5,
    "jpeg": 1.0,
    "erase": 1.0,
    "perspective": 1.0,
    "tone": 1.0,
    "equalize": 1.0,
    "posterize": 1.0,
    "sharpness": 1.0,
    "shadow": 1.0,
}
OF_OTHERS = {"affine", "erase_largest", "erase_boxes", "erase_fill"}
"""Fields that say how another one does what it does."""


def faces(n: int = 16) -> Tensor:
    torch.manual_seed(0)
    return torch.rand(n, 1, 48, 48)


def augmented(**fields: float) -> Tensor:
    images = faces()
    out: Tensor = augmentation(AugmentationConfig(**(NOTHING | fields)))(images)
    return out


def test_with_everything_at_zero_nothing_changes():
    assert torch.equal(augmented(), faces())


def test_every_field_is_tried_here():
    assert set(STRONGEST) | OF_OTHERS == set(AugmentationConfig.model_fields)


@pytest.mark.parametrize("name", STRONGEST)
def test_each_part_alone_changes_images_and_keeps_their_range(name: str):
    images = augmented(**{name: STRONGEST[name]})
    assert images.shape == (16, 1, 48, 48)
    changed = (images != faces()).flatten(1).any(dim=1)
    assert changed.float().mean() >= (0.2 if name == "noise" else 0.9)
    assert images.min() >= -1e-6
    assert images.max() <= 1 + 1e-6


@pytest.mark.parametrize(
    "name",
    [
        *("cover", "blur", "motion", "downscale", "jpeg", "erase", "perspective", "tone"),
        *("equalize", "posterize", "sharpness", "shadow"),
    ],
)
def test_a_probability_is_the_share_of_images_that_change(name: str):
    torch.manual_seed(1)
    images = torch.rand(400, 1, 48, 48)
    out = augmentation(AugmentationConfig(**(NOTHING | {name: 0.3})))(images)
    share = (out != images).flatten(1).any(dim=1).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.1)


STANDARDIZATION_UNDOES = ("brightness", "contrast")


@pytest.mark.parametrize(
    "name", ["tone", "equalize", "posterize", "sharpness", "shadow", *STANDARDIZATION_UNDOES]
)
def test_standardization_does_not_undo_what_the_new_views_change(name: str):
    """Grays around the middle, so that nothing is clipped, and more dark ones than light ones."""
    torch.manual_seed(0)
    images = 0.4 + 0.2 * torch.rand(16, 1, 48, 48) ** 3
    strength = 0.3 if name in STANDARDIZATION_UNDOES else 1.0
    out = augmentation(AugmentationConfig(**(NOTHING | {name: strength})))(images)
    change = (standardized(out) - standardized(images)).abs().mean(dim=(1, 2, 3))
    assert (change.median() < 0.02) == (name in STANDARDIZATION_UNDOES)


def standardized(images: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
    return (images - mean) / deviation


def test_some_weak_views_are_untouched():
    torch.manual_seed(1)
    images = torch.rand(400, 1, 48, 48)
    out = augmentation(AugmentationConfig(flip=0.0, affine=0.8))(images)
    same = (out == images).flatten(1).all(dim=1).float().mean().item()
    assert same == pytest.approx(0.2, abs=0.07)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"degrees": 15.0}, {"degrees": 15.0}),
        ({"translate": 0.1}, {"degrees": 0.0, "translate": (0.1, 0.1)}),
        ({"scale": 0.15}, {"degrees": 0.0, "scale": (0.85, 1.15)}),
        ({"shear_degrees": 20.0}, {"degrees": 0.0, "shear": 20.0}),
    ],
)
def test_our_affine_spreads_places_as_kornias_does(
    ours: dict[str, float], theirs: dict[str, object]
):
    """On an image whose gray is its place, the grays of one pixel show where it was taken from."""
    torch.manual_seed(0)
    none = {"degrees": 0.0, "translate": 0.0, "scale": 0.0, "shear_degrees": 0.0}
    across = (torch.arange(48) / 47).expand(2000, 1, 48, 48).contiguous()
    for places in (across, across.transpose(2, 3).contiguous()):
        own = Affine(1.0, **(none | ours))(places)
        other = RandomAffine(**theirs, padding_mode="border", p=1.0)(places)
        for y, x in ((10, 10), (10, 40), (24, 24)):
            a, b = own[:, 0, y, x], other[:, 0, y, x]
            assert a.mean().item() == pytest.approx(b.mean().item(), abs=0.01)
            assert a.std().item() == pytest.approx(b.std().item(), abs=0.005)


def test_a_tone_curve_keeps_the_order_of_grays():
    grays = torch.linspace(0, 1, 48).expand(16, 1, 48, 48)
    out = augmentation(AugmentationConfig(**(NOTHING | {"tone": 1.0})))(grays)
    assert (out.diff(dim=3) >= 0.002).all()
    torch.testing.assert_close(out[..., 0], grays[..., 0])
    torch.testing.assert_close(out[..., -1], grays[..., -1])


def test_an_equalized_face_has_every_gray_as_often():
    torch.manual_seed(0)
    images = torch.rand(4, 1, 48, 48) ** 3
    out = augmentation(AugmentationConfig(**(NOTHING | {"equalize": 1.0})))(images)
    counts = torch.histc(out, bins=10, min=0, max=1)
    assert counts.min() > 0.5 * counts.max()  # the cube of dark grays falls on few of 256


def test_noise_in_an_erased_box_is_as_the_face():
    torch.manual_seed(0)
    images = 0.5 + 0.1 * torch.randn(64, 1, 48, 48)
    fields = {"erase": 1.0, "erase_fill": "noise", "erase_boxes": 2, "erase_largest": 0.3}
    out = augmentation(AugmentationConfig(**(NOTHING | fields)))(images)
    erased = out[out != images]
    assert 0.05 < len(erased) / images.numel() < 0.5
    assert erased.mean().item() == pytest.approx(0.5, abs=0.02)
    assert erased.std().item() == pytest.approx(0.1, abs=0.02)


def test_boxes_may_be_filled_with_another_face_of_the_batch():
    grays = torch.arange(8).view(8, 1, 1, 1).expand(-1, -1, 48, 48) / 8
    fields = {"erase": 1.0, "erase_fill": "face", "erase_largest": 0.3}
    out = augmentation(AugmentationConfig(**(NOTHING | fields)))(grays)
    for index in range(8):
        shown = (out[index].unique() * 8).round().int().tolist()
        assert shown == sorted([index, (index - 1) % 8])


def test_a_cover_is_one_gray_band_over_eyes_or_mouth():
    crop = CropGeometry()
    organs = [crop.center_y + sign * crop.eye_mouth_distance / 2 for sign in (-1, 1)]
    seen = set()
    for before, after in zip(faces(), augmented(cover=1.0), strict=True):
        changed = (before != after)[0]
        rows = changed.any(dim=1).nonzero().flatten()
        assert len(after[0][changed].unique()) == 1
        middle = (rows.min() + rows.max() + 1).item() / 2 / 48
        nearest = min(organs, key=lambda y: abs(y - middle))
        assert middle == pytest.approx(nearest, abs=0.03)
        seen.add(nearest)
    assert len(seen) == 2


def test_downscaling_loses_detail():
    def detail(images: Tensor) -> Tensor:
        return images.diff(dim=3).abs().mean()

    assert detail(augmented(downscale=1.0)) < 0.4 * detail(faces())
