"""Users, one for each identity of a service, and their roles."""

from collections.abc import Sequence
from dataclasses import replace

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import event_payloads, validation
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import Origin
from twilio_emulator.models.resources import Role, RoleType, User


def create(
    backend: Backend,
    service_sid: str,
    *,
    identity: str,
    origin: Origin,
    friendly_name: str | None = None,
    attributes: str = "{}",
    role_sid: str | None = None,
) -> User:
    """Add a user; raise 50201 if the identity already has one."""
    validation.identity(identity)
    if _find_by_identity(backend, service_sid, identity):
        raise TwilioError(50201)
    now = backend.clock()
    user = User(
        sid=backend.new_sid("US"),
        service_sid=service_sid,
        identity=identity,
        friendly_name=validation.name("FriendlyName", friendly_name),
        attributes=validation.attributes(attributes),
        role_sid=_require_role(backend, service_sid, role_sid)
        or backend.state.service_configurations[service_sid].default_chat_service_role_sid,
        date_created=now,
        date_updated=now,
    )
    backend.state.users[service_sid][user.sid] = user
    backend.state.users_by_identity[f"{service_sid} {identity}"] = user.sid
    backend.emit(event_payloads.user("onUserAdded", user, origin))
    return user


def find_or_create(backend: Backend, service_sid: str, identity: str, *, origin: Origin) -> User:
    """Return the user of an identity; add one if it does not exist yet."""
    return _find_by_identity(backend, service_sid, identity) or create(
        backend, service_sid, identity=identity, origin=origin
    )


def fetch(backend: Backend, service_sid: str, sid: str) -> User:
    """Return a user, by SID or identity; raise 20404 if there is none."""
    user = _find(backend, service_sid, sid)
    if user is None:
        raise not_found(f"/Users/{sid}")
    return user


def fetch_parent(backend: Backend, service_sid: str, sid: str) -> User:
    """Return the user that a resource belongs to; raise 50200 if there is none."""
    user = _find(backend, service_sid, sid)
    if user is None:
        raise TwilioError(50200)
    return user


def changed(
    backend: Backend,
    user: User,
    *,
    friendly_name: str | None = None,
    attributes: str | None = None,
    role_sid: str | None = None,
) -> User:
    """Return a copy with changed fields; None leaves a field unchanged."""
    return replace(
        user,
        friendly_name=user.friendly_name if friendly_name is None else validation.name("FriendlyName", friendly_name),
        attributes=user.attributes if attributes is None else validation.attributes(attributes),
        role_sid=_require_role(backend, user.service_sid, role_sid) or user.role_sid,
        date_updated=backend.clock(),
    )


def update(backend: Backend, changed: User, *, origin: Origin) -> User:
    """Store a changed user and emit its event."""
    fetch(backend, changed.service_sid, changed.sid)
    backend.state.users[changed.service_sid][changed.sid] = changed
    backend.emit(event_payloads.user("onUserUpdated", changed, origin))
    return changed


def remove(backend: Backend, user: User) -> None:
    """Delete a user; their participants stay in their conversations."""
    del backend.state.users[user.service_sid][user.sid]
    del backend.state.users_by_identity[f"{user.service_sid} {user.identity}"]


def create_role(
    backend: Backend,
    service_sid: str,
    *,
    friendly_name: str,
    type: RoleType,  # noqa: A002 -- Twilio's word
    permissions: Sequence[str],
) -> Role:
    """Add a role."""
    now = backend.clock()
    role = Role(
        sid=backend.new_sid("RL"),
        service_sid=service_sid,
        friendly_name=validation.name("FriendlyName", friendly_name, max_length=64) or "",
        type=type,
        permissions=_permissions(permissions),
        date_created=now,
        date_updated=now,
    )
    backend.state.roles[service_sid][role.sid] = role
    return role


def fetch_role(backend: Backend, service_sid: str, sid: str) -> Role:
    """Return a role; raise 20404 if it does not exist."""
    role = backend.state.roles[service_sid].get(sid)
    if role is None:
        raise not_found(f"/Roles/{sid}")
    return role


def update_role(backend: Backend, role: Role, *, permissions: Sequence[str]) -> Role:
    """Replace the permissions of a role."""
    changed = replace(role, permissions=_permissions(permissions), date_updated=backend.clock())
    backend.state.roles[role.service_sid][role.sid] = changed
    return changed


def remove_role(backend: Backend, role: Role) -> None:
    """Delete a role."""
    del backend.state.roles[role.service_sid][role.sid]


def _permissions(permissions: Sequence[str]) -> tuple[str, ...]:
    if not permissions or not all(permission.isascii() and permission.isalpha() for permission in permissions):
        raise TwilioError(50104)
    return tuple(permissions)


def _require_role(backend: Backend, service_sid: str, role_sid: str | None) -> str | None:
    if role_sid is not None and role_sid not in backend.state.roles[service_sid]:
        raise TwilioError(50100)
    return role_sid


def _find(backend: Backend, service_sid: str, sid: str) -> User | None:
    return backend.state.users[service_sid].get(sid) or _find_by_identity(backend, service_sid, sid)


def _find_by_identity(backend: Backend, service_sid: str, identity: str) -> User | None:
    sid = backend.state.users_by_identity.get(f"{service_sid} {identity}")
    return backend.state.users[service_sid].get(sid or "")
