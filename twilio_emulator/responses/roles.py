"""/Roles."""

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import users
from twilio_emulator.models.resources import Role, RoleType
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant


async def create(call: Call) -> Answer:
    """Add a role."""
    call.form.only({"FriendlyName", "Type", "Permission"})
    name, kind = call.form.required("FriendlyName"), call.form.required("Type")
    if kind not in set(RoleType):
        raise TwilioError(50105)
    role = users.create_role(
        call.world,
        call.service_sid,
        friendly_name=name,
        type=RoleType(kind),
        permissions=call.form.many("Permission") or (),
    )
    return created(_body(call, role))


async def fetch(call: Call) -> Answer:
    """Return a role."""
    return found(_body(call, _named(call)))


async def update(call: Call) -> Answer:
    """Replace what a role permits."""
    call.form.only({"Permission"})
    changed = users.update_role(call.world, _named(call), permissions=call.form.many("Permission") or ())
    return found(_body(call, changed))


async def delete(call: Call) -> Answer:
    """Remove a role."""
    users.remove_role(call.world, _named(call))
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of the service's roles."""
    rows = list(call.world.state.roles[call.service_sid].values())
    return page(call, "roles", rows, lambda role: _body(call, role), most=50)


def _named(call: Call) -> Role:
    return users.fetch_role(call.world, call.service_sid, call.parts["sid"])


def _body(call: Call, role: Role) -> JSON:
    return {
        "sid": role.sid,
        "account_sid": call.world.account_sid,
        "chat_service_sid": role.service_sid,
        "friendly_name": role.friendly_name,
        "type": role.type,
        "permissions": list(role.permissions),
        "date_created": instant(role.date_created),
        "date_updated": instant(role.date_updated),
        "url": call.url(f"/Roles/{role.sid}"),
    }
