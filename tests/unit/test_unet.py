"""The U-Net: shapes, reach, and the cut at the first dropout layer."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from pickem.predictor import UNet, UNetSettings
from pickem.predictor.settings import DropoutPlace
from pickem.predictor.unet import _drop_channels

PLACES = get_args(DropoutPlace)


def small_unet(
    place: DropoutPlace = "decoder", depth: int = 2, dropout: float = 0.5, space_to_depth: int = 1
) -> UNet:
    settings = UNetSettings(
        space_to_depth=space_to_depth, feature_maps=4, depth=depth, dropout=dropout, dropout_place=place
    )
    return UNet(settings, classes=3, generator=torch.Generator().manual_seed(0)).eval()


def images(n: int = 2, side: int = 32) -> torch.Tensor:
    return torch.randn(n, 1, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("space_to_depth", [1, 2, 4])
def test_logits_have_one_map_per_class(place: DropoutPlace, depth: int, space_to_depth: int) -> None:
    assert small_unet(place, depth, space_to_depth=space_to_depth)(images()).shape == (2, 3, 32, 32)


def test_paper_network_has_a_bottleneck_of_256_by_8_by_8() -> None:
    network = UNet(UNetSettings(), classes=2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert network.bottleneck(network.prefix(torch.zeros(1, 1, 128, 128))).shape == (1, 256, 8, 8)


def test_squares_of_pixels_leave_the_bottleneck_as_coarse_as_a_further_pooling_would() -> None:
    pooled, squares = (
        network.bottleneck(network.prefix(images()))
        for network in (small_unet(depth=3), small_unet(depth=2, space_to_depth=2))
    )
    assert pooled.shape[2:] == squares.shape[2:]


def test_every_pixel_of_a_square_has_logits_of_its_own() -> None:
    network = small_unet(space_to_depth=2)
    with torch.inference_mode():
        logits = network(images())
    squares = logits.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    apart = (squares.amax(dim=4) > squares.amin(dim=4)).float().mean()
    assert apart > 0.9  # where no unit of the last block is on, there are biases alone


@pytest.mark.parametrize("space_to_depth", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_nothing_beyond_the_halo_reaches_a_pixel(depth: int, space_to_depth: int) -> None:
    network = small_unet(depth=depth, space_to_depth=space_to_depth)
    side = 4 * network.halo
    half = side // 2
    changed = images(1, side)
    changed[:, :, half:] += 10.0
    with torch.inference_mode():
        difference = (network(images(1, side)) - network(changed)).abs().amax(dim=(0, 1, 3))
    untouched = difference[: half - network.halo]
    assert untouched.max() == 0
    assert difference[half - 2 :].max() > 0
    assert network.halo % network.stride == 0


@pytest.mark.parametrize("place", PLACES)
def test_dropout_is_off_without_a_generator_and_repeatable_with_one(place: DropoutPlace) -> None:
    network = small_unet(place)
    with torch.inference_mode():
        state = network.prefix(images())
        off = network.suffix(state, None)
        first = network.suffix(state, torch.Generator().manual_seed(5))
        again = network.suffix(state, torch.Generator().manual_seed(5))
        other = network.suffix(state, torch.Generator().manual_seed(6))
        off_again = network.suffix(state, None)
    assert torch.equal(off, off_again)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, off)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("space_to_depth", [1, 2])
def test_the_bottleneck_is_the_output_of_the_deepest_block_wherever_the_cut_is(
    place: DropoutPlace, space_to_depth: int
) -> None:
    network = small_unet(place, depth=3, space_to_depth=space_to_depth)
    outputs: list[torch.Tensor] = []
    network.down[-1].register_forward_hook(lambda _, __, output: outputs.append(output))
    with torch.inference_mode():
        network(images())
        found = network.bottleneck(network.prefix(images()))
    assert torch.equal(found, outputs[0])


@pytest.mark.parametrize("place", PLACES)
def test_without_dropout_the_place_of_the_cut_changes_nothing(place: DropoutPlace) -> None:
    with torch.inference_mode():
        expected = small_unet("decoder", dropout=0.0)(images())
        assert torch.equal(small_unet(place, dropout=0.0)(images(), torch.Generator()), expected)


def test_dropout_silences_whole_feature_maps_and_keeps_the_mean() -> None:
    ones = torch.ones(64, 64, 4, 4)
    dropped = _drop_channels(ones, 0.25, torch.Generator().manual_seed(0))
    per_map = dropped.flatten(2)
    assert torch.equal(per_map.amin(dim=2), per_map.amax(dim=2))
    assert sorted(dropped.unique().tolist()) == pytest.approx([0, 1 / 0.75])
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)


def test_the_same_generator_state_gives_the_same_weights() -> None:
    a, b = small_unet().state_dict(), small_unet().state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_folding_the_norms_into_the_convolutions_changes_nothing_but_rounding() -> None:
    network = UNet(UNetSettings(feature_maps=4, depth=2), 2, torch.Generator().manual_seed(0))
    image = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    network.train()(image)  # statistics other than 0 and 1
    network.eval()
    folded = network(image)
    network.train()  # the norms apart …
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()  # … with the same statistics
    torch.testing.assert_close(folded, network(image), rtol=1e-4, atol=1e-5)
    assert all(p.grad is None for p in network.parameters())
    folded.sum().backward()
    assert all(p.grad is not None for p in network.parameters())
