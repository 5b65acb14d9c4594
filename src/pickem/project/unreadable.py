"""What cannot be read of a project's volumes, a damaged chunk, say: passed over, and told once.

Known for as long as the process lives: what an address does not answer today, it may tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pickem.errors import VolumeError, VolumeUnreachableError
from pickem.geometry import PatchId
from pickem.project.images import PatchImages
from pickem.project.store import Store

T = TypeVar("T")


class Unreadable:
    """The volumes of which something could not be read.

    sections: so many does the network see at once (see `NetworkInputs`): where one cannot be read, a patch
    cannot.
    words: what a person should know of it, a sentence a volume; added to as it is found.
    """

    def __init__(self, images: PatchImages, store: Store, sections: int = 1) -> None:
        self._images = images
        self._store = store
        self._sections = sections
        self._told: set[str] = set()
        self.words: list[str] = []

    def without(
        self,
        patches: Sequence[PatchId],
        context: int,
        work: Callable[[Sequence[PatchId]], T],
        beside: int = 0,
    ) -> T:
        """What `work` makes of patches, read with so many pixels around each, and so many sections to each
        side; where it meets some that cannot be read, what it makes of the others.

        Raises the VolumeError where none can be read, and where it was not one of these.
        """
        try:
            return work(patches)
        except VolumeError:
            left = self._readable(patches, context, beside)
            if not left:
                raise
        return work(left)

    def tell(self, patch: PatchId, error: VolumeError) -> None:
        """A patch cannot be read. Noted in the project, once for each volume."""
        if patch.volume in self._told:
            return
        self._told.add(patch.volume)
        self.words.append(
            f"A part of the volume {patch.volume} cannot be read (the first: section z = {patch.z}). Patches "
            "there are passed over, until pickem label is started again."
        )
        self._store.note("problem", f"{self.words[-1]}\n{error}")

    def _readable(self, patches: Sequence[PatchId], context: int, beside: int) -> list[PatchId]:
        """Those of the patches that can be read. A volume that does not answer is asked once."""
        found, silent = [], set()
        for patch in patches:
            if patch.volume in silent:
                continue
            try:
                self._images.grey_values([patch], context, self._sections + 2 * beside)
            except VolumeError as error:
                self.tell(patch, error)
                if isinstance(error, VolumeUnreachableError):
                    silent.add(patch.volume)
            else:
                found.append(patch)
        return found
