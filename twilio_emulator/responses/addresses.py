"""/v1/Configuration/Addresses."""

from enum import StrEnum

from twilio_emulator.models import addresses, validation
from twilio_emulator.models.events import POST_EVENTS
from twilio_emulator.models.resources import AddressConfiguration, AutoCreation, AutoCreationType
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.parameters import invalid
from twilio_emulator.responses.request import DELETED, JSON, Answer, Call, created, found, instant

_FILTERS = frozenset(POST_EVENTS) - {"onConversationAdded"}  # as its description lists them

_AUTO = frozenset(
    f"AutoCreation.{name}"
    for name in (
        "Enabled",
        "Type",
        "ConversationServiceSid",
        "WebhookUrl",
        "WebhookMethod",
        "WebhookFilters",
        "StudioFlowSid",
        "StudioRetryCount",
    )
)
_UPDATE = _AUTO | {"FriendlyName"}
_CREATE = _UPDATE | {"Type", "Address", "AddressCountry"}


class AddressType(StrEnum):
    """Kinds of addresses Twilio knows."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    GBM = "gbm"
    EMAIL = "email"
    RCS = "rcs"
    APPLE = "apple"
    CHAT = "chat"


class Method(StrEnum):
    """How an auto-created conversation's webhook is sent."""

    GET = "get"
    POST = "post"


async def create(call: Call) -> Answer:
    """Add an address configuration."""
    call.form.only(_CREATE)
    call.form.required("Type")
    kind = call.form.choice("Type", AddressType)
    configuration = addresses.configure(
        call.world,
        type=str(kind),
        address=call.form.required("Address"),
        friendly_name=validation.name("FriendlyName", call.form.text("FriendlyName")) or "",
        address_country=call.form.text("AddressCountry"),
        auto_creation=_auto_creation(call, AutoCreation()),
    )
    return created(_body(call, configuration))


async def fetch(call: Call) -> Answer:
    """Return an address configuration, by SID or address."""
    return found(_body(call, addresses.fetch(call.world, call.parts["sid"])))


async def update(call: Call) -> Answer:
    """Change an address configuration."""
    call.form.only(_UPDATE)
    configuration = addresses.fetch(call.world, call.parts["sid"])
    changed = addresses.update(
        call.world,
        configuration.sid,
        friendly_name=validation.name("FriendlyName", call.form.text("FriendlyName")),
        auto_creation=_auto_creation(call, configuration.auto_creation),
    )
    return found(_body(call, changed))


async def delete(call: Call) -> Answer:
    """Remove an address configuration."""
    addresses.delete(call.world, addresses.fetch(call.world, call.parts["sid"]).sid)
    return DELETED


async def index(call: Call) -> Answer:
    """Return a page of address configurations."""
    kind = call.query.text("Type")
    rows = [each for each in call.world.state.addresses.values() if kind in {None, each.type}]
    return page(
        call,
        "address_configurations",
        rows,
        lambda configuration: _body(call, configuration),
        most=50,
        filters=frozenset({"Type"}),
    )


def _auto_creation(call: Call, before: AutoCreation) -> AutoCreation:
    form = call.form
    enabled = form.flag("AutoCreation.Enabled")
    retries = form.integer("AutoCreation.StudioRetryCount")
    filters = form.many("AutoCreation.WebhookFilters")
    if unknown := set(filters or ()) - _FILTERS:
        raise invalid("AutoCreation.WebhookFilters", f"names an event there is not: {min(unknown)[:50]}")
    return _complete(
        AutoCreation(
            enabled=before.enabled if enabled is None else enabled,
            type=form.choice("AutoCreation.Type", AutoCreationType) or before.type,
            conversation_service_sid=form.sid("AutoCreation.ConversationServiceSid", "IS")
            or before.conversation_service_sid,
            webhook_url=form.url("AutoCreation.WebhookUrl") or before.webhook_url,
            webhook_method=form.choice("AutoCreation.WebhookMethod", Method) or before.webhook_method,
            webhook_filters=before.webhook_filters if filters is None else filters,
            studio_flow_sid=form.sid("AutoCreation.StudioFlowSid", "FW") or before.studio_flow_sid,
            studio_retry_count=before.studio_retry_count if retries is None else retries,
        )
    )


def _complete(auto: AutoCreation) -> AutoCreation:
    """Refuse what could not be attached to a conversation, before a first text meets it."""
    if auto.type is AutoCreationType.WEBHOOK and not auto.webhook_url:
        raise invalid("AutoCreation.WebhookUrl", "is required for type webhook")
    if auto.type is AutoCreationType.STUDIO and not auto.studio_flow_sid:
        raise invalid("AutoCreation.StudioFlowSid", "is required for type studio")
    return auto


def _body(call: Call, configuration: AddressConfiguration) -> JSON:
    return {
        "sid": configuration.sid,
        "account_sid": call.world.account_sid,
        "type": configuration.type,
        "address": configuration.address,
        "friendly_name": configuration.friendly_name,
        "address_country": configuration.address_country,
        "auto_creation": _auto_creation_body(configuration.auto_creation),
        "date_created": instant(configuration.date_created),
        "date_updated": instant(configuration.date_updated),
        "url": call.account_url(f"/Configuration/Addresses/{configuration.sid}"),
    }


def _auto_creation_body(auto: AutoCreation) -> JSON:
    body: dict[str, object] = {
        "enabled": auto.enabled,
        "type": auto.type,
        "conversation_service_sid": auto.conversation_service_sid,
    }
    if auto.type is AutoCreationType.WEBHOOK:
        body |= {
            "webhook_url": auto.webhook_url,
            "webhook_method": (auto.webhook_method or "post").upper(),
            "webhook_filters": list(auto.webhook_filters or ()),
        }
    if auto.type is AutoCreationType.STUDIO:
        body |= {"studio_flow_sid": auto.studio_flow_sid, "studio_retry_count": auto.studio_retry_count}
    return body
