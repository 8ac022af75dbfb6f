"""Addresses on channels: what they look like, whose they are, and which open conversations by themselves."""

import re
from dataclasses import replace

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError, not_found
from twilio_emulator.models.backend import World
from twilio_emulator.models.resources import AddressConfiguration, AutoCreation, Channel

# A WhatsApp address is opaque: a user name may stand where a number did (Twilio, WhatsApp key concepts, 2026).
_PHONE = r"\+[1-9][0-9]{6,14}"
_OPAQUE = r"[^\s:]{1,240}"
_FORMS = {
    Channel.SMS: re.compile(_PHONE),
    Channel.WHATSAPP: re.compile(rf"whatsapp:{_OPAQUE}"),
    Channel.RCS: re.compile(rf"rcs:{_OPAQUE}"),
    Channel.MESSENGER: re.compile(rf"messenger:{_OPAQUE}"),
}


def channel_of(address: str) -> Channel | None:
    """Return the channel an address belongs to; None if it is no address."""
    return next((channel for channel, form in _FORMS.items() if form.fullmatch(address)), None)


def own(world: World, address: str) -> str:
    """Make an address the account's: a phone number it bought, or a sender it registered. Return its SID."""
    prefix = "PN" if channel_of(address) is Channel.SMS else "XE"
    return world.state.numbers.setdefault(address, world.new_sid(prefix))


def pair(world: World, address: str, proxy_address: str) -> Channel:
    """Return the channel of a customer's address and ours; Twilio's error where they do not go together."""
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
    if proxy_address not in world.state.numbers:
        raise TwilioError(50415 if channel is Channel.WHATSAPP else 50413)
    return channel


def configure(
    world: World,
    *,
    type: str,  # noqa: A002 -- Twilio's word
    address: str,
    friendly_name: str = "",
    address_country: str | None = None,
    auto_creation: AutoCreation | None = None,
) -> AddressConfiguration:
    """Add an address configuration; an address has one. Which code Twilio refuses a second with is not documented."""
    if configured(world, address):
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: Address is configured already")
    _known_service(world, auto_creation)
    now = world.clock()
    configuration = AddressConfiguration(
        sid=world.new_sid("IG"),
        type=type,
        address=address,
        friendly_name=friendly_name,
        address_country=address_country,
        auto_creation=auto_creation or AutoCreation(),
        date_created=now,
        date_updated=now,
    )
    world.state.addresses[configuration.sid] = configuration
    return configuration


def fetch(world: World, sid: str) -> AddressConfiguration:
    """Return an address configuration, by SID or address."""
    configuration = world.state.addresses.get(sid) or configured(world, sid)
    if configuration is None:
        raise not_found(f"/Configuration/Addresses/{sid}")
    return configuration


def configured(world: World, address: str) -> AddressConfiguration | None:
    """Return the configuration of an address of ours, if it has one."""
    return next((each for each in world.state.addresses.values() if each.address == address), None)


def update(
    world: World, sid: str, *, friendly_name: str | None = None, auto_creation: AutoCreation
) -> AddressConfiguration:
    """Change an address configuration; None leaves the name as it is."""
    _known_service(world, auto_creation)
    configuration = world.state.addresses[sid]
    changed = replace(
        configuration,
        friendly_name=configuration.friendly_name if friendly_name is None else friendly_name,
        auto_creation=auto_creation,
        date_updated=world.clock(),
    )
    world.state.addresses[sid] = changed
    return changed


def delete(world: World, sid: str) -> None:
    """Remove an address configuration; texts to the address open no more conversations."""
    del world.state.addresses[sid]


def _known_service(world: World, auto_creation: AutoCreation | None) -> None:
    service_sid = auto_creation.conversation_service_sid if auto_creation else None
    if service_sid is not None and service_sid not in world.state.services:
        raise TwilioError(50050)
