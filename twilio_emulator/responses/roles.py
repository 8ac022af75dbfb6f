"""Roles: /Roles."""

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import users
from twilio_emulator.models.resources import Role, RoleType
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp


async def create(request: Request) -> Response:
    """Add a role."""
    request.form.reject_unknown({"FriendlyName", "Type", "Permission"})
    name, kind = request.form.required("FriendlyName"), request.form.required("Type")
    if kind not in set(RoleType):
        raise TwilioError(50105)
    role = users.create_role(
        request.backend,
        request.service_sid,
        friendly_name=name,
        type=RoleType(kind),
        permissions=request.form.array("Permission") or (),
    )
    return created(_body(request, role))


async def fetch(request: Request) -> Response:
    """Return a role."""
    return ok(_body(request, _from_path(request)))


async def update(request: Request) -> Response:
    """Replace the permissions of a role."""
    request.form.reject_unknown({"Permission"})
    changed = users.update_role(
        request.backend, _from_path(request), permissions=request.form.array("Permission") or ()
    )
    return ok(_body(request, changed))


async def delete(request: Request) -> Response:
    """Remove a role."""
    users.remove_role(request.backend, _from_path(request))
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of the service's roles."""
    rows = list(request.backend.state.roles[request.service_sid].values())
    return page(request, "roles", rows, lambda role: _body(request, role), max_page_size=50)


def _from_path(request: Request) -> Role:
    return users.fetch_role(request.backend, request.service_sid, request.path_params["sid"])


def _body(request: Request, role: Role) -> JSON:
    return {
        "sid": role.sid,
        "account_sid": request.backend.account_sid,
        "chat_service_sid": role.service_sid,
        "friendly_name": role.friendly_name,
        "type": role.type,
        "permissions": list(role.permissions),
        "date_created": timestamp(role.date_created),
        "date_updated": timestamp(role.date_updated),
        "url": request.url(f"/Roles/{role.sid}"),
    }
