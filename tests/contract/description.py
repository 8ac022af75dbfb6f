"""Checks every REST call of the emulator's tests against Twilio's OpenAPI description.

Path, method, names and types of parameters, status and body must match. The description contradicts some of its own
examples, which have null in a field that is not nullable; there, null is accepted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator, FormatChecker

DESCRIPTION = Path(__file__).parents[3] / "shared" / "reference" / "twilio_conversations_v1.json"
_DESCRIBED = re.compile(r"/v1/(Conversation|Services|Configuration|Participant|Users|Roles)")
_NOT_DESCRIBED = re.compile(r"/v1/Services/[^/]+/Media")
_PAGING = {"PageSize", "Page", "PageToken"}
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time")
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value))


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.match(r"https?://", value))


class NotAsDescribed(AssertionError):
    """A request or a response does not match Twilio's description."""


def is_available() -> bool:
    return DESCRIPTION.exists()


def check(method: str, url: str, data: object, status: int, body: str) -> None:
    """Check one call. The description does not cover errors; they must have Twilio's error format."""
    path = urlsplit(url).path
    if not is_available() or not _DESCRIBED.match(path) or _NOT_DESCRIBED.match(path):
        return
    if status >= 400:
        _check_error(path, status, json.loads(body))
        return
    template, operation = _operation(method, path)
    query = [(name, value) for name, value in parse_qsl(urlsplit(url).query) if name not in _PAGING]
    _check_parameters(template, query, {each["name"]: each["schema"] for each in operation.get("parameters", ())})
    _check_parameters(template, _pairs(data), _form(operation))
    _check_answer(template, operation, status, body)


def _check_error(path: str, status: int, error: Mapping[str, Any]) -> None:
    if set(error) != {"code", "message", "more_info", "status"} or error["status"] != status:
        raise NotAsDescribed(f"{path}: {error} does not have Twilio's error format")


def _check_parameters(template: str, pairs: list[tuple[str, str]], described: Mapping[str, Any]) -> None:
    for name, value in pairs:
        if name not in described:
            raise NotAsDescribed(f"{template} has no parameter {name}")
        schema = described[name]
        item = schema["items"] if schema.get("type") == "array" else schema
        typed: object = int(value) if item.get("type") == "integer" and re.fullmatch(r"-?\d+", value) else value
        typed = value == "true" if item.get("type") == "boolean" else typed
        without_format = {key: rule for key, rule in _json_schema(item).items() if key != "format"}
        _validate(f"{template} {name}", typed, without_format)


def _check_answer(template: str, operation: Mapping[str, Any], status: int, body: str) -> None:
    answer = operation["responses"].get(str(status))
    if answer is None:
        raise NotAsDescribed(f"{template} must not respond with {status}")
    if "content" not in answer:
        if body:
            raise NotAsDescribed(f"{template} must have no body with status {status}")
        return
    _validate(template, json.loads(body), _json_schema(answer["content"]["application/json"]["schema"]))


def _validate(where: str, value: object, schema: Mapping[str, Any]) -> None:
    errors = Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value)
    if faults := [f"{'/'.join(map(str, error.path))}: {error.message}" for error in errors]:
        raise NotAsDescribed(f"{where}: {'; '.join(faults)}")


def _pairs(data: object) -> list[tuple[str, str]]:
    if isinstance(data, Mapping):
        return [
            (name, str(each))
            for name, value in data.items()
            for each in (value if isinstance(value, list | tuple) else [value])
        ]
    return parse_qsl(data, keep_blank_values=True) if isinstance(data, str) else []


def _form(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    properties: Mapping[str, Any] = (
        content.get("application/x-www-form-urlencoded", {}).get("schema", {}).get("properties", {})
    )
    return properties


def _operation(method: str, path: str) -> tuple[str, Mapping[str, Any]]:
    for pattern, template, operations in _paths():
        if pattern.fullmatch(path) and method.lower() in operations:
            return f"{method} {template}", operations[method.lower()]
    raise NotAsDescribed(f"{method} {path} is not in the description")


@cache
def _description() -> Mapping[str, Any]:
    described: Mapping[str, Any] = json.loads(DESCRIPTION.read_text())
    return described


@cache
def _paths() -> list[tuple[re.Pattern[str], str, Mapping[str, Any]]]:
    paths = sorted(_description()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path, methods) for path, methods in paths]


@cache
def _null_in_an_example() -> frozenset[str]:
    """Return the names of fields that are null in an example."""
    return frozenset(_nulls(_description()["paths"]))


def _nulls(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if inner is None:
                yield name
            yield from _nulls(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nulls(inner)


def _json_schema(schema: Mapping[str, Any], *, may_be_null: bool = False) -> dict[str, Any]:
    """Convert an OpenAPI 3.0 schema to JSON Schema; fields that are not described are not allowed."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _json_schema(_description()["components"]["schemas"][name], may_be_null=may_be_null)
    converted = {key: schema[key] for key in ("enum", "format", "pattern") if key in schema}
    nullable = may_be_null or schema.get("nullable", False)
    if "type" in schema:
        converted["type"] = [schema["type"], "null"] if nullable else schema["type"]
    if "enum" in converted and nullable:
        converted["enum"] = [*converted["enum"], None]
    if "items" in schema:
        converted["items"] = _json_schema(schema["items"])
    if "properties" in schema:
        converted["additionalProperties"] = False
        converted["properties"] = {
            name: _json_schema(inner, may_be_null=name in _null_in_an_example())
            for name, inner in schema["properties"].items()
        }
    return converted
