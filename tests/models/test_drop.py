import pytest
import timm
import torch

from fusion.models.chance import key
from fusion.models.drop import Drop, Keys, by_key


def drop(rows: int = 64, share: float = 0.3, layer: int = 0, groups: int = 1, **options) -> Drop:
    keys = Keys()
    keys.batch = key(3, torch.arange(rows)[:, None], torch.arange(groups))
    made = Drop(share, keys, layer, **options).train()
    made.groups = groups
    return made


def test_the_mean_stays():
    assert float(drop(2000)(torch.ones(2000, 1, 20)).mean()) == pytest.approx(1, abs=0.02)
    assert float(drop(20_000, paths=True)(torch.ones(20_000, 3, 1, 1)).mean()) == pytest.approx(1, abs=0.02)


def test_features_fall_one_by_one_and_paths_whole():
    assert len(drop()(torch.ones(64, 1, 20))[0].unique()) == 2
    paths = drop(paths=True)(torch.ones(64, 3, 4, 4)).flatten(1)
    assert (paths == paths[:, :1]).all()
    assert len(paths.unique()) == 2


def test_the_key_decides():
    own = drop()
    x = torch.ones(64, 1, 20)
    before = own(x)
    assert torch.equal(own(x), before)
    own.keys.batch = key(own.keys.batch, 1)
    assert not torch.equal(own(x), before)


def test_another_layer_has_another_mask():
    x = torch.ones(64, 1, 20)
    assert not torch.equal(drop(layer=0)(x), drop(layer=1)(x))


def test_a_case_s_mask_does_not_depend_on_its_batch():
    own, x = drop(), torch.ones(64, 1, 20)
    together = own(x)
    own.keys.batch = own.keys.batch[5:6]
    assert torch.equal(own(x[5:6]), together[5:6])


@pytest.mark.parametrize("paths", [False, True])
def test_networks_side_by_side_have_the_masks_they_have_alone(paths):
    own = drop(groups=3, paths=paths)
    x = torch.ones(64, 3 * 4, 2) if paths else torch.ones(64, 3, 4)
    together = own(x).view(64, 3, -1)
    for number in range(3):
        alone = drop(paths=paths)
        alone.keys.batch = own.keys.batch[:, number : number + 1]
        assert torch.equal(alone(torch.ones(64, 4, 2) if paths else torch.ones(64, 1, 4)).view(64, -1),
                           together[:, number])  # fmt: skip


def test_slices_of_a_case_have_masks_of_their_own():
    own = drop(8, share=0.5, paths=True)
    fallen = own(torch.ones(8 * 16, 2, 1, 1)).view(8, 16, 2)[..., 0]
    assert 0.3 < float((fallen == 0).float().mean()) < 0.7
    assert len({tuple(row) for row in fallen.tolist()}) == 8
    own.keys.batch = own.keys.batch[3:4]
    assert torch.equal(own(torch.ones(16, 2, 1, 1))[:, 0].flatten(), fallen[3])


def test_nothing_falls_when_scoring_or_without_a_share():
    x = torch.randn(64, 1, 20)
    assert torch.equal(drop().eval()(x), x)
    assert torch.equal(drop(share=0.0)(x), x)


def test_every_drop_path_of_a_pyramid_is_replaced_with_its_share_and_a_mask_of_its_own():
    net = timm.create_model("resnet18", features_only=True, drop_path_rate=0.2)
    shares = [own.drop_prob for own in net.modules() if isinstance(own, timm.layers.DropPath)]
    by_key(net, Keys())
    ours = [own for own in net.modules() if isinstance(own, Drop)]
    assert not any(isinstance(own, timm.layers.DropPath) for own in net.modules())
    assert [own.share for own in ours] == pytest.approx(shares)
    assert [own.layer for own in ours] == [*range(len(shares))]
