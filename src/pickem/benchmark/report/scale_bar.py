"""Scale bars: a round length in nm or µm for an image whose pixel size is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.offsetbox import AnchoredOffsetbox
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

_LARGEST_SHARE = 0.35  # of the image's width
_ROUND = (5, 2, 1)
_NM_PER_UM = 1000


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A length, in nm and in pixels along x."""

    nm: float
    pixels: float

    @property
    def label(self) -> str:
        """200 nm; 2 µm from 1000 nm on."""
        return f"{self.nm / _NM_PER_UM:g} µm" if self.nm >= _NM_PER_UM else f"{self.nm:g} nm"


def scale_bar(width: int, nm_per_pixel: float) -> ScaleBar:
    """The longest 1, 2 or 5 · 10ⁿ nm that takes up to a third of an image `width` pixels wide."""
    most = _LARGEST_SHARE * width * nm_per_pixel
    power = 10.0 ** math.floor(math.log10(most))
    nm = next(step * power for step in _ROUND if step * power <= most)
    return ScaleBar(nm, nm / nm_per_pixel)


def draw_scale_bar(axes: Axes, bar: ScaleBar, thickness: float) -> None:
    """Draw the bar and its length at the lower left of an image, white with a dark edge for any tissue.

    thickness: in pixels of the image.
    """
    drawn: AnchoredOffsetbox = AnchoredSizeBar(
        axes.transData,
        bar.pixels,
        bar.label,
        loc="lower left",
        pad=0,
        borderpad=0.5,
        sep=1.5,
        frameon=False,
        color="white",
        size_vertical=thickness,
        label_top=True,
        fill_bar=True,
        fontproperties={"size": 6},
    )
    for part in drawn.findobj(lambda artist: isinstance(artist, Text | Rectangle)):
        part.set_path_effects([withStroke(linewidth=1.5, foreground="black")])
    axes.add_artist(drawn)
