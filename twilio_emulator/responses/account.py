"""What exists once an account: the account itself, its numbers, its defaults."""

from dataclasses import replace

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import addresses, validation
from twilio_emulator.models.resources import AccountConfiguration, Channel
from twilio_emulator.responses.parameters import invalid
from twilio_emulator.responses.request import JSON, Answer, Call, created, found


async def fetch(call: Call) -> Answer:
    """Return the account whose credentials these are."""
    sid = _own_sid(call)
    return found(
        {
            "sid": sid,
            "owner_account_sid": sid,
            "friendly_name": "Emulated account",
            "status": "active",
            "type": "Full",
            "uri": f"/2010-04-01/Accounts/{sid}.json",
        }
    )


async def numbers(call: Call) -> Answer:
    """Return the account's phone numbers, all on one page."""
    call.query.only({"PhoneNumber", "PageSize", "Page", "PageToken"})
    sid, wanted = _own_sid(call), call.query.text("PhoneNumber")
    rows = [
        _number_body(call, number)
        for number in call.world.state.numbers
        if addresses.channel_of(number) is Channel.SMS and wanted in {None, number}
    ]
    return found(
        {
            "incoming_phone_numbers": rows,
            "page": 0,
            "page_size": max(50, len(rows)),
            "start": 0,
            "end": max(0, len(rows) - 1),
            "next_page_uri": None,
            "previous_page_uri": None,
            "first_page_uri": f"/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json",
            "uri": f"/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json",
        }
    )


async def buy_number(call: Call) -> Answer:
    """Give the account a phone number; here every number is for sale."""
    _own_sid(call)
    call.form.only({"PhoneNumber", "FriendlyName"})
    number = call.form.required("PhoneNumber")
    if addresses.channel_of(number) is not Channel.SMS:
        raise invalid("PhoneNumber", "is no phone number in E.164 form")
    addresses.own(call.world, number)
    return created(_number_body(call, number))


async def fetch_configuration(call: Call) -> Answer:
    """Return the account's defaults."""
    return found(_configuration_body(call, call.world.state.configuration))


async def update_configuration(call: Call) -> Answer:
    """Change the account's defaults."""
    form = call.form
    form.only({"DefaultChatServiceSid", "DefaultMessagingServiceSid", "DefaultInactiveTimer", "DefaultClosedTimer"})
    before = call.world.state.configuration
    service_sid = form.sid("DefaultChatServiceSid", "IS") or before.default_chat_service_sid
    if service_sid not in call.world.state.services:
        raise TwilioError(50050)
    inactive, closed = form.text("DefaultInactiveTimer"), form.text("DefaultClosedTimer")
    validation.inactive_timer(inactive or validation.NEVER)
    validation.closed_timer(closed or validation.NEVER)
    changed = replace(
        before,
        default_chat_service_sid=service_sid,
        default_messaging_service_sid=form.sid("DefaultMessagingServiceSid", "MG")
        or before.default_messaging_service_sid,
        default_inactive_timer=before.default_inactive_timer if inactive is None else inactive or None,
        default_closed_timer=before.default_closed_timer if closed is None else closed or None,
    )
    call.world.state.configuration = changed
    return found(_configuration_body(call, changed))


def _own_sid(call: Call) -> str:
    sid = call.parts["account_sid"]
    if sid != call.world.account_sid:
        raise not_found(f"/2010-04-01/Accounts/{sid}.json")
    return sid


def _number_body(call: Call, number: str) -> JSON:
    sid = call.world.state.numbers[number]
    account_sid = call.world.account_sid
    return {
        "sid": sid,
        "account_sid": account_sid,
        "phone_number": number,
        "friendly_name": number,
        "capabilities": {"voice": False, "sms": True, "mms": True, "fax": False},
        "sms_url": "",
        "status": "in-use",
        "uri": f"/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json",
    }


def _configuration_body(call: Call, configuration: AccountConfiguration) -> JSON:
    url = call.account_url("/Configuration")
    return {
        "account_sid": call.world.account_sid,
        "default_chat_service_sid": configuration.default_chat_service_sid,
        "default_messaging_service_sid": configuration.default_messaging_service_sid,
        "default_inactive_timer": configuration.default_inactive_timer,
        "default_closed_timer": configuration.default_closed_timer,
        "url": url,
        "links": {
            "service": call.account_url(f"/Services/{configuration.default_chat_service_sid}/Configuration"),
            "webhooks": f"{url}/Webhooks",
        },
    }
