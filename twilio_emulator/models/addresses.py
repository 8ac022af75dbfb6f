"""Addresses on channels: their format, the addresses of the account, and their configurations."""

import re
from dataclasses import replace

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError, not_found
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.resources import AddressConfiguration, AutoCreation, Channel

# The addresses that an account has from the start.
SMS_NUMBER = "+12025550100"
WHATSAPP_NUMBER = "whatsapp:+12025550101"

# A WhatsApp address is opaque: it may contain a user name instead of a number (Twilio, "WhatsApp key concepts", 2026).
_PHONE = r"\+[1-9][0-9]{6,14}"
# A short code has 3 to 8 digits, by its country, and no plus sign. Twilio's OpenAPI description names short codes as
# addresses of a configuration (`AddressCountry`). That a participant may have one on either side is assumed: the pages
# of 50407 and 50408 name only E.164, as an example.
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_OPAQUE = r"[^\s:]{1,240}"
_PATTERNS = {
    Channel.SMS: re.compile(rf"{_PHONE}|{_SHORT_CODE.pattern}"),
    Channel.WHATSAPP: re.compile(rf"whatsapp:{_OPAQUE}"),
    Channel.RCS: re.compile(rf"rcs:{_OPAQUE}"),
    Channel.MESSENGER: re.compile(rf"messenger:{_OPAQUE}"),
}


def channel_of(address: str) -> Channel | None:
    """Return the channel of an address; None if it is not a valid address.

    A short code may also be the identity of a visitor to a web chat, such as `1001`: ask only where it is an address.
    """
    return next((channel for channel, pattern in _PATTERNS.items() if pattern.fullmatch(address)), None)


def is_short_code(address: str) -> bool:
    """Tell whether an address is a short code."""
    return _SHORT_CODE.fullmatch(address) is not None


def add_to_account(backend: Backend, address: str) -> str:
    """Add a phone number, a short code or a sender to the account, and return its SID."""
    prefix = "PN" if channel_of(address) is Channel.SMS else "XE"
    if is_short_code(address):
        prefix = "SC"
    return backend.state.numbers.setdefault(address, backend.new_sid(prefix))


def channel_of_pair(backend: Backend, address: str, proxy_address: str) -> Channel:
    """Return the channel of a participant's address pair; raise Twilio's error if the pair is not valid."""
    if not address:
        raise TwilioError(50411)
    if not proxy_address:
        raise TwilioError(50412)
    channel, proxy_channel = channel_of(address), channel_of(proxy_address)
    if channel is None:
        raise TwilioError(50407)
    if proxy_channel is None:
        raise TwilioError(50408)
    if address == proxy_address:
        raise TwilioError(50409)
    if channel is not proxy_channel:
        raise TwilioError(50414)
    if proxy_address not in backend.state.numbers:
        raise TwilioError(50415 if channel is Channel.WHATSAPP else 50413)
    return channel


def configure(
    backend: Backend,
    *,
    type: str,  # noqa: A002 -- Twilio's word
    address: str,
    friendly_name: str = "",
    address_country: str | None = None,
    auto_creation: AutoCreation | None = None,
) -> AddressConfiguration:
    """Add an address configuration.

    An address can have only one. Twilio does not document the error code for a second one; here it is 20422.
    """
    if find_configuration(backend, address):
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: this Address already has a configuration")
    _require_service(backend, auto_creation)
    now = backend.clock()
    configuration = AddressConfiguration(
        sid=backend.new_sid("IG"),
        type=type,
        address=address,
        friendly_name=friendly_name,
        address_country=address_country,
        auto_creation=auto_creation or AutoCreation(),
        date_created=now,
        date_updated=now,
    )
    backend.state.addresses[configuration.sid] = configuration
    return configuration


def fetch(backend: Backend, sid: str) -> AddressConfiguration:
    """Return an address configuration, by SID or address."""
    configuration = backend.state.addresses.get(sid) or find_configuration(backend, sid)
    if configuration is None:
        raise not_found(f"/Configuration/Addresses/{sid}")
    return configuration


def find_configuration(backend: Backend, address: str) -> AddressConfiguration | None:
    """Return the configuration of an address; None if it has none."""
    return next((each for each in backend.state.addresses.values() if each.address == address), None)


def update(
    backend: Backend, sid: str, *, friendly_name: str | None = None, auto_creation: AutoCreation
) -> AddressConfiguration:
    """Change an address configuration; a name of None leaves it unchanged."""
    _require_service(backend, auto_creation)
    configuration = backend.state.addresses[sid]
    changed = replace(
        configuration,
        friendly_name=configuration.friendly_name if friendly_name is None else friendly_name,
        auto_creation=auto_creation,
        date_updated=backend.clock(),
    )
    backend.state.addresses[sid] = changed
    return changed


def delete(backend: Backend, sid: str) -> None:
    """Remove an address configuration; messages to the address no longer open conversations."""
    del backend.state.addresses[sid]


def _require_service(backend: Backend, auto_creation: AutoCreation | None) -> None:
    service_sid = auto_creation.conversation_service_sid if auto_creation else None
    if service_sid is not None and service_sid not in backend.state.services:
        raise TwilioError(50050)
