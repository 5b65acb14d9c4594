"""Which volume each `--labels` of `pickem new` belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from pickem.errors import ConfigError, nearest_names
from pickem.volumes import Volume, open_volume


def open_labels(given: Sequence[str], volumes: Sequence[str]) -> dict[str, Volume]:
    """Masks by the name of their volume: NAME=PATH, or a path for each volume, in their order.

    Reads no voxels. Raises ConfigError where it is not clear which belongs to which, and the errors of
    opening volumes.
    """
    named = [text.partition("=") for text in given]
    if all(name in volumes for name, _, path in named if path) and all(path for _, _, path in named):
        return _by_name([(name, path) for name, _, path in named])
    if len(given) == len(volumes) and not any(name in volumes for name, _, path in named if path):
        return {name: open_volume(path) for name, path in zip(volumes, given, strict=True)}
    unknown = [name for name, _, path in named if path and name not in volumes]
    raise ConfigError(
        "It is not clear which labels belong to which volume.",
        got=", ".join(f"--labels {text}" for text in given),
        expected=f"NAME=PATH, NAME being {' or '.join(volumes)}; or a PATH for each volume, in that order",
        todo=nearest_names(unknown[0], volumes) if unknown else f"--labels {volumes[0]}=PATH",
    )


def _by_name(pairs: Sequence[tuple[str, str]]) -> dict[str, Volume]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ConfigError(
            "A volume has labels twice.", got=", ".join(names), expected="one --labels for a volume"
        )
    return {name: open_volume(path) for name, path in pairs}
