"""Users, one for each identity of a service, and the roles they can have."""

from collections.abc import Sequence
from dataclasses import replace

from twilio_emulator.exceptions import TwilioError, not_found
from twilio_emulator.models import validation
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Event, Origin, fields
from twilio_emulator.models.resources import Role, RoleType, User


def create(
    world: World,
    service_sid: str,
    *,
    identity: str,
    origin: Origin,
    friendly_name: str | None = None,
    attributes: str = "{}",
    role_sid: str | None = None,
) -> User:
    """Add a user; 50201 where the identity has one."""
    validation.identity(identity)
    if _of_identity(world, service_sid, identity):
        raise TwilioError(50201)
    now = world.clock()
    user = User(
        sid=world.new_sid("US"),
        service_sid=service_sid,
        identity=identity,
        friendly_name=validation.name("FriendlyName", friendly_name),
        attributes=validation.attributes(attributes),
        role_sid=_known_role(world, service_sid, role_sid)
        or world.state.service_configurations[service_sid].default_chat_service_role_sid,
        date_created=now,
        date_updated=now,
    )
    world.state.users[service_sid][user.sid] = user
    world.state.users_by_identity[f"{service_sid} {identity}"] = user.sid
    world.tell(telling("onUserAdded", user, origin))
    return user


def of_identity(world: World, service_sid: str, identity: str, *, origin: Origin) -> User:
    """Return the user of an identity, who is added with the first conversation he comes to."""
    return _of_identity(world, service_sid, identity) or create(world, service_sid, identity=identity, origin=origin)


def fetch(world: World, service_sid: str, sid: str) -> User:
    """Return a user, by SID or identity."""
    user = _find(world, service_sid, sid)
    if user is None:
        raise not_found(f"/Users/{sid}")
    return user


def parent(world: World, service_sid: str, sid: str) -> User:
    """Return the user that a resource belongs to; 50200 where there is none."""
    user = _find(world, service_sid, sid)
    if user is None:
        raise TwilioError(50200)
    return user


def changed(
    world: World,
    user: User,
    *,
    friendly_name: str | None = None,
    attributes: str | None = None,
    role_sid: str | None = None,
) -> User:
    """Return a user with what is given; None leaves a field as it is."""
    return replace(
        user,
        friendly_name=user.friendly_name if friendly_name is None else validation.name("FriendlyName", friendly_name),
        attributes=user.attributes if attributes is None else validation.attributes(attributes),
        role_sid=_known_role(world, user.service_sid, role_sid) or user.role_sid,
        date_updated=world.clock(),
    )


def update(world: World, changed: User, *, origin: Origin) -> User:
    """Keep a changed user and tell it."""
    fetch(world, changed.service_sid, changed.sid)
    world.state.users[changed.service_sid][changed.sid] = changed
    world.tell(telling("onUserUpdated", changed, origin))
    return changed


def remove(world: World, user: User) -> None:
    """Delete a user; his participants stay."""
    del world.state.users[user.service_sid][user.sid]
    del world.state.users_by_identity[f"{user.service_sid} {user.identity}"]


def telling(event_type: str, user: User, origin: Origin) -> Event:
    """Return an event about a user."""
    return Event(
        type=event_type,
        service_sid=user.service_sid,
        conversation_sid=None,
        fields=fields(
            [
                ("ChatServiceSid", user.service_sid),
                ("UserSid", user.sid),
                ("DateCreated", user.date_created),
                ("DateUpdated", user.date_updated),
                ("Identity", user.identity),
                ("RoleSid", user.role_sid),
                ("Attributes", user.attributes),
                ("FriendlyName", user.friendly_name),
                ("isOnline", "false"),
                ("isNotifiable", "false"),
            ]
        ),
        origin=origin,
    )


def create_role(
    world: World,
    service_sid: str,
    *,
    friendly_name: str,
    type: RoleType,  # noqa: A002 -- Twilio's word
    permissions: Sequence[str],
) -> Role:
    """Add a role."""
    now = world.clock()
    role = Role(
        sid=world.new_sid("RL"),
        service_sid=service_sid,
        friendly_name=validation.name("FriendlyName", friendly_name, most=64) or "",
        type=type,
        permissions=_permissions(permissions),
        date_created=now,
        date_updated=now,
    )
    world.state.roles[service_sid][role.sid] = role
    return role


def fetch_role(world: World, service_sid: str, sid: str) -> Role:
    """Return a role."""
    role = world.state.roles[service_sid].get(sid)
    if role is None:
        raise not_found(f"/Roles/{sid}")
    return role


def update_role(world: World, role: Role, *, permissions: Sequence[str]) -> Role:
    """Replace what a role permits."""
    changed = replace(role, permissions=_permissions(permissions), date_updated=world.clock())
    world.state.roles[role.service_sid][role.sid] = changed
    return changed


def remove_role(world: World, role: Role) -> None:
    """Delete a role."""
    del world.state.roles[role.service_sid][role.sid]


def _permissions(permissions: Sequence[str]) -> tuple[str, ...]:
    if not permissions or not all(permission.isascii() and permission.isalpha() for permission in permissions):
        raise TwilioError(50104)
    return tuple(permissions)


def _known_role(world: World, service_sid: str, role_sid: str | None) -> str | None:
    if role_sid is not None and role_sid not in world.state.roles[service_sid]:
        raise TwilioError(50100)
    return role_sid


def _find(world: World, service_sid: str, sid: str) -> User | None:
    return world.state.users[service_sid].get(sid) or _of_identity(world, service_sid, sid)


def _of_identity(world: World, service_sid: str, identity: str) -> User | None:
    sid = world.state.users_by_identity.get(f"{service_sid} {identity}")
    return world.state.users[service_sid].get(sid or "")
