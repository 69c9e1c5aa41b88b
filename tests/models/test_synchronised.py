import pytest
import timm
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from fusion.models.synchronised import batch_norm, synchronise


@pytest.fixture(autouse=True)
def _one_process(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 4, 4), (2, 3, 2, 4, 4)])
@pytest.mark.parametrize("affine", [True, False])
def test_it_is_torchs_batch_norm_with_its_gradients_and_running_statistics(shape, affine):
    torch.manual_seed(0)
    found = []
    x, down = torch.randn(shape, dtype=torch.double), torch.randn(shape, dtype=torch.double)
    weight, bias = torch.rand(2, 3, dtype=torch.double)
    for function in (F.batch_norm, batch_norm):
        own = [value.clone().requires_grad_() for value in (x, weight, bias)]
        running = torch.zeros(3, dtype=torch.double), torch.ones(3, dtype=torch.double)
        out = function(own[0], *running, *(own[1:] if affine else (None, None)), training=True, momentum=0.3)
        out.backward(down)
        found.append([out, *running, *[value.grad for value in own[: 3 if affine else 1]]])
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_in_half_precision_statistics_are_of_single_precision():
    x = (torch.randn(64, 3, 8, 8) + 5).bfloat16()
    running = torch.zeros(3), torch.ones(3)
    out = batch_norm(x, *running, torch.ones(3), torch.zeros(3), training=True, momentum=1.0)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(running[0], x.float().mean((0, 2, 3)))


def test_every_kind_of_batch_norm_in_a_net_is_ours_while_it_learns(monkeypatch):
    asked = []
    monkeypatch.setattr(dist, "all_gather", lambda parts, own: asked.append(own) or parts[0].copy_(own))
    net = nn.Sequential(nn.BatchNorm2d(3), timm.layers.BatchNormAct2d(3), nn.Conv2d(3, 3, 1))
    names = list(net.state_dict())
    synchronise(net)
    out = net(torch.randn(4, 3, 2, 2) - 3)
    assert len(asked) == 2
    assert list(net.state_dict()) == names
    assert not torch.isnan(out).any()
    net.eval()(torch.randn(4, 3, 2, 2))
    assert len(asked) == 2
