import copy

import pytest
import timm
import torch
from timm.layers import BatchNormAct2d, Conv2dSame, SEModule
from timm.models._efficientnet_blocks import InvertedResidual, SqueezeExcite
from torch import nn

from fusion.errors import ModelError
from fusion.models.inflate import SameConv3d, inflated

PLANE = torch.randn(2, 6, 16, 16, generator=torch.Generator().manual_seed(0))
DEEP = PLANE[:, :, None].expand(-1, -1, 16, -1, -1)


def used(net: nn.Module) -> nn.Module:
    """With batch-norm statistics of its own."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    return net.eval()


@pytest.mark.parametrize(
    "net",
    [
        nn.Conv2d(6, 4, 3, padding=1),
        nn.Conv2d(6, 6, 5, stride=2, padding=2, groups=6, bias=False),
        nn.Conv2d(6, 4, 3, padding=2, dilation=2),
        nn.Conv2d(6, 4, 1),
        nn.Conv2d(6, 4, 3, padding="same"),
        Conv2dSame(6, 4, 3, stride=2),
        Conv2dSame(6, 4, 5, stride=1),
        nn.BatchNorm2d(6),
        BatchNormAct2d(6),
        nn.MaxPool2d(3, 2, 1),
        nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False),
        SqueezeExcite(6),
        SEModule(6, add_maxpool=True),
    ],
    ids=lambda own: type(own).__name__,
)
def test_slices_that_are_alike_answer_as_one_does_away_from_the_ends(net):
    flat, deep = used(net)(PLANE), inflated(net, "net")(DEEP)
    assert deep.shape[2:] == (flat.shape[-1],) * 3
    assert torch.allclose(deep[:, :, deep.shape[2] // 2], flat, atol=1e-5)


def test_with_kernels_on_their_middle_slice_the_ends_do_not_matter_either():
    net = used(InvertedResidual(6, 6, se_layer=SqueezeExcite))
    flat, deep = net(PLANE), inflated(net, "net", central=True)(DEEP)
    assert torch.allclose(deep, flat[:, :, None].expand_as(deep), atol=1e-5)


def test_a_kernel_is_the_same_on_each_of_its_slices():
    net = inflated(nn.Conv2d(1, 1, 3, padding=1, bias=False), "net")
    weight = net.weight[0, 0].detach()
    assert torch.equal(weight[0], weight[1])
    assert torch.equal(weight[1], weight[2])


def test_the_network_itself_stays_flat():
    net = nn.Sequential(nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4))
    inflated(net, "net")
    assert net(PLANE).ndim == 4


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays(training):
    assert inflated(nn.Sequential(nn.BatchNorm2d(6)).train(training), "net")[0].training == training


def test_strides_go_down_to_a_single_slice():
    net = nn.Sequential(*[nn.Sequential(nn.Conv2d(6, 6, 3, 2, 1), nn.BatchNorm2d(6)) for _ in range(4)],
                        nn.AvgPool2d(2, 1), nn.MaxPool2d(2, 1, padding=1))  # fmt: skip
    assert inflated(net.eval(), "net")(torch.randn(1, 6, 3, 32, 32)).shape == (1, 6, 2, 2, 2)


def test_every_part_can_be_copied():
    net = inflated(nn.Sequential(Conv2dSame(6, 6, 3, 2), BatchNormAct2d(6), SqueezeExcite(6), nn.MaxPool2d(2)), "net")
    assert torch.equal(copy.deepcopy(net.eval())(DEEP), net(DEEP))
    assert isinstance(net[0], SameConv3d)


@pytest.mark.parametrize(
    ("net", "named"),
    [
        (nn.Sequential(nn.Sequential(nn.LayerNorm(4))), "0.0 of net is a LayerNorm"),
        (nn.Sequential(nn.Conv2d(1, 1, (1, 7))), "0 of net is a Conv2d"),
        (nn.Sequential(nn.ReLU(), nn.LPPool2d(2, 2)), "1 of net is a LPPool2d"),
    ],
)
def test_a_part_without_a_counterpart_is_named(net, named):
    with pytest.raises(ModelError, match=named):
        inflated(net, "net")


@pytest.mark.parametrize("name", ["mobilenetv3_small_100", "resnet18"])
def test_a_pyramid_s_finest_maps_are_the_flat_network_s(name):
    net = used(timm.create_model(name, features_only=True, in_chans=1, out_indices=(0,)))
    deep = inflated(net, name)(DEEP[:, :1].repeat(1, 1, 4, 1, 1))[0]
    assert torch.allclose(deep[:, :, deep.shape[2] // 2], net(PLANE[:, :1])[0], atol=1e-4)
