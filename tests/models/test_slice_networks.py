"""Networks of slices: missing branches, several classes, alone and stacked, and training end to end."""

import numpy as np
import pytest
import torch

from fusion.config.network import Network
from fusion.config.roi import Roi, Slice
from fusion.errors import ModelError
from fusion.models import chance, recipe
from fusion.models.backbone import RANDOM
from fusion.models.checkpoints import notes
from fusion.models.jobs import Training
from fusion.models.network import RegionNetwork, filled, there
from fusion.models.stack import Stack
from fusion.models.together import Together
from fusion.models.train import train
from fusion.roi.slice import Slices

SIDE = 32
ROI = Roi(slice=Slice(shape=(SIDE, SIDE)))
SMALL = Network(
    backbone="mobilenetv3_small_100", weights="none", input={"kind": "picture"}, epochs=2, warmup_epochs=0, batch=4,
    lr_backbone=3e-4,
)  # fmt: skip
KABA = Network(preset="kaba2025", weights="none", epochs=2, batch=4)
SOURCES = {"A": (0,), "B": (1,), "fused": (0, 1)}
CASES = 18
LABELS, FOLDS = np.arange(CASES) % 3, np.array([0, 0, 0, 1, 1, 1] * 3)


def with_(network: Network, **fields) -> Network:
    return Network(**(network.model_dump() | fields))


def slices(labels=LABELS, missing=(4, 7)) -> Slices:
    """Discs whose brightness is the class; two cases lack B."""
    rng, n = np.random.default_rng(0), len(labels)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    disc = np.hypot(y, x) < 10
    grey = rng.normal(60, 10, (n, 2, SIDE, SIDE)) + disc * (60 * np.asarray(labels)[:, None, None, None])
    there = np.ones((n, 2), dtype=bool)
    there[list(missing), 1] = False
    grey = (np.clip(grey, 0, 255) * there[..., None, None]).astype(np.uint8)
    mask = np.broadcast_to(disc, grey.shape) & there[..., None, None]
    return Slices(tuple(f"patient-{k}" for k in range(n)), ("A", "B"), grey, there, mask, np.ones((n, 2, 2)))


def pictures(cases: int = 5) -> torch.Tensor:
    seen = torch.randn((cases, 2, 3, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seen[0, 0] = 0
    seen[3, 1] = 0
    return seen


def test_what_is_missing_is_replaced_by_the_case_before_or_the_first_there_is():
    seen = pictures()
    known = there(seen)
    assert known.tolist() == [[0, 1], [1, 1], [1, 1], [1, 0], [1, 1]]
    made = filled(seen, known)
    assert torch.equal(made[0, 0], seen[1, 0])
    assert torch.equal(made[3, 1], seen[2, 1])
    assert torch.equal(made[known > 0], seen[known > 0])


@pytest.mark.parametrize("fuse", ["add", "concat", "paper_literal", "plain"])
def test_a_missing_branch_does_not_matter_whatever_stands_there(fuse):
    torch.manual_seed(0)
    net = RegionNetwork(with_(SMALL, fuse={"kind": fuse}), 1, 2, outputs=3).double().train()
    keys = torch.arange(5)
    seen = pictures()
    net.tell(keys)
    first = net(seen)
    other = seen.clone()
    other[2, 1] = torch.randn_like(other[2, 1])  # the picture that case 3 borrows, changed for case 2 alone
    net.eval()
    alone = [net(seen[[k]]) for k in range(5)]
    assert first.shape == (5, 3)
    assert torch.allclose(net(seen), torch.cat(alone), atol=1e-9)
    assert torch.allclose(net(other)[3], net(seen)[3], atol=1e-12)


def test_with_addition_a_lone_branch_counts_for_all_of_them():
    torch.manual_seed(0)
    net = RegionNetwork(with_(SMALL, fuse={"kind": "plain"}), 1, 2).double().eval()
    lone = pictures()[[0]]
    maps = net.branches[1](lone[:, 1])[-1]
    assert torch.allclose(net.deep(lone)[0], 2 * maps.mean((2, 3))[0], atol=1e-9)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    "network", [SMALL, KABA, with_(SMALL, fuse={"kind": "concat"})], ids=["small", "kaba", "concat"]
)
def test_a_stack_answers_and_learns_as_its_networks_alone(network, outputs):
    regions, views = [(0,), (1,), (0, 1)], [0, 1, 0]
    torch.manual_seed(0)
    nets = [RegionNetwork(network, 1, len(own), outputs=outputs).double() for own in regions]
    stack = Stack(nets, regions, views)
    seen = torch.stack([pictures(), pictures().flip(0)])
    keys = chance.key(torch.arange(3)[:, None], torch.arange(5), 0)
    stack.tell(keys)
    logits = stack(seen)
    logits.square().sum().backward()
    gradients = stack.split({key: own.grad for key, own in stack.named_parameters() if own.grad is not None})
    for n, net in enumerate(nets):
        net.tell(keys[n])
        own = net(seen[views[n]][:, list(regions[n])])
        own.square().sum().backward()
        assert torch.allclose(logits[:, n], own, rtol=1e-9, atol=1e-12)
        for key, parameter in net.named_parameters():
            assert torch.allclose(gradients[n][key], parameter.grad, rtol=1e-7, atol=1e-9), key


def test_cross_entropy_and_its_weights_are_torchs():
    rng = torch.Generator().manual_seed(0)
    logits, label = torch.randn((7, 1, 4), generator=rng), torch.arange(7) % 4
    weight = torch.tensor([[1.0, 2.0, 0.5, 1.0]])
    found = recipe.losses(logits, torch.eye(4)[label][:, None], weight)[0]
    each = torch.nn.functional.cross_entropy(logits[:, 0], label, weight=weight[0], reduction="none")
    assert found.item() == pytest.approx(each.mean().item(), rel=1e-6)


def test_balanced_classes_weigh_the_same_and_the_bias_is_shifted_back():
    shares, own = np.array([0.5, 0.3, 0.2]), with_(SMALL, balanced=True)
    weights = np.array(recipe.positive_weight(shares, own))
    assert shares * weights == pytest.approx(np.full(3, 1 / 3))
    back = recipe.shifted_back(torch.zeros(3), shares, own).softmax(0)
    assert back.tolist() == pytest.approx(shares.tolist())


def test_kabas_rate_falls_to_a_tenth_every_ten_epochs():
    network = Network(preset="kaba2025")
    rates = [recipe.share(epoch, network) for epoch in (0.0, 9.9, 10.0, 20.0, 29.5)]
    assert rates == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    net = RegionNetwork(with_(SMALL, preset="kaba2025"), 1, 1)
    sgd = recipe.optimizer(net.branches, net.head, network)
    assert {(type(sgd), g["lr"], g["momentum"], g["weight_decay"]) for g in sgd.param_groups} == {
        (torch.optim.SGD, 1e-3, 0.9, 1e-4)
    }


def training(folder, network=SMALL, labels=LABELS, classes=3, **fields) -> Training:
    return Training(slices(labels), labels, FOLDS, network, ROI, 0, folder, RANDOM, SOURCES, classes, **fields)


def test_a_network_learns_from_the_cases_that_have_its_sequences(tmp_path):
    own = training(tmp_path)
    assert set(own.seen(own.job("A", 1, 0))) - set(own.seen(own.job("B", 1, 0))) == {7}
    assert set(own.seen(own.job("fused", 0, 0))) == set(np.flatnonzero(FOLDS != 0))


def weights(path) -> dict[str, torch.Tensor]:
    """What was learnt, without running statistics, of which deep ones rest on a few pixels here."""
    from safetensors.torch import load_file

    return {key: value for key, value in load_file(path).items() if "running" not in key and value.is_floating_point()}


def test_trained_one_by_one_and_together_the_weights_agree(tmp_path):
    # one step on all cases: later ones, from batch norms over a few cases, make rounding as large as the step
    network = with_(KABA, backbone="test_resnet", epochs=1, batch=16)
    for way in ("separate", "stacked"):
        asked = network.model_copy(update={"training": way})
        train(slices(), LABELS, FOLDS, asked, ROI, 0, tmp_path / way, 1, sources=SOURCES, classes=3)
    own = training(tmp_path, network)
    for job in (own.job(source, fold, 0) for source in SOURCES for fold in (0, 1)):
        begun = own.untrained(job).state_dict()
        paths = [tmp_path / way / f"checkpoints/{job.name}.safetensors" for way in ("separate", "stacked")]
        one, other = (weights(path) for path in paths)
        assert notes(paths[0])["cases"] == notes(paths[1])["cases"] == own.seen(job).tolist()
        moved = max(float((one[key] - begun[key]).abs().max()) for key in one if key != "head.classifier.bias")
        assert max(float((one[key] - other[key]).abs().max()) for key in one) < 0.02 * moved


def test_a_training_learns_what_can_be_learnt(tmp_path):
    network = with_(SMALL, epochs=25, batch=8, lr_head=3e-3, lr_backbone=1e-3, drop_path=0.0, augment="rotation")
    own = training(tmp_path, network)
    together = Together(own, [own.job("A", 0, 0)])
    for epoch in range(network.epochs):
        together.epoch(epoch)
    assert together.losses[-1, 0] < 0.3 < together.losses[0, 0]


def test_too_few_cases_of_a_class_are_told_by_fold_and_source(tmp_path):
    labels = LABELS.copy()
    labels[labels == 2] = 1
    labels[[3, 10]] = 2
    with pytest.raises(ModelError, match="of the classes outside fold 1 for A; expected 2 of each or more"):
        train(slices(labels), labels, FOLDS, SMALL, ROI, 0, tmp_path, 1, sources=SOURCES, classes=3)
