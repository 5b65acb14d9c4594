"""Which patch a person works on next."""

from __future__ import annotations

from pickem.project.store import Store, StoredPatch


def next_patch(store: Store, audit_every: int, skip_ahead: int | None = None) -> StoredPatch | None:
    """The patch to work on now: one that was begun, else every `audit_every`-th from the audit, else the
    best of the queue, else one of the audit. None where there is nothing to do until the queue is filled.

    `skip_ahead`: the patch being worked on; asks for the one after it.
    """
    begun = store.begun()
    if begun is not None and begun.id != skip_ahead:
        return begun
    answered = store.count_answered() + (skip_ahead is not None)
    audit = [stored for stored in store.open_audit() if stored.id != skip_ahead]
    if audit and answered % audit_every == audit_every - 1:
        return audit[0]
    queue = [queued.stored for queued in store.queue() if queued.stored.id != skip_ahead]
    return next(iter(queue + audit), None)
