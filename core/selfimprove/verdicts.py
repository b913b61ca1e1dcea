"""What a verdict is worth. Verdicts are stored as words, and become numbers only when they are read."""

from __future__ import annotations

UTILITY = {
    "Correct": 1.0,
    "Wrong": 0.0,
    "NoAnswer": 0.0,
    "Timeout": 0.0,
    "Truncated": 0.0,
    "GoldUnparsable": None,
}
"""Verdict -> utility; None where nobody can know."""
