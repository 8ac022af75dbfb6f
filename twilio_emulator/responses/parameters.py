"""Request parameters, with the types of Twilio's OpenAPI description; an unknown one is 20001, an invalid one 20422."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import parse_qsl

from twilio_emulator.exceptions import INVALID_PARAMETER, UNKNOWN_PARAMETER, TwilioError

MAX_FIELDS = 1000
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?)?")
_URL = re.compile(r"https?://\S+")
_INTEGER = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a query or a form; an array is a name that is given several times."""

    values: Mapping[str, tuple[str, ...]]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def reject_unknown(self, names: Collection[str]) -> None:
        """Raise 20001 for a parameter with any other name: otherwise a misspelt one would be ignored unnoticed."""
        for name in self.values:
            if name not in names:
                raise TwilioError(UNKNOWN_PARAMETER, f"Unknown parameter {name[:100]}")

    def text(self, name: str) -> str | None:
        """Return a value; None if the parameter is missing."""
        values = self.values.get(name, ())
        if len(values) > 1:
            raise invalid_parameter(name, "must not be given more than once")
        return values[0] if values else None

    def required(self, name: str) -> str:
        """Return a value that must not be missing or empty."""
        value = self.text(name)
        if not value:
            raise invalid_parameter(name, "is required")
        return value

    def array(self, name: str) -> tuple[str, ...] | None:
        """Return all values of an array; None if the parameter is missing."""
        return self.values.get(name)

    def sid(self, name: str, prefix: str) -> str | None:
        """Return a SID with this prefix."""
        value = self.text(name)
        if value and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value):
            raise invalid_parameter(name, f"must be a SID: {prefix} and 32 hexadecimal digits")
        return value

    def url(self, name: str) -> str | None:
        """Return a URL; an empty value removes the current one."""
        value = self.text(name)
        if value and not _URL.fullmatch(value):
            raise invalid_parameter(name, "must be an http or https URL")
        return value

    def choice[Choice: StrEnum](self, name: str, choices: type[Choice]) -> Choice | None:
        """Return a member of an enumeration."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            raise invalid_parameter(name, f"must be one of {', '.join(choices)}") from None

    def boolean(self, name: str) -> bool | None:
        """Return true or false."""
        value = self.text(name)
        if value is not None and value.lower() not in {"true", "false"}:
            raise invalid_parameter(name, "must be true or false")
        return None if value is None else value.lower() == "true"

    def integer(self, name: str) -> int | None:
        """Return an integer."""
        value = self.text(name)
        if value is not None and not _INTEGER.fullmatch(value):
            raise invalid_parameter(name, "must be an integer")
        return None if value is None else int(value)

    def timestamp(self, name: str) -> datetime | None:
        """Return an ISO 8601 date or time; without an offset it is UTC."""
        value = self.text(name)
        if not value:
            return None
        if not _TIMESTAMP.fullmatch(value):
            raise invalid_parameter(name, "must be an ISO 8601 date or time")
        try:
            parsed = datetime.fromisoformat(value)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            raise invalid_parameter(name, "must be an ISO 8601 date or time") from None


def invalid_parameter(name: str, why: str) -> TwilioError:
    """Return Twilio's error for an invalid parameter."""
    return TwilioError(INVALID_PARAMETER, f"Invalid parameter: {name} {why}")


def parse(encoded: str) -> Parameters:
    """Parse a query string or a form body."""
    try:
        return _collect(parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError:
        raise TwilioError(
            INVALID_PARAMETER, f"The parameters must be a URL-encoded UTF-8 form of at most {MAX_FIELDS} fields"
        ) from None


def _collect(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Return the parameters in a list of name and value pairs."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value)
    return Parameters(values)
