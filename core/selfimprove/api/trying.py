"""A user's template looked over before a run: holes that nobody fills, and those that its reader can't do without.

It is rendered once with made-up words, too: what would fail, or show nothing, is found by that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

EXAMPLES = ("shots-arithmetic-1.jinja", "shots-choice-1.jinja")
"""Ours that a user's template may import; the workers have them."""
ONE_LINE = frozenset({"answer"})
"""Holes that a single line fills; a template may show some lines of the others only."""

Load = Callable[[str], str | None]
"""The text of one of `EXAMPLES`."""


@dataclass(frozen=True)
class Holes:
    """What a template may say, as `{{ name }}`, and what it must."""

    needed: tuple[str, ...] = ()
    """Must be there; any words may fill them."""
    allowed: tuple[str, ...] = ()
    """May be there."""
    given: Mapping[str, object] = field(default_factory=dict)
    """Values that are known, and must be said: by their name, or as words of the text."""


def flaw_of(text: str, wanted: Holes, where: str, ours: str, load: Load | None = None) -> str | None:
    """What is wrong with the words of a template whose syntax is sound; None where nothing is.

    `where` it is read and what of `ours` could stand there are said to its user. `load`: reads what it imports. Needs
    Jinja: raises `ModuleNotFoundError` where it is not installed.
    """
    used, known = _variables(text), {*wanted.given, *wanted.needed, *wanted.allowed}
    if strange := sorted(used - known):
        return f"{holes(strange)} can't be filled {where}; use {holes(sorted(known))} only"
    in_words = {name for name, value in wanted.given.items() if str(value) in text}
    needed = (*wanted.given, *wanted.needed)
    if missing := [name for name in needed if name not in used | in_words]:
        return f"does not say {holes(missing)}; write it, or give {ours}"
    return trial_flaw(text, (*wanted.allowed, *wanted.needed), wanted.given, needed, load)


def trial_flaw(
    text: str, made_up: Collection[str], given: Mapping[str, object], needed: Collection[str], load: Load | None = None
) -> str | None:
    """What is wrong with a template whose syntax and holes are sound, found by rendering it; None where nothing is.

    `made_up`: the holes that any words may fill; `given`: those of known values; `needed`: what must be seen in the
    end. Without `load` what imports examples is not rendered. Needs Jinja: raises `ModuleNotFoundError` without it.
    """
    from jinja2 import DictLoader, FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, loader=FunctionLoader(load) if load else DictLoader({})
    )
    imported = imported_by(text)
    if strange := sorted(imported - {*EXAMPLES}):
        return f"imports {', '.join(strange)}; only {' and '.join(EXAMPLES)} can be imported"
    if imported and load is None:
        return None
    marks = _marks(text, made_up, given)
    filled = {hole: _words(hole, own) for hole, own in marks.items()}
    try:
        said = environment.from_string(text).render(**filled, **given)
    except Exception as error:  # a template calls what it likes: 1/0 is no error of Jinja's
        return f"can't be rendered ({reason(error)}); mend it"
    seen = {hole: any(mark in said for mark in own) for hole, own in marks.items()}
    seen |= {hole: str(value) in said for hole, value in given.items()}
    unseen = [hole for hole in needed if not seen[hole]]
    return f"does not show {holes(unseen)} when it is rendered; show it under no condition" if unseen else None


def imported_by(text: str) -> set[str]:
    """The names of the templates that a text imports or includes; of one that is worked out, what says so."""
    from jinja2 import Environment, meta

    names = meta.find_referenced_templates(Environment().parse(text))
    return {name or "a template whose name is worked out" for name in names}


def reason(error: Exception) -> str:
    """An error's words in one line; its kind where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def holes(names: Collection[str]) -> str:
    """Names as a template spells them."""
    return " and ".join(f"{{{{ {name} }}}}" for name in names)


def _variables(text: str) -> set[str]:
    """The holes of a template."""
    from jinja2 import Environment, meta

    return meta.find_undeclared_variables(Environment().parse(text))


def _marks(text: str, made_up: Collection[str], given: Mapping[str, object]) -> dict[str, list[str]]:
    """Hole -> numbers that nothing else in the rendered text can hold. Digits survive most filters: case, escaping."""
    values = [str(value) for value in given.values() if str(value)]
    free = _free(text, values)
    return {hole: [next(free) for _ in range(1 if hole in ONE_LINE else 3)] for hole in made_up}


def _free(text: str, values: Collection[str]) -> Iterator[str]:
    return (mark for n in count(220) if (mark := str(n)) not in text and not any(value in mark for value in values))


def _words(hole: str, marks: list[str]) -> str:
    return marks[0] if hole in ONE_LINE else "\n".join(f"{mark} is what a line of the {hole} says." for mark in marks)
