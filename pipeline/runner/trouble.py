"""What went wrong, as the sentence that a take, a track or a run ends with."""

from __future__ import annotations

from pipeline.files import trouble


def folder_trouble(error: Exception) -> str:
    """What went wrong with a folder, the disk or the ledger, as one sentence."""
    if isinstance(error, OSError):
        return trouble(error)
    return str(error)


def defect(error: Exception) -> str:
    """Of an error that nothing of ours should raise."""
    return f"a defect of this program ({type(error).__name__}: {error}); what was paid for is kept: please report it"
