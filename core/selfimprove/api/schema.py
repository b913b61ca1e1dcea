"""What a field of the resource may hold, in words: read off the models, so that messages never drift from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from selfimprove.api.base import PATTERNS
from selfimprove.api.spec import Run

Path = Sequence[str | int]
Schema = dict[str, Any]


def dotted(path: Path) -> str:
    """A path as messages spell it: `spec.verification.methods[0].type`."""
    text = ""
    for step in path:
        plain = isinstance(step, str) and step.replace("_", "a").replace("-", "a").isalnum()
        text += f".{step}" if plain else f"[{step}]"
    return text.removeprefix(".")


def schema_at(path: Path) -> Schema | None:
    """The JSON schema of what may stand at a path; None where nothing may."""
    schema: Schema | None = _run_schema()
    for step in path:
        schema = None if schema is None else _child(schema, step)
    return None if schema is None else _resolved(schema)


def fields_at(path: Path) -> list[str]:
    """The names of the fields that an object at a path may have; none for a free map."""
    return list((schema_at(path) or {}).get("properties", {}))


def paths_of(name: str) -> list[str]:
    """The outermost places in the spec where a field of that name stands, outside of lists and maps."""
    found = [path for path in _walk(("spec",)) if path[-1] == name]
    return [dotted(path) for path in found if len(path) == min(map(len, found))]


def expectation(schema: Schema | None) -> str:
    """What may stand there, as the end of a sentence that begins with "give"."""
    if not schema:
        return "something else"
    branches = _branches(schema)
    if len(branches) > 1:
        return _either([expectation(branch) for branch in branches])
    schema = branches[0]
    if choices := choices_of(schema):
        return _either(choices)
    words = _WORDS.get(schema.get("type", ""))
    return words(schema) if words else "something else"


def choices_of(schema: Schema) -> list[str]:
    """The values an enumeration allows, as text; none for anything else."""
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return [str(value) for value in values]


def plain(number: float) -> str:
    """A bound as a person would write it: whole where it is whole, and never with an exponent it was not given."""
    return str(int(number)) if float(number).is_integer() else f"{number:g}"


def _number(kind: str) -> Callable[[Schema], str]:
    return lambda schema: f"{kind}{_range(schema)}"


def _range(schema: Schema) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {plain(low)} to {plain(high)}"
    bounds = (("of at least", low), ("above", above), ("at most", high), ("below", below))
    parts = [f"{words} {plain(bound)}" for words, bound in bounds if bound is not None]
    return " " + ", ".join(parts) if parts else ""


def _text(schema: Schema) -> str:
    if schema.get("pattern") in PATTERNS:
        return PATTERNS[schema["pattern"]]
    examples = schema.get("examples")
    return f"text, as {examples[0]}" if examples else "text"


def _list(schema: Schema) -> str:
    return f"a list of {_plural(expectation(_resolved(schema.get('items', {}))))}"


def _object(schema: Schema) -> str:
    required = schema.get("required", [])
    return f"an object with {' and '.join(required)}" if required else "an object"


_WORDS: dict[str, Callable[[Schema], str]] = {
    "integer": _number("a whole number"),
    "number": _number("a number"),
    "boolean": lambda _: "true or false",
    "string": _text,
    "array": _list,
    "object": _object,
}


def _plural(words: str) -> str:
    article, _, rest = words.partition(" ")
    if article not in ("a", "an"):
        return words
    noun, _, tail = rest.partition(" with ")
    return f"{noun}s" + (f" with {tail}" if tail else "")


def _either(words: list[str]) -> str:
    unique = list(dict.fromkeys(words))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


@cache
def _run_schema() -> Schema:
    return Run.model_json_schema(by_alias=True)


def _resolved(schema: Schema) -> Schema:
    """The schema behind a reference, and without the null that an optional field allows."""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = {**_run_schema()["$defs"][name], **{k: v for k, v in schema.items() if k == "examples"}}
    branches = _branches(schema)
    return _resolved(branches[0]) if len(branches) == 1 and branches[0] is not schema else schema


def _branches(schema: Schema) -> list[Schema]:
    if "anyOf" not in schema:
        return [schema]
    return [_resolved(branch) for branch in schema["anyOf"] if branch.get("type") != "null"]


def _child(schema: Schema, step: str | int) -> Schema | None:
    schema = _resolved(schema)
    if isinstance(step, int):
        return schema.get("items")
    found = schema.get("properties", {}).get(step)
    if found is not None:
        return dict(found)
    free = schema.get("additionalProperties", False)
    return dict(free) if isinstance(free, dict) else ({} if free else None)


def _walk(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name in fields_at(path):
        yield (*path, name)
        yield from _walk((*path, name))
