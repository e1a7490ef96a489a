import torch

from training.data.sampling import BalancedStream, ShuffledStream


def test_every_image_comes_once_a_pass():
    stream = ShuffledStream(10, 4, seed=0)
    rows = torch.cat([stream(step) for step in range(5)])
    assert sorted(rows[:10].tolist()) == list(range(10))
    assert sorted(rows[10:].tolist()) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()


def test_a_batch_larger_than_the_set_goes_through_it_several_times():
    rows = ShuffledStream(3, 8, seed=0)(0)
    assert sorted(rows[:3].tolist()) == sorted(rows[3:6].tolist()) == [0, 1, 2]


def test_a_step_needs_no_step_before_it():
    in_order = ShuffledStream(10, 4, seed=5)
    for step in range(7):
        expected = in_order(step)
    assert torch.equal(ShuffledStream(10, 4, seed=5)(6), expected)
    labels = torch.tensor([0, 0, 0, 1])
    assert torch.equal(BalancedStream(labels, 8, 1.0, 5)(6), BalancedStream(labels, 8, 1.0, 5)(6))


def test_balance_goes_from_as_they_come_to_every_class_alike():
    labels = torch.tensor([0] * 900 + [2] * 100)
    shares = {
        balance: float((labels[BalancedStream(labels, 20_000, balance, 0)(0)] == 2).float().mean())
        for balance in (0.0, 0.5, 1.0)
    }
    assert abs(shares[0.0] - 0.1) < 0.01
    assert abs(shares[0.5] - 0.25) < 0.01  # sqrt(100) / (sqrt(900) + sqrt(100))
    assert abs(shares[1.0] - 0.5) < 0.01
