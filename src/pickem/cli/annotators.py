"""Who labelled how many patches, for `pickem status`."""

from __future__ import annotations

from collections.abc import Sequence

from pickem.web.messages import AnnotatorInfo


def annotator_lines(annotators: Sequence[AnnotatorInfo]) -> list[str]:
    """A line with every name; none where there is only one."""
    if len(annotators) < 2:
        return []
    said = [f"{a.name} {a.labelled}{' (at work)' if a.at_work else ''}" for a in annotators]
    return [f"labelled by: {', '.join(said)}"]
