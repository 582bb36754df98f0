"""What a caller can mend: every error says where, what was found, what was wished for and how to mend it."""

from __future__ import annotations


class BothwaysError(Exception):
    """The root of every error that a caller can mend.

    Its text is one sentence of evidence and one of help::

        diary.csv, column 'pain': 41 of 2,310 values lie outside 0-10. Give --range pain 0 100.

    No error text may hold a person's answer or identifier: counts, row numbers and column names only.

    Parameters
    ----------
    where : the file, column, option or argument at fault, as the caller would write it.
    found : what stands there, in counts and not in values.
    mend : what the caller can do, beginning with a verb.
    """

    def __init__(self, where: str, found: str, mend: str) -> None:
        self.where, self.found, self.mend = where, found, mend
        super().__init__(f"{where}: {_sentence(found)} {_sentence(mend)}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.where, self.found, self.mend)


class RecordsError(BothwaysError):
    """A table that cannot become records as it stands."""


class QuestionError(BothwaysError):
    """A question or an option that cannot be asked of these records."""


class TopicError(BothwaysError):
    """A topic, instrument or evidence file that does not say what it must."""


class WorldError(BothwaysError):
    """A simulated world that does not exist or cannot be observed so."""


class ReportError(BothwaysError):
    """A report or facts file that cannot be written or read back."""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else text + "."
