"""Content templates and what becomes of their variables."""

import json
import re
from collections.abc import Mapping

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models.backend import World
from twilio_emulator.models.resources import Content

MOST_VARIABLES = 27_801
MOST_KEY = 16
MOST_VALUE = 256

_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


def create(world: World, *, friendly_name: str, language: str, variables: Mapping[str, str], body: str) -> Content:
    """Add a template."""
    content = Content(
        sid=world.new_sid("HX"),
        friendly_name=friendly_name,
        language=language,
        variables=dict(variables),
        body=body,
        date_created=world.clock(),
    )
    world.state.contents[content.sid] = content
    return content


def fetch(world: World, sid: str) -> Content:
    """Return a template."""
    content = world.state.contents.get(sid)
    if content is None:
        raise not_found(f"/Content/{sid}")
    return content


def render(world: World, sid: str | None, variables: str | None) -> str | None:
    """Return the text of a template with its variables filled in; None where no template is named."""
    if not sid:
        if variables:
            raise TwilioError(50528)
        return None
    if not _SID.fullmatch(sid) or sid not in world.state.contents:
        raise TwilioError(50526)
    content = world.state.contents[sid]
    values = {**content.variables, **_variables(variables)}
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), content.body)


def _variables(text: str | None) -> Mapping[str, str]:
    if not text:
        return {}
    if len(text) > MOST_VARIABLES:
        raise TwilioError(50529)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise TwilioError(50527) from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise TwilioError(50527)
    if any(len(key) > MOST_KEY for key in values):
        raise TwilioError(50540)
    if any(len(value) > MOST_VALUE for value in values.values()):
        raise TwilioError(50541)
    return values
