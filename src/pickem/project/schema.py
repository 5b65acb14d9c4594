"""The tables of a project's database, and the steps that bring an older one up to date.

    patches ──< revisions          every mask ever saved, and who saved it; the newest counts
       │  ├──── leases             who is at work on which patch, and until when that is taken for granted
       │  ├───< queue              which patches to serve next, best first; replaced as a whole
       │  ├──── asked              which a person asked for by hand, after which revision; before all others
       │  └───< proposals          what the network of a round would paint on them, and how unsure it is
       │           └── corrections     how much of the one that was shown had to be changed
       └──────< audit_counts >── rounds ── quality    what each network got right on each audit patch
                                   └────── gains      and how much more than an earlier one
    normalisation                  of each volume's grey values
    identity                       which project this is, and where it was when that was last asked
    events                         what happened, for the person and for whoever helps them

`user_version` counts the steps taken.
"""

from __future__ import annotations

STEPS = (
    """
    CREATE TABLE patches (
        id INTEGER PRIMARY KEY,
        volume TEXT NOT NULL,
        z INTEGER NOT NULL, y INTEGER NOT NULL, x INTEGER NOT NULL,
        height INTEGER NOT NULL, width INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('query', 'audit')),
        UNIQUE (volume, z, y, x, height, width)
    );
    CREATE TABLE revisions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patch INTEGER NOT NULL REFERENCES patches,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'skipped')),
        mask BLOB,
        foreground INTEGER NOT NULL,
        unpainted TEXT NOT NULL CHECK (unpainted IN ('background', 'unlabelled')),
        seconds REAL NOT NULL,
        ranked_by INTEGER REFERENCES rounds,
        at TEXT NOT NULL,
        UNIQUE (patch, revision)
    );
    CREATE TABLE queue (
        position INTEGER PRIMARY KEY,
        patch INTEGER NOT NULL UNIQUE REFERENCES patches,
        utility REAL NOT NULL,
        reason TEXT NOT NULL,
        ranked_by INTEGER REFERENCES rounds
    );
    CREATE TABLE proposals (
        patch INTEGER PRIMARY KEY REFERENCES patches,
        round INTEGER NOT NULL REFERENCES rounds,
        mask BLOB NOT NULL
    );
    CREATE TABLE rounds (
        number INTEGER PRIMARY KEY,
        begun TEXT NOT NULL,
        finished TEXT,
        ranked TEXT,
        last_revision INTEGER NOT NULL,
        labelled INTEGER NOT NULL,
        checkpoint TEXT,
        loss REAL,
        seconds REAL
    );
    CREATE TABLE audit_counts (
        round INTEGER NOT NULL REFERENCES rounds,
        patch INTEGER NOT NULL REFERENCES patches,
        class INTEGER NOT NULL,
        hit INTEGER NOT NULL, truth INTEGER NOT NULL, predicted INTEGER NOT NULL,
        PRIMARY KEY (round, patch, class)
    );
    CREATE TABLE quality (
        round INTEGER PRIMARY KEY REFERENCES rounds,
        jaccard REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
        patches INTEGER NOT NULL
    );
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL
    );
    """,
    # 2: proposals are kept, with what became of them; every network is measured on every audit patch
    """
    CREATE TABLE proposals_of_rounds (
        patch INTEGER NOT NULL REFERENCES patches,
        round INTEGER NOT NULL REFERENCES rounds,
        mask BLOB NOT NULL,
        PRIMARY KEY (patch, round)
    );
    INSERT INTO proposals_of_rounds SELECT patch, round, mask FROM proposals;
    DROP TABLE proposals;
    ALTER TABLE proposals_of_rounds RENAME TO proposals;
    CREATE TABLE corrections (
        patch INTEGER PRIMARY KEY REFERENCES patches,
        round INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        foreground INTEGER NOT NULL,
        FOREIGN KEY (patch, round) REFERENCES proposals
    );
    CREATE TABLE gains (
        round INTEGER PRIMARY KEY REFERENCES rounds,
        since INTEGER NOT NULL REFERENCES rounds,
        gain REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL
    );
    ALTER TABLE rounds ADD COLUMN audited INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX answers ON revisions (patch, state);
    """,
    # 3: several annotators; what was saved before has no name
    """
    ALTER TABLE revisions ADD COLUMN annotator TEXT NOT NULL DEFAULT '';
    CREATE TABLE leases (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patch INTEGER NOT NULL UNIQUE REFERENCES patches,
        annotator TEXT NOT NULL,
        until TEXT NOT NULL
    );
    """,
    # 4: how each volume's grey values are normalised (what was trained before says so in its checkpoints);
    # which project this is
    """
    CREATE TABLE normalisation (
        volume TEXT PRIMARY KEY,
        mean REAL NOT NULL, deviation REAL NOT NULL,
        low REAL, high REAL
    );
    CREATE TABLE identity (
        id TEXT NOT NULL,
        folder TEXT NOT NULL,
        inode INTEGER NOT NULL
    );
    """,
    # 5: patches asked for by hand; one that was answered is asked for again by what comes after `after`
    """
    CREATE TABLE asked (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patch INTEGER NOT NULL UNIQUE REFERENCES patches,
        after INTEGER NOT NULL,
        at TEXT NOT NULL
    );
    """,
    # 6: how unsure the network is of every pixel of a proposal; of proposals of before, nobody knows
    """
    ALTER TABLE proposals ADD COLUMN uncertainty BLOB;
    """,
)

VERSION = len(STEPS)

# The row in `revisions` of the last answer to the patch that a query calls p; what comes after it are drafts.
LAST_ANSWER = "(SELECT max(id) FROM revisions WHERE patch = p.id AND state IN ('submitted', 'skipped'))"
