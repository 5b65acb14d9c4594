"""A simulated annotator: answers through the API, as the page does, with the ground truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import requests
from numpy.typing import NDArray

from pickem.errors import InvalidMaskError, NoResultsError, PickemError, RunError
from pickem.geometry import PatchId
from pickem.learning import annotation_seconds

NAME = "simulated"
POLL_SECONDS = 0.2
TIMEOUT = 60.0  # seconds for one answer of the server
_ERRORS: dict[int, type[PickemError]] = {404: NoResultsError, 422: InvalidMaskError}
Truth = Callable[[PatchId], NDArray[np.uint8]]


class SimulatedAnnotator:
    """Paints patches of a running server with the ground truth.

    Parameters
    ----------
    address: the server's, without path.
    truth: the mask (h, w) of a patch: class index a pixel, 255 = not labelled.
    rounds: after how many labels in all (control patches not counted) to wait for the network to have
        learned from them; empty = never wait.
    told: called with the server's progress after each patch.
    """

    def __init__(
        self,
        address: str,
        token: str,
        truth: Truth,
        rounds: frozenset[int],
        told: Callable[[dict[str, Any]], None],
    ) -> None:
        self._address = address
        self._truth = truth
        self._rounds = rounds
        self._told = told
        self._session = requests.Session()
        self._session.headers.update({"X-Pickem": "1", "X-Pickem-Token": token, "X-Pickem-Annotator": NAME})
        # Whoever paints for longer than the server keeps a connection would find it closed.
        self._session.headers["Connection"] = "close"

    def paint(self, patches: int) -> None:
        """Submit masks until `patches` patches are labelled.

        Raises NoResultsError where none are left, InvalidMaskError for masks with values that are no class,
        and RunError where the server refuses otherwise.
        """
        while True:
            patch = self._ask("GET", "next")
            number, place = patch["id"], ("volume", "z", "y", "x", "height", "width")
            mask = self._truth(PatchId(*(patch[key] for key in place)))
            answer = self._ask(
                "PUT",
                f"patches/{number}/mask",
                params={
                    "revision": patch["revision"],
                    "state": "submitted",
                    "seconds": annotation_seconds(mask),
                    "proposed_by": patch["proposed_by"],
                },
                data=mask.tobytes(),
            )
            progress = answer["progress"]
            self._told(progress)
            if patch["kind"] == "query" and progress["labelled"] in self._rounds:
                self._wait_for_network(progress["labelled"])
            if progress["labelled"] >= patches:
                return

    def _wait_for_network(self, labelled: int) -> None:
        while True:
            progress = self._ask("GET", "project")["progress"]
            self._told(progress)
            network = progress["network"]
            if network and network["ranked"] and network["labelled"] >= labelled:
                return
            if progress["trainer"]["problem"]:
                raise RunError("The trainer ended.", got=progress["trainer"]["problem"])
            time.sleep(POLL_SECONDS)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  (requests' own)
        reply = self._session.request(method, f"{self._address}/api/{path}", timeout=TIMEOUT, **more)
        if not reply.ok:
            raise _ERRORS.get(reply.status_code, RunError)(reply.json()["message"])
        return cast(dict[str, Any], reply.json())
