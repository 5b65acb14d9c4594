"""How alike the sections of a stack are, near and far: what tells a stack from a set of images.

    python -m benchmarks.continuity

Takes seconds. Writes a table of docs/results/fewer-labels/search.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table
from pickem.datasets import open_dataset
from pickem.volumes import ArrayVolume, Volume
from pickem.volumes.continuity import LEAST, correlation, sections_continue

PAGE = RESULTS / "fewer-labels" / "search.md"
DISTANCES = (1, 2, 4, 10, 20, 40)  # sections
COMMON = 737  # pixels, height and width that all demo images have


def main() -> None:
    """Measure and write the table."""
    rows = [[*about, "yes" if sections_continue(volume) else "no"] for about, volume in _measured()]
    head = ["stack", *(f"{distance} apart" for distance in DISTANCES), "averaged"]
    written = table(head, rows)
    fill(PAGE, "continuity", written)
    print(f"{written}\nThe least of neighbouring sections is {LEAST}.")


def _measured() -> Iterator[tuple[list[str], Volume]]:
    for name, volume in _stacks().items():
        depth = volume.shape[0]
        near = [
            f"{correlation(volume, [(z, z + distance) for z in range(depth - distance)]):.2f}"
            if distance < depth
            else ""
            for distance in DISTANCES
        ]
        yield [name, *near], volume


def _stacks() -> dict[str, Volume]:
    demo = open_dataset("demo").split("test")
    images = [region.image.read(region.region)[0] for region in (*demo.train, *demo.evaluate)]
    stack = np.stack([image[:COMMON, :COMMON] for image in images])
    return {
        "VNC, sections of 45 nm": open_dataset("vnc").split("test").train[0].image,
        "Lucchi++, of 5 nm": open_dataset("lucchi++").split("test").train[0].image,
        "the demo's images, each of its own place": ArrayVolume(stack),
    }


if __name__ == "__main__":
    main()
