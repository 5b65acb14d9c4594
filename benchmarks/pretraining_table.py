"""Copy the curves of docs/results/pretraining into the page of that name, so that no number is typed by hand.

python -m benchmarks.pretraining_table
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from benchmarks.machine import RESULTS
from benchmarks.marked import fill, table

PAGE = RESULTS / "pretraining.md"
STARTS = {"plain": "drawn weights", "masked": "masked", "denoising": "denoising"}


def main() -> None:
    """Rewrite the page's table."""
    fill(PAGE, "table", _table())


def _table() -> str:
    curves = [(name, seed, curve) for name in STARTS for seed, curve in _curves(name)]
    labelled = list(curves[0][2])
    head = ["start", "seed", *map(str, labelled), "mean"]
    lines = []
    for name, seed, curve in curves:
        scores = [curve[count] for count in labelled]
        mean = sum(scores) / len(scores)
        lines.append([STARTS[name], seed, *(f"{score:.3f}" for score in (*scores, mean))])
    return table(head, lines)


def _curves(name: str) -> Iterator[tuple[str, dict[int, float]]]:
    """Seed and Jaccard by labelled patches of each run."""
    with (RESULTS / "pretraining" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for seed in sorted({row["seed"] for row in rows}):
        yield seed, {int(r["labelled_patches"]): float(r["jaccard"]) for r in rows if r["seed"] == seed}


if __name__ == "__main__":
    main()
