"""The X-Twilio-Signature header (Twilio, "Webhooks security")."""

import base64
import hmac
from collections.abc import Iterable


def signature(auth_token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """Return the signature of a URL, exactly as configured, and of form fields.

    The fields are sorted by name and value; a value that a name has twice counts once.
    """
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()
