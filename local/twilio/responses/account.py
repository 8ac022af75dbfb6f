"""api.twilio.com: the account, and nothing more than a check of credentials needs."""

from local.twilio.exceptions import not_found
from local.twilio.responses.call import Answer, Call, found


async def fetch(call: Call) -> Answer:
    """Return the account whose credentials these are."""
    sid = call.parts["account_sid"]
    if sid != call.world.account_sid:
        raise not_found(f"/2010-04-01/Accounts/{sid}.json")
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
