"""Request parameters, read as Twilio's description types them; what does not fit is 20001 or 20422."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import parse_qsl

from twilio_emulator.exceptions import INVALID_PARAMETER, UNKNOWN_PARAMETER, TwilioError

MOST_FIELDS = 1000
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?)?")
_URL = re.compile(r"https?://\S+")
_INTEGER = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Form:
    """Parameters by name, each with all its values: arrays are repeated names."""

    values: Mapping[str, tuple[str, ...]]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def only(self, names: Collection[str]) -> None:
        """Refuse parameters that the resource does not have: a misspelt one would do nothing, unnoticed."""
        for name in self.values:
            if name not in names:
                raise TwilioError(UNKNOWN_PARAMETER, f"Unknown parameter {name[:100]}")

    def text(self, name: str) -> str | None:
        """Return a value; None where the parameter is absent."""
        values = self.values.get(name, ())
        if len(values) > 1:
            raise invalid(name, "is given more than once")
        return values[0] if values else None

    def required(self, name: str) -> str:
        """Return a value that must be there and not be empty."""
        value = self.text(name)
        if not value:
            raise invalid(name, "is required")
        return value

    def many(self, name: str) -> tuple[str, ...] | None:
        """Return all values of an array; None where the parameter is absent."""
        return self.values.get(name)

    def sid(self, name: str, prefix: str) -> str | None:
        """Return a SID of one kind."""
        value = self.text(name)
        if value and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value):
            raise invalid(name, f"is no {prefix} SID")
        return value

    def url(self, name: str) -> str | None:
        """Return a URL to be called; empty takes one away."""
        value = self.text(name)
        if value and not _URL.fullmatch(value):
            raise invalid(name, "is no URL")
        return value

    def choice[Choice: StrEnum](self, name: str, choices: type[Choice]) -> Choice | None:
        """Return one of a closed set."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            raise invalid(name, f"is none of {', '.join(choices)}") from None

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        value = self.text(name)
        if value is not None and value.lower() not in {"true", "false"}:
            raise invalid(name, "is neither true nor false")
        return None if value is None else value.lower() == "true"

    def integer(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.text(name)
        if value is not None and not _INTEGER.fullmatch(value):
            raise invalid(name, "is no whole number")
        return None if value is None else int(value)

    def instant(self, name: str) -> datetime | None:
        """Return an ISO-8601 instant or day, in UTC unless it says otherwise."""
        value = self.text(name)
        if not value:
            return None
        if not _INSTANT.fullmatch(value):
            raise invalid(name, "is no ISO-8601 instant")
        try:
            parsed = datetime.fromisoformat(value)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            raise invalid(name, "is no ISO-8601 instant") from None


def invalid(name: str, why: str) -> TwilioError:
    """Return Twilio's answer for a parameter that does not fit."""
    return TwilioError(INVALID_PARAMETER, f"Invalid parameter: {name} {why}")


def parse(encoded: str) -> Form:
    """Read a query or a form body."""
    try:
        return collect(parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))
    except ValueError:
        raise TwilioError(
            INVALID_PARAMETER, f"The parameters are no UTF-8 form of at most {MOST_FIELDS} fields"
        ) from None


def collect(pairs: Iterable[tuple[str, str]]) -> Form:
    """Return a form of name and value pairs."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        values[name] = (*values.get(name, ()), value)
    return Form(values)
