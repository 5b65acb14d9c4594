"""Which patch an annotator works on next."""

from __future__ import annotations

from pickem.errors import StorageError
from pickem.project.annotators import ALONE
from pickem.project.leases import Clock, Leases, system_clock
from pickem.project.passed_over import count_served_again, passed_over
from pickem.project.store import Store, StoredPatch


def next_patch(
    store: Store,
    audit_every: int,
    skip_ahead: int | None = None,
    annotator: str = ALONE,
    clock: Clock = system_clock,
) -> StoredPatch | None:
    """The patch for an annotator to work on now, leased to them; never one that is leased to another.

    It is one that they have begun, else one that they have a lease of, else every `audit_every`-th from the
    audit, else the best of the queue, else one of the audit; what others have begun comes last. Audit patches
    that were skipped come after the other ones, once more: the estimate must not be that of the easy patches
    alone. None where there is nothing to do until the queue is filled or somebody leaves.

    `skip_ahead`: the patch being worked on; asks for the one after it.
    """
    leases = Leases(store, clock)
    try:
        with store.change():
            found = _choose(store, leases, audit_every, skip_ahead, annotator)
            if found:
                leases.keep(found.id, annotator)
            return found
    except StorageError:  # the disk is full, say: painting goes on, in the browser
        return _choose(store, leases, audit_every, skip_ahead, annotator)


def _choose(
    store: Store, leases: Leases, audit_every: int, skip_ahead: int | None, annotator: str
) -> StoredPatch | None:
    held = leases.held()

    def free(patches: list[StoredPatch]) -> list[StoredPatch]:
        return [p for p in patches if p.id != skip_ahead and held.get(p.id, annotator) == annotator]

    begun = store.begun()
    own = free([stored for stored, by in begun if by in ("", annotator)])
    audit = free([*store.open_audit(), *passed_over(store)])
    queue = free([queued.stored for queued in store.queue()])
    waiting = {stored.id: stored for stored in (*queue, *audit)}
    own += [waiting[number] for number in held if number in waiting]
    if own:
        return own[0]
    served = held.keys() | ({skip_ahead} - {None})
    turn = store.count_answered() + count_served_again(store) + len(served)  # all that was ever served
    if audit and turn % audit_every == audit_every - 1:
        return audit[0]
    others = {stored.id for stored, by in begun if by not in ("", annotator)}
    return min((*queue, *audit), key=lambda stored: stored.id in others, default=None)
