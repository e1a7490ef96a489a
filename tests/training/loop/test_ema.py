import torch

from training.loop.ema import EmaTeacher
from training.models.resnet import ExpressionNet


def test_the_teacher_follows_the_formula_and_copies_counters():
    student = ExpressionNet(3, width=8)
    teacher = EmaTeacher(student, decay=0.9)
    before = teacher.module.classifier.weight.clone()
    with torch.no_grad():
        student.classifier.weight.add_(1)
        student.stem[1].num_batches_tracked.fill_(7)
    teacher.update(student, step=10_000)
    expected = 0.9 * before + 0.1 * student.classifier.weight
    torch.testing.assert_close(teacher.module.classifier.weight, expected)
    assert teacher.module.stem[1].num_batches_tracked == 7


def test_early_steps_forget_the_random_start():
    student = ExpressionNet(3, width=8)
    teacher = EmaTeacher(student, decay=0.999)
    with torch.no_grad():
        student.classifier.bias.fill_(1)
    before = teacher.module.classifier.bias.clone()
    teacher.update(student, step=0)
    torch.testing.assert_close(teacher.module.classifier.bias, 0.1 * before + 0.9)


def test_weights_that_are_trained_already_are_kept():
    student = ExpressionNet(3, width=8)
    teacher = EmaTeacher(student, decay=0.999, ramp=False)
    before = teacher.module.classifier.bias.clone()
    with torch.no_grad():
        student.classifier.bias.add_(1)
    teacher.update(student, step=0)
    torch.testing.assert_close(teacher.module.classifier.bias, before + 0.001)


def test_the_teacher_takes_no_gradient():
    student = ExpressionNet(3, width=8)
    teacher = EmaTeacher(student, 0.9)
    assert not any(p.requires_grad for p in teacher.module.parameters())
    assert not teacher.module.training
