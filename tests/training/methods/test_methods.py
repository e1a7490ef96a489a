import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.helpers.scripted import Scripted, faces_with
from training.methods import METHODS
from training.methods.adacm import nt_xent
from training.methods.dta_snl import DtaSnl, DtaSnlOptions
from training.methods.dynamic_threshold import DynamicThreshold
from training.methods.fullmatch import entropy_meaning_loss, negative_loss
from training.methods.method import (
    Batch,
    Heldout,
    Method,
    gradient_size,
    predict,
    read_together,
)
from training.methods.negative_learning import (
    complementary_classes,
    complementary_loss,
    joint_complementary_loss,
    least_rank,
    log_not,
)
from training.methods.pseudo_label import pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet

SEMI_SUPERVISED = [name for name, method in METHODS.items() if method.uses_unlabeled]


def random_batch(n_labeled: int = 4, n_unlabeled: int = 8, n_weak: int = 1) -> Batch:
    targets = F.one_hot(torch.arange(n_labeled) % 4, 4).float()
    views = [torch.rand(n_unlabeled, 1, 48, 48) * 2 - 1 for _ in range(n_weak + 1)]
    return Batch(torch.rand(n_labeled, 1, 48, 48) * 2 - 1, targets, tuple(views[1:]), views[0])


def make(name: str, n_classes: int = 4, **options: object) -> Method:
    method = METHODS[name]
    return method(method.Options.model_validate(options), n_classes)


def threshold(**options: float) -> DynamicThreshold:
    usual = {"beta": 0.9, "gamma": 3.0, "tau_min": 0.2, "tau_max": 0.95, "tau_unseen": 0.9}
    return DynamicThreshold(3, **{**usual, "decay": 0.75, **options})


def test_dta_and_snl_by_hand():
    """Two labeled and three unlabeled images of three classes, every number worked out below."""
    method = DtaSnl(
        DtaSnlOptions(
            beta=1.0,
            gamma=4.0,
            tau_min=0.3,
            tau_max=0.9,
            ceiling=0.2,
            rank=1,
            lambda_u=2.0,
            lambda_n=3.0,
            negative_warmup=2.0,
        ),
        n_classes=3,
    )
    student, teacher = Scripted(3), Scripted(3)
    batch = Batch(
        labeled=faces_with([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]),
        targets=torch.eye(3)[:2],
        weak=(faces_with([[0.7, 0.2, 0.1], [0.1, 0.35, 0.55], [0.15, 0.45, 0.4]]),),
        strong=faces_with([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4], [0.25, 0.5, 0.25]]),
    )
    # The teacher is right on both labeled images: r = (0.8, 0.5), class 2 is not seen yet. After
    # one pass, tau = r / (1 + 1/4) = (0.64, 0.4), and tau_max = 0.9 for class 2.
    result = method.step(student, teacher, batch, passes=1.0)
    torch.testing.assert_close(method.thresholds(1.0), torch.tensor([0.64, 0.4, 0.9]))
    # 0.7 >= 0.64 kept; 0.55 < 0.9 not; 0.45 >= 0.4 kept.
    assert result.pseudo_labels is not None and result.kept is not None
    assert result.pseudo_labels.tolist() == [0, 2, 1]
    assert result.kept.tolist() == [True, False, True]
    # Of the rejected image only class 0 is below 0.2 (and has a likelier one).
    assert result.complementary is not None
    assert result.complementary.tolist() == [[False] * 3, [True, False, False], [False] * 3]
    supervised = -(math.log(0.8) + math.log(0.5)) / 2
    pseudo = -(math.log(0.6) + math.log(0.5)) / 3
    complementary = -math.log(1 - 0.2)
    # lambda_n is warmed up to half: 1 of 2 passes.
    expected = supervised + 2.0 * pseudo + 1.5 * complementary
    assert result.loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["dta_snl", "adacm"])
def test_thresholds_are_learnt_from_weak_views(name: str):
    """For weak views are what they judge; a strong one makes the teacher unsure."""
    method = make(name, 3)
    state = method.dynamic if name == "dta_snl" else method.margin
    faces = faces_with([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]])
    weak = (faces,) * method.n_weak_views
    for weakly, seen in (([True, False], 0.8), ([False, True], 0.5)):
        state.seen.zero_()
        batch = Batch(faces, torch.eye(3)[[0, 0]], weak, faces, torch.tensor(weakly))
        method.step(Scripted(3), Scripted(3), batch, 1.0)
        assert state.confidence[0].item() == pytest.approx(seen)
    state.seen.zero_()
    none = Batch(faces, torch.eye(3)[[0, 0]], weak, faces, torch.zeros(2, dtype=torch.bool))
    result = method.step(Scripted(3), Scripted(3), none, 1.0)
    assert result.loss.isfinite() and not state.seen.any()


def test_a_network_predicts_no_image_at_all():
    assert predict(ExpressionNet(4, width=8), torch.rand(0, 1, 48, 48)).shape == (0, 4)


@pytest.mark.parametrize("name", SEMI_SUPERVISED)
def test_no_gradient_reaches_the_teacher(name: str):
    torch.manual_seed(0)
    student, teacher = ExpressionNet(4, width=8).train(), ExpressionNet(4, width=8).eval()
    before = [p.clone() for p in teacher.state_dict().values()]
    method = make(name)
    method.begin(student)
    result = method.step(student, teacher, random_batch(n_weak=method.n_weak_views), 1.0)
    result.loss.backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in student.parameters())
    assert all(map(torch.equal, before, teacher.state_dict().values()))
    assert student.training and not teacher.training


@pytest.mark.parametrize("name", SEMI_SUPERVISED)
def test_the_objective_falls_on_one_batch(name: str):
    """Descending on one batch lowers its loss: gradient and loss belong together."""
    torch.manual_seed(0)
    student = ExpressionNet(4, width=8, dropout=0.0).train()
    teacher = ExpressionNet(4, width=8).eval()
    method = make(name)
    method.begin(student)
    batch = random_batch(n_weak=method.n_weak_views)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.02)
    losses = []
    for _ in range(8):
        loss = method.step(student, teacher, batch, 1.0).loss
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_the_kept_mask_is_monotone_in_confidence():
    thresholds = torch.tensor([0.5, 0.7, 0.9])
    confidence = torch.linspace(0.34, 0.99, 50)
    for label in range(3):
        probs = ((1 - confidence) / 2)[:, None].repeat(1, 3)
        probs[:, label] = confidence
        kept = pseudo_label(probs, thresholds).kept
        assert kept.tolist() == sorted(kept.tolist()), "once kept, kept for all that are surer"
        assert torch.equal(kept, confidence >= thresholds[label])


def test_few_kept_images_make_a_small_term():
    logits = torch.zeros(10, 4)
    labels = torch.zeros(10, dtype=torch.long)
    one = pseudo_label_loss(logits, labels, torch.arange(10) < 1)
    five = pseudo_label_loss(logits, labels, torch.arange(10) < 5)
    assert one.item() == pytest.approx(math.log(4) / 10)
    assert five.item() == pytest.approx(5 * one.item())


def test_soft_labels_are_learnt_whole():
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]])
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]]))
    loss = pseudo_label_loss(logits, probs, torch.tensor([True, False]))
    by_hand = -(0.7 * math.log(0.5) + 0.2 * math.log(0.25) + 0.1 * math.log(0.25)) / 2
    assert loss.item() == pytest.approx(by_hand)


@pytest.mark.parametrize("name", METHODS)
def test_logit_adjustment_is_part_of_the_labeled_loss_alone(name: str):
    """By hand: logits (0, 0) + (log 4, 0) answer 0.8 and 0.2, so class 1 costs log 5 instead of
    log 2."""
    views = faces_with([[0.5, 0.5]])
    sides = [
        Batch(
            faces_with([[0.5, 0.5]]),
            torch.tensor([[0.0, 1.0]]),
            (views, views),
            views,
            logit_adjustment=adjustment,
        )
        for adjustment in (None, torch.tensor([math.log(4), 0.0]))
    ]
    losses = []
    for batch in sides:
        method = make(name, 2, **({"lambda_x": 1.0} if name == "adacm" else {}))
        student = Scripted(2)
        method.begin(student)
        losses.append(method.step(student, Scripted(2), batch, 1.0).loss.item())
    assert losses[1] - losses[0] == pytest.approx(math.log(5) - math.log(2), abs=1e-5)


def test_an_image_is_labeled_by_the_mean_of_its_weak_views():
    """(0.6, 0.4) and (0.2, 0.8) make (0.4, 0.6): the second view decides, with 0.6."""
    views = (faces_with([[0.6, 0.4]]), faces_with([[0.2, 0.8]]))
    batch = Batch(faces_with([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]]), views, views[0])
    for threshold, kept in ((0.59, True), (0.61, False)):
        method = make("dta_snl", 2, weak_views=2, dta=False, threshold=threshold)
        assert method.n_weak_views == 2
        result = method.step(Scripted(2), Scripted(2), batch, 1.0)
        assert result.pseudo_labels.tolist() == [1]
        assert result.kept.tolist() == [kept]


@pytest.mark.parametrize("soft", [False, True])
def test_soft_labels_are_an_option_of_dta_snl(soft: bool):
    torch.manual_seed(0)
    network = ExpressionNet(3, width=4, dropout=0.0)
    batch = Batch(
        labeled=torch.randn(4, 1, 48, 48),
        targets=torch.eye(3)[[0, 1, 2, 0]],
        weak=(torch.randn(4, 1, 48, 48),),
        strong=torch.randn(4, 1, 48, 48),
    )
    options = DtaSnlOptions(dta=False, threshold=0.0, snl=False, soft_labels=soft)
    probs = predict(network, batch.weak[0])  # first, for a step moves the norms' statistics
    loss = DtaSnl(options, 3).step(network, network, batch, 0.0).loss.item()
    labels = probs if soft else probs.argmax(dim=1)
    labeled, strong = read_together(network, batch.labeled, batch.strong)
    expected = F.cross_entropy(labeled.logits, batch.targets)
    expected = expected + F.cross_entropy(strong.logits, labels)
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_complementary_term_is_zero_where_every_image_is_kept():
    probs = torch.softmax(torch.randn(6, 8) * 4, dim=1)
    chosen = complementary_classes(probs, torch.ones(6, dtype=torch.bool), ceiling=1.0, rank=0)
    assert not chosen.any()
    logits = torch.randn(6, 8, requires_grad=True)
    loss = complementary_loss(logits, chosen)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None and logits.grad.abs().sum() == 0


def test_the_likeliest_classes_are_left_alone():
    probs = torch.tensor([[0.04, 0.5, 0.03, 0.02, 0.41]])
    rejected = torch.tensor([False])
    by_rank = {
        rank: complementary_classes(probs, rejected, ceiling=0.05, rank=rank)
        .nonzero()[:, 1]
        .tolist()
        for rank in (0, 3, 4, 5)
    }
    assert by_rank == {0: [0, 2, 3], 3: [2, 3], 4: [3], 5: []}


@pytest.mark.parametrize("size", [50.0, -50.0])
def test_log_not_is_finite_and_right_at_large_logits(size: float):
    logits = torch.zeros(1, 4)
    logits[0, 1] = size
    exact = logits.double()
    others = torch.stack([exact.exp().sum() - exact[0, c].exp() for c in range(4)])
    if size > 0:  # 1 - p of the large one is 3 / (3 + e^50)
        others[1] = 3.0
    expected = (others.log() - exact.exp().sum().log())[None]
    torch.testing.assert_close(log_not(logits).double(), expected, rtol=1e-5, atol=1e-6)
    logits.requires_grad_()
    loss = complementary_loss(logits, torch.tensor([[True, True, False, False]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


def test_log_not_of_a_large_probability_depends_on_no_epsilon():
    """Published codes give -23.0, -16.1 or -11.5 here, by their epsilon."""
    logits = torch.tensor([[18.2, 0.0]])
    assert log_not(logits)[0, 0].item() == pytest.approx(-18.2, rel=1e-6)


def logits_of(probs: list[list[float]]) -> Tensor:
    return torch.tensor(probs).log().requires_grad_()


def test_a_joint_complementary_term_by_hand():
    """q = (0.5, 0.3, 0.15, 0.05): what classes 2 and 3 leave is 0.8. The other image has none, and
    counts in the mean."""
    logits = logits_of([[0.5, 0.3, 0.15, 0.05], [0.25, 0.25, 0.25, 0.25]])
    chosen = torch.tensor([[False, False, True, True], [False] * 4])
    loss = joint_complementary_loss(logits, chosen)
    assert loss.item() == pytest.approx(-math.log(0.8) / 2)
    loss.backward()
    # d/dz_c of -log(sum over S of q) is q_c, and q_c - q_c / 0.8 for c in S; halved by the mean.
    expected = [0.5 - 0.5 / 0.8, 0.3 - 0.3 / 0.8, 0.15, 0.05]
    torch.testing.assert_close(logits.grad[0], torch.tensor(expected) / 2)
    assert logits.grad[1].abs().max() == 0


def test_the_joint_term_pulls_where_the_mean_over_pairs_hardly_does():
    """Six classes of 0.02: one by one each counts a sixth of 0.02, together they count 0.12."""
    logits = logits_of([[0.6, 0.28, *[0.02] * 6]])
    chosen = torch.tensor([[False, False, *[True] * 6]])
    pairs, joint = (
        gradient_size(loss(logits, chosen), logits).item()
        for loss in (complementary_loss, joint_complementary_loss)
    )
    assert joint > 5 * pairs


def test_a_joint_term_without_any_choice_is_zero():
    logits = torch.randn(5, 4, requires_grad=True)
    loss = joint_complementary_loss(logits, torch.zeros(5, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    ("weak", "strong", "rank"),
    [
        ([[0.6, 0.3, 0.1]], [[0.5, 0.3, 0.2]], 2),  # at the top already; at least 2
        ([[0.6, 0.3, 0.1]], [[0.3, 0.2, 0.5]], 2),
        ([[0.6, 0.3, 0.1]], [[0.1, 0.4, 0.5]], 3),
        ([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]], [[0.5, 0.3, 0.2], [0.4, 0.1, 0.5]], 3),
    ],
)
def test_the_least_rank_that_holds_every_label(
    weak: list[list[float]], strong: list[list[float]], rank: int
):
    assert least_rank(torch.tensor(weak), torch.tensor(strong).log()) == rank


def test_fullmatch_by_hand():
    """Two unlabeled images of four classes; tau = 0.8, so classes above 0.64 do not count."""
    method = make("fullmatch", 4, threshold=0.8, lambda_u=2.0, lambda_n=3.0, lambda_e=5.0)
    batch = Batch(
        labeled=faces_with([[0.5, 0.2, 0.2, 0.1]]),
        targets=torch.eye(4)[:1],
        weak=(faces_with([[0.85, 0.1, 0.03, 0.02], [0.5, 0.3, 0.15, 0.05]]),),
        strong=faces_with([[0.6, 0.2, 0.1, 0.1], [0.3, 0.4, 0.1, 0.2]]),
    )
    result = method.step(Scripted(4), Scripted(4), batch, 0.0)
    assert result.kept.tolist() == [True, False]
    # The second label, class 0, is second in its strong view: k = 2. Classes 2 and 3 are beyond it
    # in both weak views.
    assert result.complementary.tolist() == [[False, False, True, True]] * 2
    supervised = -math.log(0.5)
    pseudo = -math.log(0.6) / 2
    negative = -(2 * math.log(0.9) + math.log(0.9) + math.log(0.8)) / 2
    # Class 1 alone competes with the kept label: its target is 1 - (0.6 + 0.1 + 0.1) = 0.2 over
    # k - 1 = 1 classes.
    entropy = -(0.2 * math.log(0.2) + 0.8 * math.log(0.8))
    expected = supervised + 2 * pseudo + 3 * negative + 5 * entropy
    assert result.loss.item() == pytest.approx(expected, rel=1e-5)
    assert set(result.gradients) == {"pseudo_label", "complementary", "entropy"}
    assert all(size > 0 for size in result.gradients.values())


def test_what_a_strong_view_is_sure_of_counts_in_no_term_of_fullmatch():
    logits = logits_of([[0.1, 0.2, 0.7]])
    ruled_out = torch.tensor([[False, False, True]])
    assert negative_loss(logits, ruled_out, 0.64).item() == 0
    assert negative_loss(logits, ruled_out, 0.75).item() == pytest.approx(-math.log(0.3), rel=1e-5)
    label, kept = torch.tensor([0]), torch.tensor([True])
    nobody = torch.zeros(1, 3, dtype=torch.bool)
    # Classes 1 and 2 compete, with a target of 0.9 / 2 each; class 2 is above the ceiling.
    expected = -(0.45 * math.log(0.2) + 0.55 * math.log(0.8))
    found = entropy_meaning_loss(logits, label, kept, nobody, 0.64)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert entropy_meaning_loss(logits, label, ~kept, nobody, 0.64).item() == 0


def test_held_out_labels_set_thresholds_and_carry_no_gradient():
    """Two classes; the teacher is right on held-out images read as 0, and wrong on those as 1."""
    method = make(
        "dta_snl",
        2,
        threshold_source="heldout",
        ruled_out="heldout",
        negative_form="joint",
        tau_min=0.0,
        tau_max=0.99,
        precision=0.8,
        prior_images=1.0,
    )
    assert method.needs_heldout
    heldout = Heldout(
        faces_with([[0.7, 0.3]] * 20 + [[0.3, 0.7]] * 20), torch.zeros(40, dtype=torch.long), 40
    )
    view = faces_with([[0.7, 0.3], [0.3, 0.7]])
    batch = Batch(
        faces_with([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]]), (view,), view, heldout=heldout
    )
    student = Scripted(2)
    result = method.step(student, Scripted(2), batch, 0.0)
    assert result.kept.tolist() == [True, False]
    assert method.thresholds(0.0)[0] < 0.7 < method.thresholds(0.0)[1]
    after = method.thresholds(0.0).clone()
    without = Batch(batch.labeled, batch.targets, batch.weak, batch.strong)
    again = method.step(student, Scripted(2), without, 0.0)
    assert torch.equal(method.thresholds(0.0), after), "they stay when no image tells any more"
    assert again.loss.item() == pytest.approx(result.loss.item())


def test_debiasing_takes_the_prior_of_the_unlabeled_images_out():
    """Three of four unlabeled images are of class 0 by the teacher, half of the labeled ones are:
    r = (mean p) / (1/2), worked out below."""
    method = make("dta_snl", 2, dta=False, threshold=0.0, snl=False, soft_labels=True, debias=1.0)
    probs = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.3, 0.7]]
    batch = Batch(
        faces_with([[0.5, 0.5]]),
        torch.tensor([[1.0, 0.0]]),
        (faces_with(probs),),
        faces_with(probs),
        class_shares=torch.tensor([0.5, 0.5]),
    )
    loss = method.step(Scripted(2), Scripted(2), batch, 0.0).loss.item()
    ratio = (0.75 / 0.5, 0.25 / 0.5)
    expected = -math.log(0.5)
    for p in probs:
        labels = [p[c] / ratio[c] for c in (0, 1)]
        answers = [p[c] * ratio[c] for c in (0, 1)]
        expected -= sum(
            label / sum(labels) * math.log(answer / sum(answers))
            for label, answer in zip(labels, answers, strict=True)
        ) / len(probs)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_thresholds_follow_the_confidence_of_right_answers():
    tau = threshold()
    probs = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.9, 0.1, 0.0]])
    tau.update(probs, torch.tensor([0, 0, 1]))  # the third is wrong: class 1 is not seen
    assert tau.confidence[0].item() == pytest.approx(0.7)
    assert tau.seen.tolist() == [True, False, False]
    torch.testing.assert_close(tau(0.0), torch.tensor([0.9 * 0.7 / 2, 0.9, 0.9]))
    tau.update(probs[:1], torch.tensor([0]))
    assert tau.confidence[0].item() == pytest.approx(0.75 * 0.7 + 0.25 * 0.8)


def test_thresholds_rise_with_the_passes_within_their_limits():
    tau = threshold()
    tau.update(torch.tensor([[0.99, 0.01, 0.0]]), torch.tensor([0]))
    values = [tau(passes)[0].item() for passes in (0, 0.5, 1, 2, 5, 50)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(0.9 * 0.99)
    limited = threshold(tau_min=0.6, tau_max=0.7)
    limited.update(torch.tensor([[0.99, 0.01, 0.0]]), torch.tensor([0]))
    assert limited(0)[0].item() == pytest.approx(0.6)
    assert limited(50)[0].item() == pytest.approx(0.7)


def test_a_class_that_never_occurs_keeps_its_threshold():
    tau = threshold()
    for _ in range(100):
        tau.update(torch.tensor([[0.99, 0.01, 0.0]]), torch.tensor([0]))
    assert tau(50)[2].item() == pytest.approx(0.9)


def test_freematch_thresholds_by_hand():
    method = make("freematch", 2, decay=0.5, lambda_f=0.0)
    student, teacher = Scripted(2), Scripted(2)
    batch = Batch(
        labeled=faces_with([[0.5, 0.5]]),
        targets=torch.tensor([[1.0, 0.0]]),
        weak=(faces_with([[0.9, 0.1], [0.7, 0.3]]),),
        strong=faces_with([[0.5, 0.5], [0.5, 0.5]]),
    )
    result = method.step(student, teacher, batch, 0.0)
    # tau = (0.5 + 0.8) / 2 = 0.65; p~ = (0.5 + 0.8, 0.5 + 0.2) / 2 = (0.65, 0.35).
    torch.testing.assert_close(method.thresholds(0.0), torch.tensor([0.65, 0.65 * 0.35 / 0.65]))
    assert result.kept is not None and result.kept.tolist() == [True, True]


def test_adacm_by_hand():
    """Two classes; T = beta * r / (1 + e^-passes), and p is the mean over two weak views."""
    method = make("adacm", 2, beta=0.9, tau_min=0.1, lambda_c=0.5, temperature=0.5)
    first = faces_with([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
    second = faces_with([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5]])
    strong = faces_with([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75]])
    labeled = faces_with([[0.8, 0.2], [0.4, 0.6]])
    batch = Batch(labeled, torch.eye(2), (first, second), strong)
    result = method.step(Scripted(2), Scripted(2), batch, 1.0)
    rise = 1 + math.exp(-1)
    torch.testing.assert_close(
        method.thresholds(1.0), torch.tensor([0.9 * 0.8 / rise, 0.9 * 0.6 / rise])
    )
    # T = (0.526, 0.395); p = (0.8, 0.2), (0.4, 0.6), (0.4, 0.6): all are kept, nothing to contrast.
    assert result.kept.tolist() == [True] * 3
    assert result.pseudo_labels.tolist() == [0, 1, 1]
    supervised = -(math.log(0.8) + math.log(0.6)) / 2
    pseudo = -(math.log(0.5) + math.log(0.5) + math.log(0.75)) / 3
    assert result.loss.item() == pytest.approx(0.5 * supervised + pseudo, rel=1e-5)
    later = method.step(Scripted(2), Scripted(2), batch, 50.0)
    # T = (0.72, 0.54): still kept. A minimal margin of 0.7 rejects the last two; their views are
    # contrasted.
    assert later.kept.tolist() == [True] * 3
    strict = make("adacm", 2, beta=0.9, tau_min=0.7, lambda_c=0.5, temperature=0.5)
    rejected = strict.step(Scripted(2), Scripted(2), batch, 1.0)
    assert rejected.kept.tolist() == [True, False, False]
    contrast = nt_xent(first[1:, 0, 0], second[1:, 0, 0], 0.5).item()
    expected = 0.5 * supervised - math.log(0.5) / 3 + 0.5 * contrast
    assert rejected.loss.item() == pytest.approx(expected, rel=1e-5)


def test_freematch_fairness_by_hand():
    method = make("freematch", 2, lambda_u=0.0, lambda_f=0.5, decay=0.5)
    batch = Batch(
        labeled=faces_with([[0.5, 0.5]]),
        targets=torch.tensor([[1.0, 0.0]]),
        weak=(faces_with([[0.9, 0.1], [0.2, 0.8]]),),
        strong=faces_with([[0.9, 0.1], [0.2, 0.8]]),
    )
    loss = method.step(Scripted(2), Scripted(2), batch, 0.0).loss.item()
    # Mean probabilities (0.55, 0.45); moved half way from (0.5, 0.5): (0.525, 0.475). Histograms
    # are even, and both images are kept (tau = 0.675, times 0.475 / 0.525 for the second class).
    fairness = 0.525 * math.log(0.55) + 0.475 * math.log(0.45)
    assert loss == pytest.approx(math.log(2) + 0.5 * fairness, rel=1e-4)


def test_freematch_is_fair_to_nobody_where_no_image_is_kept():
    """Even answers of 1/2 stay below a threshold that has risen to 3/4."""
    method = make("freematch", 2, lambda_f=0.5, decay=0.999)
    method.tau.fill_(0.75)
    faces = faces_with([[0.5, 0.5]])
    batch = Batch(faces, torch.tensor([[1.0, 0.0]]), (faces,), faces)
    result = method.step(Scripted(2), Scripted(2), batch, 0.0)
    assert not result.kept.any()
    assert result.loss.item() == pytest.approx(math.log(2))


def test_freematch_leaves_out_a_class_that_no_kept_image_is_of():
    """Kept are two images of class 0, of 0.9 and 0.8: SumNorm(q_ / h_) = (1, 0), and log 0 counts
    as log 1e-12."""
    method = make("freematch", 2, lambda_u=0.0, lambda_f=0.5, decay=0.0)
    faces = faces_with([[0.9, 0.1], [0.8, 0.2]])
    batch = Batch(faces_with([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]]), (faces,), faces)
    method.histogram.fill_(0.5)
    method._update = lambda probs: None
    loss = method.step(Scripted(2), Scripted(2), batch, 0.0).loss.item()
    # The averages stay where they were: (0.5, 0.5) for probabilities and histogram.
    assert loss == pytest.approx(math.log(2) + 0.5 * 0.5 * math.log(1e-12), rel=1e-5)


def test_adacm_margins_move_at_their_decay_and_have_no_upper_limit_but_one():
    method = make("adacm", 2, beta=1.0, tau_min=0.25, decay=0.75)
    assert method.thresholds(5.0).tolist() == [0.25, 0.25], "not seen yet"
    for confidence in (0.9, 0.7):
        probs = torch.tensor([[confidence, 1 - confidence]])
        method.margin.update(probs, torch.tensor([0]))
    mean = 0.75 * 0.9 + 0.25 * 0.7
    assert method.thresholds(1.0)[0].item() == pytest.approx(mean / (1 + math.exp(-1)))
    assert method.thresholds(50.0)[0].item() == pytest.approx(mean)


def test_adacm_contrasts_only_what_is_below_its_margin():
    method = make("adacm", 3)
    method.margin.update(torch.eye(3) * 0.85 + 0.05, torch.arange(3))
    student, teacher = Scripted(3), Scripted(3)
    sure, unsure = [0.98, 0.01, 0.01], [0.4, 0.3, 0.3]
    weak = faces_with([sure, unsure])
    batch = Batch(faces_with([sure]), torch.eye(3)[:1], (weak, weak), weak)
    result = method.step(student, teacher, batch, 5.0)
    assert result.kept is not None and result.kept.tolist() == [True, False]
    # One rejected image: its two views are each other's only neighbours, which costs nothing.
    expected = -0.5 * math.log(0.98) - math.log(0.98) / 2
    assert result.loss.item() == pytest.approx(expected, abs=1e-5)


def test_nt_xent_by_hand():
    first, second = torch.eye(2), torch.eye(2)
    # Each view: similarity 1 to its twin, 0 to the two others.
    expected = -math.log(math.exp(2.0) / (math.exp(2.0) + 2))
    assert nt_xent(first, second, temperature=0.5).item() == pytest.approx(expected, rel=1e-5)
    assert nt_xent(first[:0], second[:0], 0.5).item() == 0


def test_one_forward_pass_keeps_every_image_in_its_place():
    student = Scripted(3)
    labeled = faces_with([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]])
    unlabeled = faces_with([[0.1 * k, 0.5, 0.5 - 0.1 * k] for k in (1, 2, 3, 4)])
    for n in (1, 3, 4):
        first, second = read_together(student, labeled, unlabeled[:n])
        torch.testing.assert_close(first.logits, student(labeled))
        torch.testing.assert_close(second.logits, student(unlabeled[:n]))


def test_predicting_leaves_the_network_as_it_was():
    student = ExpressionNet(4, width=8).train()
    before = {name: value.clone() for name, value in student.state_dict().items()}
    probs = predict(student, torch.rand(5, 1, 48, 48))
    assert student.training and not probs.requires_grad
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(5))
    assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())


@pytest.mark.parametrize("dta", [True, False])
@pytest.mark.parametrize("snl", [True, False])
def test_either_half_can_be_switched_off(dta: bool, snl: bool):
    torch.manual_seed(0)
    method = make("dta_snl", dta=dta, snl=snl, threshold=0.9)
    result = method.step(ExpressionNet(4, width=8), ExpressionNet(4, width=8), random_batch(), 1.0)
    assert (result.complementary is not None) == snl
    fixed = torch.full((4,), 0.9)
    assert torch.equal(method.thresholds(1.0), fixed) != dta


def test_with_both_halves_off_it_is_fixmatch():
    torch.manual_seed(0)
    student, teacher = ExpressionNet(4, width=8, dropout=0), ExpressionNet(4, width=8).eval()
    batch = random_batch()
    ours = make("dta_snl", dta=False, snl=False, threshold=0.3).step(student, teacher, batch, 1.0)
    theirs = make("fixmatch", threshold=0.3).step(student, teacher, batch, 1.0)
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-6)
    assert torch.equal(ours.kept, theirs.kept) and ours.kept.any()


def test_a_class_at_the_ceiling_itself_is_not_ruled_out():
    probs, rejected = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([False])
    at, above = (
        complementary_classes(probs, rejected, ceiling=ceiling, rank=1) for ceiling in (0.25, 0.26)
    )
    assert not at.any()
    assert above.tolist() == [[False, True, True]]
