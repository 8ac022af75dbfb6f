"""Read template.yaml: the local stack takes its queues, tables, functions and environment variables from there alone.

Supported are parameters with defaults, conditions, and the intrinsic functions in `Template._intrinsic`. Anything else
raises `UnsupportedTemplate`, which names it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

type Value = Any  # YAML: strings, numbers, lists and mappings, nested
type PhysicalNames = Callable[[str, str], str]  # (logical id, attribute or "Ref") → the value on AWS

FUNCTION = "AWS::Serverless::Function"
NO_VALUE = object()
PSEUDO_PARAMETERS: Mapping[str, object] = {
    "AWS::AccountId": "000000000000",
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "switchboard-local",
    "AWS::URLSuffix": "amazonaws.com",
}


class UnsupportedTemplate(Exception):
    """The template uses something that the local stack does not support."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, as their long forms: `!Ref X` becomes `{"Ref": "X"}`."""


def _construct_tag(loader: _Loader, suffix: str, node: yaml.Node) -> Value:
    value: Value
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise UnsupportedTemplate(f"the template has !{suffix} on something that is not a value, a list or a mapping")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _construct_tag)


def read_parameters(path: Path) -> Mapping[str, Mapping[str, Value]]:
    """Return the parameters that a template declares: their properties by their name."""
    parameters: Mapping[str, Mapping[str, Value]] = _load(path).get("Parameters", {})
    return parameters


def _load(path: Path) -> dict[str, Value]:
    document: dict[str, Value] = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 -- _Loader is a SafeLoader
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template with values for its parameters. The argument `physical` of its methods names the resources."""

    resources: Mapping[str, Value]
    mappings: Mapping[str, Value]
    function_globals: Mapping[str, Value]
    conditions: Mapping[str, Value]
    parameters: Mapping[str, str]

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        parameters: Mapping[str, str],
        changes: Mapping[tuple[str, str], object] | None = None,
    ) -> Self:
        """Read a template; `parameters` replace its defaults, `changes` its properties, by (logical id, property)."""
        document = _load(path)
        declared = document.get("Parameters", {})
        if unknown := parameters.keys() - declared.keys():
            raise UnsupportedTemplate(f"{path.name} declares no parameter {', '.join(sorted(unknown))}")
        for name, given in parameters.items():
            allowed = [str(each) for each in declared[name].get("AllowedValues", [given])]
            if given not in allowed:
                raise UnsupportedTemplate(f"{name} is {given}, and {path.name} allows {', '.join(allowed)}")
        defaults = {name: str(declaration.get("Default", "")) for name, declaration in declared.items()}
        resources = document["Resources"]
        for (logical_id, name), value in (changes or {}).items():
            resources[logical_id].setdefault("Properties", {})[name] = value
        return cls(
            resources=resources,
            mappings=document.get("Mappings", {}),
            function_globals=document.get("Globals", {}).get("Function", {}),
            conditions=document.get("Conditions", {}),
            parameters={**defaults, **parameters},
        )

    def of_type(self, kind: str, physical: PhysicalNames) -> Iterator[tuple[str, dict[str, Value]]]:
        """Yield the logical id and the resolved properties of every resource of a type, in the template's order."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == kind and self._is_created(resource, physical):
                yield logical_id, self.resolve(resource.get("Properties", {}), physical)

    def functions(self, physical: PhysicalNames) -> Iterator[tuple[str, dict[str, Value]]]:
        """Yield the logical id and the resolved properties of every function, with Globals, without Policies."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == FUNCTION and self._is_created(resource, physical):
                yield logical_id, self._function(resource["Properties"], physical)

    def resolve(self, value: Value, physical: PhysicalNames) -> Value:
        """Return a value with every intrinsic function in it replaced by its result."""
        match value:
            case {"Ref": str(name), **rest} if not rest:
                return self._ref(name, physical)
            case {"Condition": str(name), **rest} if not rest:
                return self._evaluate(name, physical)
            case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
                ((function, argument),) = value.items()
                return self._intrinsic(function, argument, physical)
            case dict():
                resolved = {name: self.resolve(item, physical) for name, item in value.items()}
                return {name: item for name, item in resolved.items() if item is not NO_VALUE}
            case list():
                items = [self.resolve(item, physical) for item in value]
                return [item for item in items if item is not NO_VALUE]
            case _:
                return value

    def _function(self, properties: Mapping[str, Value], physical: PhysicalNames) -> dict[str, Value]:
        own = {name: value for name, value in properties.items() if name != "Policies"}
        environments = [part.get("Environment", {}).get("Variables", {}) for part in (self.function_globals, own)]
        joined = {"Environment": {"Variables": environments[0] | environments[1]}}
        resolved: dict[str, Value] = self.resolve({**self.function_globals, **own, **joined}, physical)
        return resolved

    def _is_created(self, resource: Mapping[str, Value], physical: PhysicalNames) -> bool:
        return "Condition" not in resource or self._evaluate(resource["Condition"], physical)

    def _ref(self, name: str, physical: PhysicalNames) -> Value:
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        return self.parameters[name] if name in self.parameters else physical(name, "Ref")

    def _evaluate(self, condition: str, physical: PhysicalNames) -> bool:
        return bool(self.resolve(self.conditions[condition], physical))

    def _intrinsic(self, function: str, argument: Value, physical: PhysicalNames) -> Value:
        match function, argument:
            case "Fn::If", [str(condition), yes, no]:
                return self.resolve(yes if self._evaluate(condition, physical) else no, physical)
            case "Fn::GetAtt", [str(logical_id), str(attribute)]:
                return physical(logical_id, attribute)
            case "Fn::Sub", str(text):
                return self._substitute(text, {}, physical)
            case "Fn::Sub", [str(text), dict(names)]:
                return self._substitute(text, self.resolve(names, physical), physical)
        return self._of_resolved(function, self.resolve(argument, physical))

    def _of_resolved(self, function: str, argument: Value) -> Value:
        match function, argument:
            case "Fn::Equals", [left, right]:
                return str(left) == str(right)
            case "Fn::Not", [condition]:
                return not condition
            case "Fn::And", list(conditions):
                return all(conditions)
            case "Fn::Or", list(conditions):
                return any(conditions)
            case "Fn::FindInMap", [str(name), key, str(second)]:
                return self._find(name, str(key), second)
            case "Fn::Join", [str(delimiter), list(parts)]:
                return delimiter.join(str(part) for part in parts)
        raise UnsupportedTemplate(f"the local stack does not support {function} as the template uses it")

    def _find(self, name: str, key: str, second: str) -> Value:
        try:
            return self.mappings[name][key][second]
        except KeyError:
            raise UnsupportedTemplate(f"the template's mapping {name} has no {second} of {key}") from None

    def _substitute(self, text: str, names: Mapping[str, Value], physical: PhysicalNames) -> str:
        def value_of(found: re.Match[str]) -> str:
            name = found[1]
            if name in names:
                return str(names[name])
            logical_id, dot, attribute = name.partition(".")
            return physical(logical_id, attribute) if dot else str(self._ref(name, physical))

        return re.sub(r"\$\{([^!}][^}]*)\}", value_of, text).replace("${!", "${")
