"""The CEL rules, read from the table in `rules.yaml`, and hung into a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

Schema = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """One rule at one place. `name` tells those of one entry of the table apart: `fixed-model revision`."""

    name: str
    at: str
    rule: str
    message: str
    field: str | None = None

    @property
    def transition(self) -> bool:
        """Whether it compares with the object before, so that only updates are asked."""
        return "oldSelf" in self.rule

    def to_json(self) -> Schema:
        """The rule as `x-kubernetes-validations` has it."""
        result = {"rule": self.rule, "message": self.message}
        if self.field:
            result["fieldPath"] = self.field
        return result


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule at every place it hangs, in the order of the table."""
    text = files("selfimprove.crd").joinpath("rules.yaml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return tuple(rule for name, entry in table.items() for rule in _rules_of(name, entry))


def hang(schema: Schema, rule: Rule) -> None:
    """Add a rule to the node of a root schema that it is about. Raises `KeyError` when there is none."""
    node_at(schema, rule.at).setdefault("x-kubernetes-validations", []).append(rule.to_json())


def node_at(schema: Schema, path: str) -> Schema:
    """The node at `spec.verification.methods[].type`; `[]` goes to a list's entries, `{}` to a map's values."""
    for step in path.replace("[]", ".[]").replace("{}", ".{}").split(".") if path else ():
        if step == "[]":
            schema = schema["items"]
        elif step == "{}":
            schema = schema["additionalProperties"]
        else:
            schema = schema["properties"][step]
    return schema


def _rules_of(name: str, entry: Mapping[str, Any]) -> Iterator[Rule]:
    places = entry["at"] if isinstance(entry["at"], list) else [entry["at"]]
    for place in places:
        for words in entry.get("for", [{}]):
            first = next(iter(words.values()), "")
            field = entry.get("field")
            yield Rule(
                name=f"{name} {first}".strip(),
                at=place,
                rule=_filled(entry["rule"], words) if "rule" in entry else _same(entry["same"]),
                message=_filled(entry["message"], words),
                field=_filled(field, words) if field else None,
            )


def _same(fields: Sequence[str]) -> str:
    """A rule on each field alone would not see it come or go."""
    return " && ".join(
        f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
        for field in fields
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"<{word}>", value)
    return text
