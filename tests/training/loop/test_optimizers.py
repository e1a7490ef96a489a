import pytest
import torch
from torch import Tensor, nn

from training.config import ScheduleConfig
from training.loop.optimizers import build_optimizers
from training.models.resnet import ExpressionNet


def network(form: str = "gate") -> ExpressionNet:
    net = ExpressionNet(3, width=8, blocks=1, attention_branches=2, attention_form=form)
    return net.to(memory_format=torch.channels_last)


def descend(net: nn.Module, images: Tensor, schedule: ScheduleConfig) -> None:
    optimizers = build_optimizers(net, schedule)
    net(images).square().sum().backward()
    for optimizer in optimizers:
        optimizer.step()


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
def test_every_parameter_moves_and_belongs_to_one_optimizer(name: str):
    torch.manual_seed(0)
    net = network()
    before = {key: p.detach().clone() for key, p in net.named_parameters()}
    schedule = ScheduleConfig(optimizer=name, learning_rate=0.01)
    groups = [g for o in build_optimizers(net, schedule) for g in o.param_groups]
    sizes = [p.numel() for group in groups for p in group["params"]]
    assert sum(sizes) == sum(p.numel() for p in net.parameters())
    descend(net, torch.rand(4, 1, 48, 48), schedule)
    still = [key for key, p in net.named_parameters() if torch.equal(p, before[key])]
    assert still == []


def test_spatial_attention_learns_slowly_and_not_by_muon():
    net = network("softmax")
    own = {id(p) for p in net.attention.parameters()}
    schedule = ScheduleConfig(optimizer="muon", learning_rate=0.01, weight_decay=0.1)
    adamw, muon = build_optimizers(net, schedule)
    slow = [group for group in adamw.param_groups if own & {id(p) for p in group["params"]}]
    assert [(group["rate"], group["weight_decay"]) for group in slow] == [(0.1, 0.0)]
    assert {id(p) for p in slow[0]["params"]} == own
    sizes = [p.numel() for o in (adamw, muon) for group in o.param_groups for p in group["params"]]
    assert sum(sizes) == sum(p.numel() for p in net.parameters())


def test_muon_may_move_at_every_second_step_by_the_mean_gradient():
    """As far as in two steps: the same as one step at twice the rate, by the mean of both."""
    torch.manual_seed(0)
    images = torch.rand(2, 2, 3, 8, 8)
    once, twice = (
        nn.Sequential(nn.Conv2d(3, 5, 3, bias=False)).to(memory_format=torch.channels_last)
        for _ in range(2)
    )
    once.load_state_dict(twice.state_dict())
    options = {"optimizer": "muon", "weight_decay": 0.05}
    _, rare = build_optimizers(twice, ScheduleConfig(learning_rate=0.1, muon_every=2, **options))
    _, plain = build_optimizers(once, ScheduleConfig(learning_rate=0.2, **options))
    for part in images:
        twice.zero_grad()
        twice(part).square().sum().backward()
        before = twice[0].weight.detach().clone()
        rare.param_groups[0]["lr"] = 0.1  # as the loop sets it before every step
        rare.step()
        if part is images[0]:
            assert torch.equal(before, twice[0].weight)
    once(images.flatten(0, 1)).square().sum().div(2).backward()
    plain.step()
    torch.testing.assert_close(twice[0].weight, once[0].weight)


def test_biases_and_norms_are_not_decayed():
    groups = build_optimizers(network(), ScheduleConfig(optimizer="adamw", weight_decay=0.1))
    decays = {(p.ndim > 1, g["weight_decay"]) for g in groups[0].param_groups for p in g["params"]}
    assert decays == {(True, 0.1), (False, 0.0)}


def test_a_kernel_moves_as_its_matrix_would_by_muon_of_torch():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 5, 3, bias=False)).to(memory_format=torch.channels_last)
    images = torch.rand(2, 3, 8, 8)
    kernel = net[0].weight
    matrix = nn.Parameter(kernel.detach().permute(0, 2, 3, 1).reshape(5, 27).clone())
    alone = torch.optim.Muon([matrix], lr=0.1, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    _, muon = build_optimizers(
        net, ScheduleConfig(optimizer="muon", learning_rate=0.1, weight_decay=0.05)
    )
    for _ in range(3):
        net.zero_grad()
        net(images).square().sum().backward()
        matrix.grad = kernel.grad.permute(0, 2, 3, 1).reshape(5, 27).clone()
        alone.step()
        muon.step()
    torch.testing.assert_close(kernel.permute(0, 2, 3, 1).reshape(5, 27), matrix)


def test_the_step_of_a_kernel_is_orthogonal():
    """What Muon is for: all directions of a kernel move alike, whatever the gradient's scale."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(8, 8, 3, bias=False)).to(memory_format=torch.channels_last)
    before = net[0].weight.detach().clone()
    schedule = ScheduleConfig(optimizer="muon", learning_rate=1.0, weight_decay=0.0)
    descend(net, torch.rand(2, 8, 12, 12), schedule)
    step = (net[0].weight.detach() - before).permute(0, 2, 3, 1).reshape(8, 72)
    singular = torch.linalg.svdvals(step)
    assert singular.min() > 0.4 * singular.max()


def test_kernels_elsewhere_in_memory_are_refused():
    net = nn.Sequential(nn.Conv2d(3, 5, 3))
    with pytest.raises(RuntimeError, match="view"):
        build_optimizers(net, ScheduleConfig(optimizer="muon"))
