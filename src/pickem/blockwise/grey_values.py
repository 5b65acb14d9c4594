"""How a network sees the grey values of a volume that it is to segment."""

from __future__ import annotations

from pickem.predictor.description import CheckpointDescription
from pickem.predictor.normalisation import Normalisation
from pickem.volumes import Volume, sample_blocks


def normalisation_of(network: CheckpointDescription, volume: Volume) -> Normalisation:
    """The normalisation of a volume that the network has not learned from.

    A network that learned from volumes each normalised by its own sample sees this one by its own too, and
    by the same rule. One that learned with a single normalisation knows no other. Reads a sample of `volume`,
    which is on the grid that the network sees; raises as `volume.read`.
    """
    if isinstance(network.normalisation, Normalisation):
        return network.normalisation
    sample = sample_blocks(volume)
    if any(known.low is None for known in network.normalisation.volumes.values()):
        return Normalisation.of(sample)
    return Normalisation.robust(sample)
