"""A message that stands at Twilio already: a card, quick replies, or a template that WhatsApp has approved.

Twilio calls it content, with a ContentSid and variables (Twilio: "Content API", "Using variables with Content API").
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from switchboard.errors import Misconfigured

_SID = re.compile(r"HX[0-9a-fA-F]{32}")
MAX_KEY_CHARACTERS = 16
MAX_VALUE_CHARACTERS = 256
MAX_VARIABLES_CHARACTERS = 27_801  # as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Content by its ContentSid, such as `HX` and 32 hex digits. `variables` fill its places: `{"1": "Anna"}`.

    Raises `Misconfigured` for what Twilio would refuse.
    """

    sid: str
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not _SID.fullmatch(self.sid):
            raise Misconfigured("the SID of content is not a valid ContentSid: it must be HX and 32 hex digits")
        if not all(isinstance(text, str) for item in self.variables.items() for text in item):
            raise Misconfigured("the variables of content must be texts, by names that are texts")
        if not all(self.variables):
            raise Misconfigured("a variable of content has no name")
        if any(len(name) > MAX_KEY_CHARACTERS for name in self.variables):
            raise Misconfigured(f"a variable of content has a name of more than {MAX_KEY_CHARACTERS} characters")
        if any(len(value) > MAX_VALUE_CHARACTERS for value in self.variables.values()):
            raise Misconfigured(f"a variable of content has more than {MAX_VALUE_CHARACTERS} characters")
        if len(self.variables_as_json) > MAX_VARIABLES_CHARACTERS:
            raise Misconfigured(f"the variables of content have more than {MAX_VARIABLES_CHARACTERS} characters")

    @property
    def variables_as_json(self) -> str:
        """The variables as Twilio takes them."""
        return json.dumps(dict(self.variables))
