"""Pieces of patterns that several kinds of speech of a hint have in common."""

from __future__ import annotations

RIGHT = r"(?:final|correct|right|expected)"
"""Words before "answer" by which it is said to be the one that is wanted."""
NO_CHOICES = r"(?!\s+(?:choices?|options?|key|sheet|set)\b)"
"""Behind "answer" or "solution": what the question offers is no hint."""
