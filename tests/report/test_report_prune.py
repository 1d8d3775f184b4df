"""A prune as people read it."""

from __future__ import annotations

from report_factories import a_job, a_row, a_track

from pipeline.ledger.records import Source
from pipeline.planning.prunes import Lies, OrphanFate, Pruning, SourceFate
from pipeline.report.prune_text import prune_document, prune_lines, removed_line


def _pruning():
    spot = a_track("spot", takes=2)
    source = Source("ab" * 32, "wav", 5_300_000, 30.0, 48_000, 2, 0.0)
    return Pruning(
        (
            OrphanFate(a_row(spot, size=742), Lies.WHOLE, ("spot.ogg.import", "spot.ogg.meta")),
            OrphanFate(a_row(spot, path="spot.mp3"), Lies.GONE),
            OrphanFate(a_row(spot, path="spot.wav", size=2_000_000), Lies.CHANGED, ("spot.wav.uid",), "changed"),
        ),
        (
            SourceFate(source, a_job(spot)),
            SourceFate(source, a_job(spot, kind="local")),
            SourceFate(source, a_job(spot), "paid for: kept until 2026-12-25, or --now"),
        ),
        {"film": 2, "advert\x1b": 1},
    )


def test_a_prune_reads_as_one_line_each():
    """What goes, with what belongs to it and what it cost; what stays, and why; and what was not looked at."""
    assert prune_lines(_pruning(), 3, colour=False) == [
        "output folder",
        "  - spot.ogg  742 bytes  with .import, .meta",
        "  - spot.mp3             its file is gone: only its row goes",
        "  = spot.wav     2.0 MB  changed",
        "sources",
        "  - abababababab  spot  5.3 MB  $0.0300 paid",
        "  - abababababab  spot  5.3 MB  placeholder",
        "  = abababababab  spot  5.3 MB  paid for: kept until 2026-12-25, or --now",
        "  1 source of advert\ufffd, which was not given: not looked at",
        "  2 sources of film, which was not given: not looked at",
        "  3 source files that the ledger does not know: not looked at",
        "",
        "Prune: 2 orphans and 2 sources to remove, 10.6 MB; 2 to keep.",
    ]
    assert removed_line(_pruning()) == "Removed 2 orphans and 2 sources, 10.6 MB."


def test_colour_is_only_where_it_is_wanted():
    """The same words in colour and without."""
    plain, coloured = (prune_lines(_pruning(), 0, colour=colour) for colour in (False, True))
    assert coloured[1] == f"\x1b[35m{plain[1]}\x1b[0m"
    assert "\x1b" not in "".join(plain)


def test_a_prune_with_nothing_to_do_says_so_in_one_line():
    """And counts what it keeps."""
    assert prune_lines(Pruning(), 0, colour=False) == ["Prune: nothing to remove."]
    kept = Pruning(orphans=(OrphanFate(a_row(), Lies.CHANGED, (), "changed"),))
    assert prune_lines(kept, 0, colour=False)[-1] == "Prune: nothing to remove; 1 to keep."


def test_the_prune_document_has_each_fate():
    """Sums are of what goes."""
    document = prune_document(_pruning(), 3, removed=False)
    assert [one["goes"] for one in document["orphans"]] == [True, True, False]
    assert [one["placeholder"] for one in document["sources"]] == [False, True, False]
    assert document["totals"] == {"orphans": 2, "sources": 2, "bytes": 742 + 2 * 5_300_000}
    assert (document["elsewhere"], document["unknown_sources"]) == ({"advert\x1b": 1, "film": 2}, 3)
