"""The article's claims and the sources, as tables for a reader."""

from __future__ import annotations

from bothways.terms.answer import Table
from bothways.terms.question import Pair
from bothways.terms.topic import Claim, Evidence

STANDINGS = {
    "supported": "supported",
    "partly": "partly supported",
    "not_found": "no evidence found",
    "corrected": "corrected",
}
WAYS = {"a_to_b": "{a} to {b}", "b_to_a": "{b} to {a}", "both": "both ways"}


def claims_table(claims: tuple[Claim, ...], pair: Pair) -> Table:
    """Each claim with its standing, what the evidence says, the correction, and the estimates behind it."""
    rows = tuple(
        (
            c.number,
            WAYS[c.direction].format(a=pair.a.label, b=pair.b.label),
            c.claim,
            c.kind,
            c.leans_on,
            STANDINGS[c.standing],
            c.evidence,
            c.correction,
            ", ".join(c.estimates),
        )
        for c in claims
    )
    columns = ("number", "direction", "claim", "kind", "leans on", "standing", "evidence", "correction", "estimates")
    return Table("claims", "The article's claims beside the evidence", columns, rows)


def references_table(evidence: tuple[Evidence, ...]) -> Table:
    """Each source once, with its DOI, whether that DOI and the numbers were confirmed, and what was taken from it."""
    sources: dict[str, list[Evidence]] = {}
    for e in evidence:
        sources.setdefault(e.citation, []).append(e)
    rows = tuple(
        (
            citation,
            taken[0].year,
            taken[0].doi,
            "confirmed" if taken[0].doi_confirmed else "not confirmed",
            f"{sum(e.number_confirmed for e in taken)} of {len(taken)}",
            taken[0].source_url,
            ", ".join(e.id for e in taken),
        )
        for citation, taken in sorted(sources.items())
    )
    columns = ("source", "year", "doi", "doi is", "numbers confirmed", "read at", "estimates")
    return Table("references", "Sources of the published estimates", columns, rows)
