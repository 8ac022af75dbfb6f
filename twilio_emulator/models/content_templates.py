"""Content templates and their variables."""

import json
import re
from collections.abc import Mapping

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.resources import Content

MAX_VARIABLES_LENGTH = 27_801
MAX_KEY_LENGTH = 16
MAX_VALUE_LENGTH = 256

_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


def create(backend: Backend, *, friendly_name: str, language: str, variables: Mapping[str, str], body: str) -> Content:
    """Add a template."""
    content = Content(
        sid=backend.new_sid("HX"),
        friendly_name=friendly_name,
        language=language,
        variables=dict(variables),
        body=body,
        date_created=backend.clock(),
    )
    backend.state.contents[content.sid] = content
    return content


def fetch(backend: Backend, sid: str) -> Content:
    """Return a template."""
    content = backend.state.contents.get(sid)
    if content is None:
        raise not_found(f"/Content/{sid}")
    return content


def render(backend: Backend, sid: str | None, variables: str | None) -> str | None:
    """Return the text of a template with its variables replaced; None if no template is given."""
    if not sid:
        if variables:
            raise TwilioError(50528)
        return None
    if not _SID.fullmatch(sid) or sid not in backend.state.contents:
        raise TwilioError(50526)
    content = backend.state.contents[sid]
    values = {**content.variables, **_variables(variables)}
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), content.body)


def _variables(text: str | None) -> Mapping[str, str]:
    if not text:
        return {}
    if len(text) > MAX_VARIABLES_LENGTH:
        raise TwilioError(50529)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise TwilioError(50527) from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise TwilioError(50527)
    if any(len(key) > MAX_KEY_LENGTH for key in values):
        raise TwilioError(50540)
    if any(len(value) > MAX_VALUE_LENGTH for value in values.values()):
        raise TwilioError(50541)
    return values
