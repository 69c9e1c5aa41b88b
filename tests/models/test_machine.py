import torch

from fusion.models import machine


def test_steady_leaves_torch_as_it_was(monkeypatch):
    monkeypatch.setattr(machine.torch.cuda, "is_available", lambda: False)
    torch.set_num_threads(2)
    with machine.steady():
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
