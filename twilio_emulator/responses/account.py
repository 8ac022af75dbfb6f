"""The account: the account itself, its phone numbers, and its Conversations configuration."""

from dataclasses import replace

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import addresses, validation
from twilio_emulator.models.resources import AccountConfiguration, Channel
from twilio_emulator.responses.parameters import invalid_parameter
from twilio_emulator.responses.request import JSON, Request, Response, created, ok


async def fetch(request: Request) -> Response:
    """Return the account."""
    sid = _own_sid(request)
    return ok(
        {
            "sid": sid,
            "owner_account_sid": sid,
            "friendly_name": "Emulated account",
            "status": "active",
            "type": "Full",
            "uri": f"/2010-04-01/Accounts/{sid}.json",
        }
    )


async def list_numbers(request: Request) -> Response:
    """Return all phone numbers of the account on one page."""
    request.query.reject_unknown({"PhoneNumber", "PageSize", "Page", "PageToken"})
    sid, wanted = _own_sid(request), request.query.text("PhoneNumber")
    rows = [
        _number_body(request, number)
        for number in request.backend.state.numbers
        if _is_phone_number(number) and wanted in {None, number}
    ]
    return ok(
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


async def buy_number(request: Request) -> Response:
    """Add a phone number to the account; any number can be bought."""
    _own_sid(request)
    request.form.reject_unknown({"PhoneNumber", "FriendlyName"})
    number = request.form.required("PhoneNumber")
    if not _is_phone_number(number):
        raise invalid_parameter("PhoneNumber", "must be a phone number in E.164 form")
    addresses.add_to_account(request.backend, number)
    return created(_number_body(request, number))


def _is_phone_number(address: str) -> bool:
    """Tell whether an address is a phone number; Twilio keeps short codes, which nobody can buy here, elsewhere."""
    return addresses.channel_of(address) is Channel.SMS and not addresses.is_short_code(address)


async def fetch_configuration(request: Request) -> Response:
    """Return the account's configuration."""
    return ok(_configuration_body(request, request.backend.state.configuration))


async def update_configuration(request: Request) -> Response:
    """Change the account's configuration."""
    form = request.form
    form.reject_unknown(
        {"DefaultChatServiceSid", "DefaultMessagingServiceSid", "DefaultInactiveTimer", "DefaultClosedTimer"}
    )
    before = request.backend.state.configuration
    service_sid = form.sid("DefaultChatServiceSid", "IS") or before.default_chat_service_sid
    if service_sid not in request.backend.state.services:
        raise TwilioError(50050)
    inactive, closed = form.text("DefaultInactiveTimer"), form.text("DefaultClosedTimer")
    validation.inactive_timer(inactive or validation.NO_TIMER)
    validation.closed_timer(closed or validation.NO_TIMER)
    changed = replace(
        before,
        default_chat_service_sid=service_sid,
        default_messaging_service_sid=form.sid("DefaultMessagingServiceSid", "MG")
        or before.default_messaging_service_sid,
        default_inactive_timer=before.default_inactive_timer if inactive is None else inactive or None,
        default_closed_timer=before.default_closed_timer if closed is None else closed or None,
    )
    request.backend.state.configuration = changed
    return ok(_configuration_body(request, changed))


def _own_sid(request: Request) -> str:
    sid = request.path_params["account_sid"]
    if sid != request.backend.account_sid:
        raise not_found(f"/2010-04-01/Accounts/{sid}.json")
    return sid


def _number_body(request: Request, number: str) -> JSON:
    sid = request.backend.state.numbers[number]
    account_sid = request.backend.account_sid
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


def _configuration_body(request: Request, configuration: AccountConfiguration) -> JSON:
    url = request.account_url("/Configuration")
    return {
        "account_sid": request.backend.account_sid,
        "default_chat_service_sid": configuration.default_chat_service_sid,
        "default_messaging_service_sid": configuration.default_messaging_service_sid,
        "default_inactive_timer": configuration.default_inactive_timer,
        "default_closed_timer": configuration.default_closed_timer,
        "url": url,
        "links": {
            "service": request.account_url(f"/Services/{configuration.default_chat_service_sid}/Configuration"),
            "webhooks": f"{url}/Webhooks",
        },
    }
