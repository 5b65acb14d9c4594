"""Who paints: their names, and how many patches each of them has labelled."""

from __future__ import annotations

from unicodedata import category

from pickem.errors import InvalidNameError
from pickem.project.schema import LAST_ANSWER
from pickem.project.store import Store

ALONE = "me"  # the name of somebody who was never asked for one
LONGEST = 40  # characters of a name
INVISIBLE = {"Cc", "Cf", "Cs"}  # Unicode's controls, formats and halves of characters


def annotator_name(text: str) -> str:
    """A name as it is stored: without spaces around it, single spaces inside.

    Raises InvalidNameError for a name that is empty, too long, or holds invisible characters.
    """
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST or {category(c) for c in name} & INVISIBLE:
        raise InvalidNameError(
            "This cannot be an annotator's name.",
            got=repr(text[: 2 * LONGEST]),
            expected=f"1 to {LONGEST} characters, all of them visible",
        )
    return name


def labelled_by(store: Store) -> dict[str, int]:
    """How many patches of either kind each annotator has labelled, those with the most first.

    A patch counts for whoever submitted it last. Masks from before names were kept have the name "".
    """
    rows = store.rows(
        "SELECT r.annotator, count(*) AS patches FROM patches p "
        f"JOIN revisions r ON r.id = {LAST_ANSWER} WHERE r.state = 'submitted' "
        "GROUP BY r.annotator ORDER BY patches DESC, r.annotator"
    )
    return {row["annotator"]: row["patches"] for row in rows}
