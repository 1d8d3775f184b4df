"""The ledger's tables, and the way from each version to the next."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x4D415031  # "MAP1": this file is a ledger of ours and nothing else's

_VERSION_1: Final = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    manifest TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('local', 'real')),
    opened_at REAL NOT NULL,
    closed_at REAL
) STRICT;
CREATE UNIQUE INDEX one_open_run ON runs (manifest, kind) WHERE closed_at IS NULL;

-- What a run's plans asked for: with no budget, a run may commit at most twice their sum.
CREATE TABLE asks (
    run INTEGER NOT NULL REFERENCES runs,
    fingerprint TEXT NOT NULL,
    take INTEGER NOT NULL,
    regeneration INTEGER NOT NULL,
    estimate_microusd INTEGER NOT NULL,
    PRIMARY KEY (run, fingerprint, take, regeneration)
) STRICT, WITHOUT ROWID;

-- A --regenerate that was granted to a take: the same words, repeated within the run, are not granted again.
CREATE TABLE grants (
    run INTEGER NOT NULL REFERENCES runs,
    fingerprint TEXT NOT NULL,
    take INTEGER NOT NULL,
    regeneration INTEGER NOT NULL,
    PRIMARY KEY (run, fingerprint, take)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    job INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    fingerprint TEXT NOT NULL,
    take INTEGER NOT NULL,
    regeneration INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    track TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('local', 'real')),
    origin TEXT NOT NULL,
    model TEXT NOT NULL,
    seconds_asked REAL NOT NULL,
    estimate_microusd INTEGER NOT NULL,
    body BLOB NOT NULL,
    cost_tag TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    request_id TEXT NOT NULL,
    state TEXT NOT NULL,
    intended_at REAL NOT NULL,
    sent_at REAL NOT NULL,
    sends INTEGER NOT NULL,
    unproven_sends INTEGER NOT NULL,
    job_id TEXT,
    accepted_at REAL,
    ended_at REAL,
    collected_at REAL,
    cost_microusd INTEGER,
    cost_basis TEXT,
    seconds_got REAL,
    source TEXT,
    error TEXT
) STRICT;
CREATE INDEX jobs_by_purchase ON jobs (fingerprint, take, regeneration);
CREATE INDEX jobs_by_run ON jobs (run);

-- For bookkeeping: every amount when it became known, never changed afterwards.
CREATE TABLE charges (
    charge INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs,
    charged_at REAL NOT NULL,
    amount_microusd INTEGER NOT NULL,
    basis TEXT NOT NULL
) STRICT;

CREATE TABLE sources (
    sha256 TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    size INTEGER NOT NULL,
    duration_s REAL NOT NULL,
    sample_rate INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    stored_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- The index's rows as they were last written, so that reports can be made again.
CREATE TABLE assets (
    manifest TEXT NOT NULL,
    path TEXT NOT NULL,
    track TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (manifest, path)
) STRICT, WITHOUT ROWID;
"""

# A source that nothing named any more may be removed from disk; its row stays, and what it cost.
_VERSION_2: Final = """
ALTER TABLE sources ADD COLUMN pruned_at REAL;
"""

# A job id is one take's: whether another one has it is asked at every answer.
_VERSION_3: Final = """
CREATE INDEX jobs_by_id ON jobs (job_id);
"""

# What a report shows: each finished file as it is drawn, and where a run's time went.
_VERSION_4: Final = """
CREATE TABLE drawings (
    manifest TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    waveform BLOB NOT NULL,
    lufs REAL,
    true_peak_dbtp REAL,
    duration_s REAL NOT NULL,
    PRIMARY KEY (manifest, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX drawings_by_hash ON drawings (sha256);

CREATE TABLE starts (
    run INTEGER NOT NULL REFERENCES runs,
    started_at REAL NOT NULL
) STRICT;
CREATE INDEX starts_by_run ON starts (run);

CREATE TABLE finishings (
    run INTEGER NOT NULL REFERENCES runs,
    track TEXT NOT NULL,
    began_at REAL NOT NULL,
    ended_at REAL NOT NULL
) STRICT;
CREATE INDEX finishings_by_run ON finishings (run);
"""

# Between which moments a job was done: what later runs expect of jobs like it.
_VERSION_5: Final = """
ALTER TABLE jobs ADD COLUMN unfinished_at REAL;
"""

# What a team shares: the ledger's own name in claims, what came from a store, and what was put there.
_VERSION_6: Final = """
ALTER TABLE jobs ADD COLUMN bought_by TEXT;
ALTER TABLE jobs ADD COLUMN bought_microusd INTEGER;

CREATE TABLE shared (
    store TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs,
    shared_at REAL NOT NULL,
    PRIMARY KEY (store, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
    id TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (lower(hex(randomblob(16))));
"""

#: MIGRATIONS[n] leads from version n to version n + 1; version 0 is an empty file.
MIGRATIONS: Final[tuple[str, ...]] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6)
VERSION: Final = len(MIGRATIONS)
