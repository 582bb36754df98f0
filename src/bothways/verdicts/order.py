"""Who had it first, and which way is stronger: separate answers, side by side, never one for the other."""

from __future__ import annotations

from bothways.terms.answer import Answer, Estimand, Status
from bothways.terms.question import Direction, Facet, Pair
from bothways.terms.verdict import Certainty, DirectionVerdict, Word
from bothways.verdicts.rules import PREFERENCE
from bothways.verdicts.words import order_sentence


def order_verdict(answers: tuple[Answer, ...], pair: Pair) -> DirectionVerdict:
    """The order of onset against the share expected were the two unrelated.

    Rows of estimand ORDER_SHARE: direction A_TO_B is the share with A first, B_TO_A with B first, JOINT not seen
    which. "Predicts" means: the interval of a share lies above its expected value. Without an expected value the
    order is shown and no word is given, since base rates alone can put one condition first. Sources that name
    different conditions disagree; none is dropped.
    """
    rows = [a for a in answers if a.facet is Facet.FIRST and a.estimand is Estimand.ORDER_SHARE and _answered(a)]
    told = [a for a in rows if a.direction is not Direction.JOINT and a.subgroup is None]
    firsts = {a.direction for a in told if _order_word(a) is Word.PREDICTS}
    word = (Word.UNCERTAIN if told else Word.NO_DATA, Word.PREDICTS, Word.DISAGREE)[len(firsts)]
    first = next(iter(firsts)) if word is Word.PREDICTS else Direction.A_TO_B
    start, end = first.ends(pair)
    moves = ("there is no answer to be sure of",) if word is Word.NO_DATA else ("starts low",)
    certainty = Certainty.VERY_LOW if word in (Word.NO_DATA, Word.UNCERTAIN) else Certainty.LOW
    return DirectionVerdict(Direction.JOINT, word, order_sentence(word, start.label, end.label), certainty, moves)


def _order_word(row: Answer) -> Word:
    estimate = row.estimate
    if estimate is None or row.expected is None or estimate.low != estimate.low:
        return Word.UNCERTAIN
    return Word.PREDICTS if estimate.low > row.expected else Word.UNCERTAIN


def stronger(answers: tuple[Answer, ...]) -> tuple[Direction | None, str]:
    """The direction whose strength is greater, with the design that says so; None where none decides or two differ.

    DIRECTION_CONTRAST is strength of A_TO_B less strength of B_TO_A, on one scale within one design (on ratio
    scales their quotient): above no effect, A_TO_B is the stronger.
    """
    rows = [
        a
        for a in answers
        if a.estimand is Estimand.DIRECTION_CONTRAST and a.headline and a.subgroup is None and _answered(a)
    ]
    decided: dict[Direction, str] = {}
    for row in sorted(rows, key=lambda a: (_rank(a), a.id)):
        assert row.estimate is not None
        low, _, high = row.estimate.analysis()
        if low > 0 or high < 0:
            decided.setdefault(Direction.A_TO_B if low > 0 else Direction.B_TO_A, row.design)
    return next(iter(decided.items())) if len(decided) == 1 else (None, "")


def _answered(answer: Answer) -> bool:
    return answer.status is Status.ANSWERED and answer.estimate is not None


def _rank(answer: Answer) -> int:
    return PREFERENCE.index(answer.design) if answer.design in PREFERENCE else len(PREFERENCE)
