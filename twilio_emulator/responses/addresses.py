"""Address configurations: /v1/Configuration/Addresses."""

from enum import StrEnum

from twilio_emulator.models import addresses, validation
from twilio_emulator.models.events import POST_EVENTS
from twilio_emulator.models.resources import AddressConfiguration, AutoCreation, AutoCreationType
from twilio_emulator.responses.paging import page
from twilio_emulator.responses.parameters import invalid_parameter
from twilio_emulator.responses.request import JSON, NO_CONTENT, Request, Response, created, ok, timestamp

_FILTERS = frozenset(POST_EVENTS) - {"onConversationAdded"}  # as Twilio's OpenAPI description lists them

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
    """The channels of an address, as Twilio spells them."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    GBM = "gbm"
    EMAIL = "email"
    RCS = "rcs"
    APPLE = "apple"
    CHAT = "chat"


class Method(StrEnum):
    """The HTTP method of an auto-created conversation's webhook; in lower case here."""

    GET = "get"
    POST = "post"


async def create(request: Request) -> Response:
    """Add an address configuration."""
    request.form.reject_unknown(_CREATE)
    request.form.required("Type")
    kind = request.form.choice("Type", AddressType)
    configuration = addresses.configure(
        request.backend,
        type=str(kind),
        address=request.form.required("Address"),
        friendly_name=validation.name("FriendlyName", request.form.text("FriendlyName")) or "",
        address_country=request.form.text("AddressCountry"),
        auto_creation=_auto_creation(request, AutoCreation()),
    )
    return created(_body(request, configuration))


async def fetch(request: Request) -> Response:
    """Return an address configuration, by SID or address."""
    return ok(_body(request, addresses.fetch(request.backend, request.path_params["sid"])))


async def update(request: Request) -> Response:
    """Change an address configuration."""
    request.form.reject_unknown(_UPDATE)
    configuration = addresses.fetch(request.backend, request.path_params["sid"])
    changed = addresses.update(
        request.backend,
        configuration.sid,
        friendly_name=validation.name("FriendlyName", request.form.text("FriendlyName")),
        auto_creation=_auto_creation(request, configuration.auto_creation),
    )
    return ok(_body(request, changed))


async def delete(request: Request) -> Response:
    """Remove an address configuration."""
    addresses.delete(request.backend, addresses.fetch(request.backend, request.path_params["sid"]).sid)
    return NO_CONTENT


async def list_page(request: Request) -> Response:
    """Return a page of address configurations."""
    kind = request.query.text("Type")
    rows = [each for each in request.backend.state.addresses.values() if kind in {None, each.type}]
    return page(
        request,
        "address_configurations",
        rows,
        lambda configuration: _body(request, configuration),
        max_page_size=50,
        filters=frozenset({"Type"}),
    )


def _auto_creation(request: Request, before: AutoCreation) -> AutoCreation:
    form = request.form
    enabled = form.boolean("AutoCreation.Enabled")
    retries = form.integer("AutoCreation.StudioRetryCount")
    filters = form.array("AutoCreation.WebhookFilters")
    if unknown := set(filters or ()) - _FILTERS:
        raise invalid_parameter("AutoCreation.WebhookFilters", f"contains an unknown event: {min(unknown)[:50]}")
    return _validate(
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


def _validate(auto: AutoCreation) -> AutoCreation:
    """Return the settings; raise 20422 if they lack what their type needs."""
    if auto.type is AutoCreationType.WEBHOOK and not auto.webhook_url:
        raise invalid_parameter("AutoCreation.WebhookUrl", "is required for type webhook")
    if auto.type is AutoCreationType.STUDIO and not auto.studio_flow_sid:
        raise invalid_parameter("AutoCreation.StudioFlowSid", "is required for type studio")
    return auto


def _body(request: Request, configuration: AddressConfiguration) -> JSON:
    return {
        "sid": configuration.sid,
        "account_sid": request.backend.account_sid,
        "type": configuration.type,
        "address": configuration.address,
        "friendly_name": configuration.friendly_name,
        "address_country": configuration.address_country,
        "auto_creation": _auto_creation_body(configuration.auto_creation),
        "date_created": timestamp(configuration.date_created),
        "date_updated": timestamp(configuration.date_updated),
        "url": request.account_url(f"/Configuration/Addresses/{configuration.sid}"),
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
