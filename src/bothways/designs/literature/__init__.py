"""The literature as a design: it reads published estimates instead of records, and answers each direction.

Order of the road: ``place`` (what each estimate is) -> ``convert`` (only when asked) -> ``families`` (what may be
pooled together) -> ``speakers`` (which number speaks) -> ``tables`` and ``words``; ``answer`` drives.
"""

from bothways.designs.literature.answer import answer_literature
from bothways.designs.literature.references import claims_table, references_table
from bothways.designs.literature.why import why_studies_disagree
from bothways.designs.literature.words import Passage, in_words

__all__ = [
    "Passage",
    "answer_literature",
    "claims_table",
    "in_words",
    "references_table",
    "why_studies_disagree",
]
