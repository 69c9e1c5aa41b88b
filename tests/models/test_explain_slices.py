"""Grad-CAM of networks of pictures: several classes, several sequences, missing ones."""

import warnings

import pytest
import torch
from torch import nn

from fusion.config.network import Network
from fusion.models.explain import grad_cam
from fusion.models.network import RegionNetwork

SIDE = 64
PICTURE = {"kind": "picture"}


def network(branches: int, backbone: str = "test_resnet", outputs: int = 1, **fields) -> RegionNetwork:
    torch.manual_seed(0)
    own = Network(backbone=backbone, weights="none", input=PICTURE, **fields)
    return RegionNetwork(own, 1, branches, outputs=outputs).eval()


def pictures(branches: int, cases: int = 2) -> torch.Tensor:
    return torch.randn(cases, branches, 3, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


class OnBranch(nn.Module):
    """A network as a function of one branch's pictures, the others as they are; binary log-odds as one class."""

    def __init__(self, net: RegionNetwork, others: torch.Tensor, branch: int) -> None:
        super().__init__()
        self.net, self.others, self.branch = net, others, branch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.others.clone()
        seen[:, self.branch] = x[:, :, None]
        said = self.net(seen)
        return said if said.ndim == 2 else said[:, None]


@pytest.mark.parametrize(("branches", "outputs", "shown"), [(1, 1, None), (1, 3, 2), (2, 1, None), (2, 3, 0)])
def test_monai_sees_the_same(branches, outputs, shown):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monai = pytest.importorskip("monai.visualize")
    net, seen, last = network(branches, outputs=outputs), pictures(branches), branches - 1
    found, wanted = [], []
    for _ in range(2):  # what speaks for one class speaks against the other
        for one in seen.split(1):
            on_branch = OnBranch(net, one, last).eval()
            oracle = monai.GradCAM(on_branch, f"net.branches.{last}.body.layer3", postprocessing=lambda heat: heat)
            wanted.append(oracle(one[:, last, :, 0], class_idx=shown or 0)[0, 0].detach())
        found += list(grad_cam(net, seen, shown)[last][3])
        net.head.classifier.weight.data.neg_()
    stacked = torch.stack(wanted).reshape(4, 1, SIDE, SIDE)
    assert stacked.max() > 0
    assert torch.allclose(torch.stack(found), stacked, rtol=1e-4, atol=1e-6 * float(stacked.max()))


def test_a_class_and_another_are_seen_elsewhere():
    net, seen = network(1, outputs=3), pictures(1)
    first, second = (torch.stack(grad_cam(net, seen, shown)[0]) for shown in (0, 1))
    assert not torch.allclose(first, second, atol=1e-6)


def test_a_missing_sequence_shows_nothing_and_leaves_the_other_as_it_is():
    net, seen = network(2, "mobilenetv3_small_100"), pictures(2)
    seen[1, 0] = 0
    together = [torch.stack(branch) for branch in grad_cam(net, seen)]
    alone = [torch.stack(branch) for branch in grad_cam(net, seen[[1]])]
    assert together[0][:, 1].abs().max() == 0
    assert together[1][:, 1].max() > 0
    assert torch.allclose(together[1][:, [1]], alone[1], rtol=1e-3, atol=1e-6)


class Squares(nn.Module):
    """A branch of two scales of two maps: where it is clearly brighter than 0, and where clearly darker."""

    def forward(self, picture):
        grey = picture[:, :, 0].mean(1, keepdim=True)
        both = torch.cat([(grey - 1).relu(), (-grey - 1).relu()], 1)
        return [nn.functional.avg_pool2d(both, 4), nn.functional.avg_pool2d(both, 8)]


class ByMap(nn.Module):
    """A head of three classes: bright squares speak for the first, dark ones for the second and against the last."""

    def deep(self, maps, present, there=None):
        return sum(own.mean((2, 3)) for own in maps[0])[:, None]

    def classify(self, deep):
        return torch.stack([deep[..., 0], deep[..., 1], -deep[..., 1]], -1)


def test_a_network_that_looks_at_a_planted_square_lights_up_there():
    net = network(1, outputs=3)
    net.branches[0], net.head = Squares(), ByMap()
    picture = 0.1 * pictures(1, 1)
    picture[..., 8:24, 40:56] += 3
    picture[..., 36:52, 12:28] -= 3
    bright, dark, neither = (torch.stack(grad_cam(net, picture, shown)[0])[:, 0, 0] for shown in (0, 1, 2))
    for heat, (row, column) in ((bright, (8, 40)), (dark, (36, 12))):
        square = heat[:, row : row + 16, column : column + 16]
        assert square.amin((1, 2)).min() > 0
        heat[:, row - 8 : row + 24, column - 8 : column + 24] = 0
        assert heat.max() == 0
    assert neither.max() == 0
