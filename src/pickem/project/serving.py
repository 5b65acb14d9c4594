"""Which patch a person works on next."""

from __future__ import annotations

from pickem.project.store import Queued, Store, StoredPatch


def next_patch(store: Store, audit_every: int, skip_ahead: int | None = None) -> StoredPatch | None:
    """The patch to work on now: one that was begun, else every `audit_every`-th from the audit, else the
    best of the queue. None where there is nothing to do until the network has ranked again.

    `skip_ahead`: the patch being worked on; asks for the one after it.
    """
    begun = store.begun()
    if begun is not None and begun.id != skip_ahead:
        return begun
    answered = len(store.answered()) + (skip_ahead is not None)
    audit = [stored for stored in store.open_audit() if stored.id != skip_ahead]
    if audit and answered % audit_every == audit_every - 1:
        return audit[0]
    queue: list[Queued] = [queued for queued in store.queue() if queued.stored.id != skip_ahead]
    return queue[0].stored if queue else None
