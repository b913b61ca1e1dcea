"""Whether a program computes nothing: all it does is to print an answer that stands in it.

The counterpart of `bare` for Program-of-Thought: names, comments and functions around `print(72)` are no way to 72. A
computation is (`70 + 2` too: nobody can tell it from one that was thought of), and any number beside the answer is, in
a comment as well. Programs are parsed here, never run.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from fractions import Fraction

from selfimprove_workers.guidance.bare import is_bare
from selfimprove_workers.guidance.golds import gold_position, golds_of, without_gold
from selfimprove_workers.guidance.number_words import spoken_numbers
from selfimprove_workers.guidance.several import values_of
from selfimprove_workers.tasks.equality import read
from selfimprove_workers.tasks.numbers import spelled
from selfimprove_workers.tasks.printed import as_written
from selfimprove_workers.tasks.program import FENCES, find_program

_BLOCK = re.compile(
    rf"^[ \t]*(?P<fence>{'|'.join(FENCES)})[^\n]*\n(?P<inner>.*?)(?:^[ \t]*(?P=fence)[^\n]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_COMMENT = re.compile(r"#(.*)")
_STEP = re.compile(r"\b(?:step|part)\s*\d+", re.IGNORECASE)
_FORMAT = re.compile(r"\{[^{}:]*:[^{}]*\}|%[.\d]*[a-z]")
_CONVERTS = frozenset(
    ("print", "int", "str", "float", "bool", "round", "repr", "format", "list", "tuple", "set", "write", "exit")
) | {"Fraction", "Decimal", "Integer", "Rational", "Float"}
_STATES = (
    *(ast.Module, ast.Expr, ast.Assign, ast.AnnAssign, ast.Return, ast.Pass, ast.Global, ast.Import, ast.ImportFrom),
    *(ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.arguments, ast.arg, ast.keyword, ast.alias, ast.If, ast.Eq),
    *(ast.Name, ast.Attribute, ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.expr_context, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.USub, ast.UAdd),
)
"""What a program may be made of that only says its answer."""


def only_prints(said: str, answer: str, option: str | None = None) -> bool:
    """Whether a response is a program that prints an answer it was given, and nothing beside it is a way to that.

    False where it is no program that prints, or none that can be parsed.
    """
    source = find_program(said)
    if source is None or not re.search(r"\b(?:print|write)\b", source.text):
        return False
    known = [*golds_of(answer, option), *_parts(answer)]
    if not _says_nothing_else(source.text, known):
        return False
    beside = (
        _BLOCK.sub(lambda block: "" if _same(block["inner"], source.text) else block[0], said)
        if source.is_marked
        else ""
    )
    if gold_position(beside, answer, option) < len(beside):
        return is_bare(beside, answer, option)
    return not _tells_a_number(beside, known)


def _same(block: str, program: str) -> bool:
    return textwrap.dedent(block).split() == program.split()


def _says_nothing_else(program: str, known: list[str]) -> bool:
    """Whether a program computes nothing and has no number but those known. Hostile text is no program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(program)))
        own = {name for node in nodes for name in _names(node)}
        said = " | ".join([*_COMMENT.findall(program), *_constants(nodes)])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not any(_computes(node, own) for node in nodes) and not _tells_a_number(said, known)


def _computes(node: ast.AST, own: set[str]) -> bool:
    if isinstance(node, ast.Compare):
        return not (isinstance(node.left, ast.Name) and node.left.id == "__name__")
    if isinstance(node, ast.Call):
        return _called(node) not in _CONVERTS | own
    return not (isinstance(node, _STATES) or _is_format(node))


def _is_format(node: ast.AST) -> bool:
    """`"%d clips" % 72`."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
    return isinstance(node, ast.Mod)


def _called(call: ast.Call) -> str:
    called = call.func
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _names(node: ast.AST) -> Iterator[str]:
    """What a program gives a name that it may call."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _constants(nodes: list[ast.AST]) -> Iterator[str]:
    """The constants of a program as they are printed, without those that say how."""
    how = {id(part) for node in nodes for place in _places(node) for part in ast.walk(place)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in how:
            yield as_written(_FORMAT.sub(" ", str(node.value))).replace(r"\cdot", " ")


def _places(node: ast.AST) -> list[ast.expr]:
    """What says to how many places a number is printed."""
    if isinstance(node, ast.FormattedValue):
        return [node.format_spec] if node.format_spec else []
    return node.args[1:] if isinstance(node, ast.Call) and _called(node) in ("round", "format") else []


def _parts(answer: str) -> list[str]:
    """What an answer may be put together from: the values of a list, a number without its sign, both of a fraction."""
    quantity = read(answer).quantity
    if quantity is None:
        return values_of(answer)
    value = abs(Fraction(quantity.value))
    over = [value.numerator, value.denominator] if value.denominator > 1 else []
    return [spelled(quantity).removeprefix("-"), *map(str, over)]


def _tells_a_number(text: str, known: list[str]) -> bool:
    rest = _STEP.sub(" ", text)
    for gold in known:
        rest = without_gold(rest, gold)
    return re.search(r"\d", rest) is not None or any(spoken_numbers(rest))
