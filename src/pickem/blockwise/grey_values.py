"""How a network sees the grey values of a volume that it is to segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from pickem.errors import VolumeError
from pickem.predictor.description import CheckpointDescription
from pickem.predictor.normalisation import Normalisation
from pickem.volumes import Volume
from pickem.volumes.sampling import sample_boxes


def normalisation_of(network: CheckpointDescription, volume: Volume) -> Normalisation:
    """The normalisation of a volume that the network has not learned from.

    A network that learned from volumes each normalised by its own sample sees this one by its own too, and
    by the same rule. One that learned with a single normalisation knows no other. Reads a sample of `volume`,
    which is on the grid that the network sees. Parts that cannot be read take no part in it: the blocks that
    hold them say so when their turn comes. Raises VolumeError where nothing can be read.
    """
    if isinstance(network.normalisation, Normalisation):
        return network.normalisation
    sample = list(_readable(volume))
    if any(known.low is None for known in network.normalisation.volumes.values()):
        return Normalisation.of(sample)
    return Normalisation.robust(sample)


def _readable(volume: Volume) -> Iterator[NDArray[Any]]:
    """The blocks of the sample that can be read."""
    found, problem = False, None
    for box in sample_boxes(volume.shape):
        try:
            block = volume.read(box)
        except VolumeError as error:
            problem = error
        else:
            found = True
            yield block
    if problem is not None and not found:
        raise problem
