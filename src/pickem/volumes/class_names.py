"""What the values of a label image mean, where its metadata say so."""

from __future__ import annotations

from typing import Any

from pickem.errors import VolumeError
from pickem.volumes.chunk_storage import read_json


def class_names(location: str) -> dict[int, str]:
    """Names by value, as the `image-label` of an OME-Zarr image has them; empty for anything else.

    Reads metadata alone. Raises nothing: what is damaged says nothing.
    """
    try:
        node = read_json(location, "zarr.json")
        attributes: Any = (
            node.get("attributes", {}).get("ome", {}) if node else read_json(location, ".zattrs")
        )
        properties = attributes["image-label"]["properties"]
        return {int(entry["label-value"]): str(entry["class"]) for entry in properties if "class" in entry}
    except (VolumeError, AttributeError, KeyError, TypeError, ValueError):
        return {}
