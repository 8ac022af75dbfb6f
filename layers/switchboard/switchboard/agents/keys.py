"""The keys and base URLs of models' providers, by the names that the providers give them, such as OPENAI_API_KEY."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from switchboard.errors import Misconfigured


def _nothing() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What stands in the secret, else in the environment. `refresh` reads the secret anew, after a provider's 401."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: Callable[[], Mapping[str, str]] = _nothing
    refresh: Callable[[], object] = _nothing

    def get(self, *names: str) -> str:
        """Return the first of these that is set; empty, if none is."""
        values = (source.get(name, "").strip() for name in names for source in (self.secret(), self.environment))
        return next(filter(None, values), "")

    def base_url(self, name: str) -> str | None:
        """Return a URL, or None where it is not set; raise `Misconfigured` for anything else."""
        url = self.get(name)
        if url and not re.match(r"https?://[^/]", url):
            raise Misconfigured(f"{name} must be a URL that begins with http:// or https://")
        return url or None
