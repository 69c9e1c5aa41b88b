import warnings

import numpy as np
import pytest
import torch
from torch import nn

from fusion.config.network import Network, SliceMean
from fusion.models.embed import scores
from fusion.models.explain import HeatMaps, ablated, ablation, grad_cam, heat_maps
from fusion.models.export import networks
from fusion.models.inputs import centred
from fusion.models.network import RegionNetwork

from .conftest import CASES, FOLDS, ROI, SMALL, TABLE, patches

BOTH = "tumour+external2_DL"
EVERY = np.arange(CASES)


def network(regions: int, backbone: str = "test_resnet", **fields) -> RegionNetwork:
    torch.manual_seed(0)
    return RegionNetwork(Network(backbone=backbone, weights="none", **fields), ROI.patch.shape[0], regions).eval()


def seen(boxes, kind, regions: int, cases=(0, 1, 3)) -> torch.Tensor:
    return centred(boxes, torch.tensor(cases), ROI, kind)[:, :regions]


class Corner(nn.Module):
    """A branch of one scale and one map: mean grey values, in the first corner alone; eight slices are a volume."""

    def forward(self, region):
        if region.shape[2] == 8:
            maps = nn.functional.avg_pool3d(region, (2, 4, 4))
            maps = maps * (torch.arange(4) < 2)[:, None, None]
        else:
            maps = nn.functional.avg_pool2d(region[:, 0].mean(1, keepdim=True), 4)
        corner = torch.zeros(8, 8)
        corner[:2, :2] = 1
        return [maps * corner]


class Total(nn.Module):
    """A head that adds everything up, with ``sign``."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = sign

    def deep(self, maps, present):
        return self.sign * maps[0][0].flatten(1).sum(1)[:, None, None]

    def classify(self, deep):
        return deep[..., 0]


def corner(sign: float) -> RegionNetwork:
    net = network(1)
    net.branches[0], net.head = Corner(), Total(sign)
    return net


def test_a_network_that_looks_at_one_corner_lights_up_that_corner():
    heat = grad_cam(corner(1.0), torch.ones(1, 1, 1, 4, 32, 32))[0][0][0]
    assert heat[:, :8, :8].min() > 0
    assert heat[:, 12:].abs().max() == 0
    assert heat[:, :, 12:].abs().max() == 0
    assert (heat == heat[0]).all()


def test_what_speaks_against_the_positive_class_shows_nothing():
    heat = grad_cam(corner(-1.0), torch.ones(1, 1, 1, 4, 32, 32))[0][0]
    assert (heat == 0).all()


@pytest.mark.parametrize(("scale", "layer"), [(1, "layer1"), (2, "layer2"), (3, "layer3"), (4, "layer4")])
def test_monai_sees_the_same(scale, layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monai = pytest.importorskip("monai.visualize")
    net, regions = (
        network(1, "resnet18"),
        torch.randn(3, 1, 1, *ROI.patch.shape, generator=torch.Generator().manual_seed(0)),
    )

    class OnRegions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x[:, None, None])[:, None]

    found, wanted = [], []
    for _ in range(2):  # what speaks for one class speaks against the other
        oracle = monai.GradCAM(OnRegions().eval(), f"net.branches.0.body.{layer}", postprocessing=lambda heat: heat)
        wanted += [oracle(one[:, 0, 0], class_idx=0)[0, 0].detach() for one in regions.split(1)]
        found += list(grad_cam(net, regions)[0][scale][:, 0])
        net.head.classifier.weight.data.neg_()
    wanted = torch.stack(wanted)
    assert wanted.max() > 0
    assert torch.allclose(torch.stack(found), wanted, rtol=1e-4, atol=1e-6 * float(wanted.max()))


def test_there_is_a_map_a_region_and_scale_on_the_patch_grid(boxes):
    heat = grad_cam(network(2), seen(boxes, Network().input, 2))
    assert [len(scales) for scales in heat] == [5, 5]
    assert {tuple(own.shape) for scales in heat for own in scales} == {(3, *ROI.patch.shape)}
    assert min(float(own.min()) for scales in heat for own in scales) >= 0


def test_slice_by_slice_a_slice_without_the_region_shows_nothing(boxes):
    regions = seen(boxes, SliceMean(), 1)
    regions[:, :, :, 2:] = 0
    heat = torch.stack(grad_cam(network(1, input=SliceMean()), regions)[0])
    assert heat[:, :, 2:].abs().max() == 0
    assert heat[:, :, 0].max() > 0
    assert not torch.equal(heat[:, :, 0], heat[:, :, 1])


def test_a_volume_has_a_map_in_three_dimensions():
    heat = grad_cam(corner(1.0), torch.ones(1, 1, 1, 8, 32, 32))[0][0][0]
    assert heat.shape == (8, 32, 32)
    assert heat[:2, :8, :8].min() > 0
    assert heat[6:].abs().max() == 0
    assert heat[:, 12:].abs().max() == 0


def test_the_mean_of_scales_does_not_scale_up_nothing():
    maps = np.zeros((1, 2, 2, 2, 2), np.float32)
    maps[0, 0, 0, 0] = (2.0, 4.0)
    assert HeatMaps(maps, 1).all_scales[0, 0, 0].tolist() == [0.25, 0.5]
    assert (HeatMaps(np.zeros_like(maps), 1).all_scales == 0).all()


@pytest.fixture(scope="module")
def nets(trained):
    return networks(patches(), TABLE, SMALL, ROI, 0, trained, [BOTH])


def test_a_training_case_is_explained_by_its_own_folds_network_and_another_by_all(nets, boxes):
    found = heat_maps(nets, patches(), np.array([0, 13]), SMALL, ROI, inside=False)
    regions = centred(boxes, torch.tensor([0, 13]), ROI, SMALL.input)
    one, other = (
        np.stack([torch.stack(s).numpy() for s in grad_cam(net.network(SMALL, ROI), regions)]) for net in nets
    )
    assert FOLDS[0] == 0
    assert (found[0].networks, found[13].networks) == (1, 2)
    assert np.allclose(found[0].maps, one[:, :, 0], rtol=1e-3, atol=1e-6)
    assert np.allclose(found[13].maps, (one + other)[:, :, 1] / 2, rtol=1e-3, atol=1e-6)


def test_maps_stay_inside_their_region(nets):
    kept = heat_maps(nets, patches(), np.array([1]), SMALL, ROI)[1].maps
    free = heat_maps(nets, patches(), np.array([1]), SMALL, ROI, inside=False)[1].maps
    tumour, ring = (own.any(axis=0) for own in kept > 0)
    assert not (tumour & ring).any()
    assert ((kept == free) | (kept == 0)).all()
    assert (free > 0).sum() > (kept > 0).sum() > 0


def test_with_both_regions_ablation_is_the_score(nets, trained):
    table = scores(patches(), TABLE, SMALL, ROI, trained)
    wanted = table[table["source"] == BOTH]["score"].to_numpy()
    assert np.allclose(ablation(nets, patches(), SMALL, ROI)[:, 0], wanted, atol=1e-7)


def test_a_region_alone_does_not_know_of_the_other(boxes):
    net, regions = network(2), seen(boxes, Network().input, 2)
    changed = torch.stack([regions[:, 0], regions[:, 1].roll(1, 0)], 1)
    (both, (tumour, ring)), (both_now, (tumour_now, ring_now)) = ablated(net, regions), ablated(net, changed)
    assert torch.equal(tumour, tumour_now)
    assert not torch.allclose(ring, ring_now, atol=1e-6)
    assert not torch.allclose(both, both_now, atol=1e-6)
