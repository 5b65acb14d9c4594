"""The classes of a project as values of a mask, and their colours."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pickem.acquisition import UNLABELLED
from pickem.project.settings import ProjectSettings
from pickem.volumes import LabelValue

# Okabe & Ito 2008: told apart with every kind of colour vision
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999", "#FFFFFF")
_TRANSPARENT = (0, 0, 0, 0)


def label_values(settings: ProjectSettings) -> tuple[LabelValue, ...]:
    """What each value of a mask means: 0 = background, 1 … = the classes, 255 = not labelled."""
    return (*class_values(settings.classes), LabelValue(UNLABELLED, "not labelled", _TRANSPARENT))


def class_values(classes: Sequence[str]) -> tuple[LabelValue, ...]:
    """What each value of a segmentation means: 0 = background, 1 … = the classes."""
    coloured = enumerate(zip(classes, itertools.cycle(COLOURS), strict=False), start=1)
    return (
        LabelValue(0, "background", _TRANSPARENT),
        *(LabelValue(value, name, _rgba(colour)) for value, (name, colour) in coloured),
    )


def _rgba(colour: str) -> tuple[int, int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue, 255
