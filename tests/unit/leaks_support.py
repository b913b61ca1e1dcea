"""A question, its reference and the words of hints, for tests of what a hint leaves behind."""

from __future__ import annotations

from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.rationale_driven import RationaleDriven

QUESTION = "Natalia sold clips to 48 of her friends in April, and half as many in May. How many did she sell?"
REFERENCE = (
    "In May she sold half of what she sold in April, which makes 48 / 2 = 24 clips.\n"
    "Over both months together she has therefore sold 48 + 24 = 72 clips altogether."
)
EVERY_FRAME = [AnswerDriven().frame, RationaleDriven().frame, Interactive().frame]
REMARK = Interactive().frame
OWN = "April: 48. May is half of that, so 24. The sum is 48 + 24 = 72."
