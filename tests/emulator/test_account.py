import pytest
from requests.auth import HTTPBasicAuth

from tests.emulator.emulator_server import ACCOUNT, OUR_SMS, OUR_WHATSAPP, SERVICE, TOKEN, EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite

KEY = "SK00000000000000000000000000000001"


def credentials(twilio: EmulatorServer, *tokens: str, **keys: str) -> None:
    order = {"auth_tokens": list(tokens), "api_keys": keys}
    assert twilio.request("PUT", "/_emulator/credentials", json=order).status_code == 204


def status(twilio: EmulatorServer, user: str, password: str) -> int:
    auth = HTTPBasicAuth(user, password)
    return twilio.request("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json", auth=auth).status_code


@pytest.fixture(autouse=True)
def _own_credentials(twilio: EmulatorServer) -> None:
    credentials(twilio, TOKEN)


def test_the_account_is_fetched_with_its_own_credentials(twilio: EmulatorServer) -> None:
    assert twilio.client.api.v2010.accounts(ACCOUNT).fetch().status == "active"


@pytest.mark.parametrize(
    ("user", "password"), [(ACCOUNT, "wrong"), ("AC" + "9" * 32, TOKEN), (KEY, "secret"), ("", ""), (ACCOUNT, "é")]
)
def test_wrong_credentials_are_refused(twilio: EmulatorServer, user: str, password: str) -> None:
    auth = HTTPBasicAuth(user.encode(), password.encode())

    answer = twilio.request("GET", f"/v1/Services/{SERVICE}", auth=auth)

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic", "Basic !!!", "Basic /w==", "Basic QUM="])
def test_a_malformed_authorization_header_is_refused(twilio: EmulatorServer, header: str) -> None:
    answer = twilio.request("GET", f"/v1/Services/{SERVICE}", auth=None, headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_an_api_key_authenticates(twilio: EmulatorServer) -> None:
    credentials(twilio, TOKEN, **{KEY: "secret"})

    assert (status(twilio, KEY, "secret"), status(twilio, KEY, "other")) == (200, 401)


def test_during_a_rotation_both_tokens_are_valid_and_the_first_one_signs(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    credentials(twilio, TOKEN, "next-token")
    twilio.text("hi")
    signed_by_the_first = site.first("onMessageAdded").is_signed()

    credentials(twilio, "next-token", TOKEN)
    twilio.text("again", sender="+12025550111")

    assert signed_by_the_first
    assert (status(twilio, ACCOUNT, TOKEN), status(twilio, ACCOUNT, "next-token")) == (200, 200)
    *_, last = site.wait_for(*["onConversationAdded", "onParticipantAdded", "onMessageAdded"] * 2)
    assert not last.is_signed()


def test_another_account_is_not_found(twilio: EmulatorServer) -> None:
    with refused(code=20404, status=404):
        twilio.client.api.v2010.accounts("AC" + "9" * 32).fetch()


def test_numbers_are_bought_and_listed(twilio: EmulatorServer) -> None:
    bought = twilio.client.incoming_phone_numbers.create(phone_number="+12025550177")

    listed = [number.phone_number for number in twilio.client.incoming_phone_numbers.list()]
    assert listed == [OUR_SMS, "+12025550177"]
    found = twilio.client.incoming_phone_numbers.list(phone_number="+12025550177")
    assert [number.sid for number in found] == [bought.sid]
    assert bought.sid.startswith("PN")


def test_an_added_sender_belongs_to_the_account(twilio: EmulatorServer) -> None:
    answer = twilio.request("POST", "/_emulator/senders", json={"address": "whatsapp:+12025550188"})

    assert answer.status_code == 201
    twilio.service.conversations.create().participants.create(
        messaging_binding_address="whatsapp:+12025550110", messaging_binding_proxy_address="whatsapp:+12025550188"
    )


def test_the_accounts_configuration_is_stored(twilio: EmulatorServer) -> None:
    configuration = twilio.client.conversations.v1.configuration()

    changed = configuration.update(default_inactive_timer="PT2M", default_closed_timer="PT20M")

    assert (changed.default_inactive_timer, changed.default_closed_timer) == ("PT2M", "PT20M")
    assert configuration.fetch().default_chat_service_sid == SERVICE


def test_a_default_timer_is_validated_and_can_be_removed(twilio: EmulatorServer) -> None:
    configuration = twilio.client.conversations.v1.configuration()
    configuration.update(default_inactive_timer="PT2M", default_closed_timer="PT20M")
    with refused(code=50375, status=400):
        configuration.update(default_inactive_timer="PT1S")
    with refused(code=50380, status=400):
        configuration.update(default_closed_timer="tomorrow")

    changed = configuration.update(default_inactive_timer="")

    assert (changed.default_inactive_timer, changed.default_closed_timer) == (None, "PT20M")
    assert set(twilio.service.conversations.create().timers) == {"date_closed"}


def test_paths_without_a_service_use_the_default_service(twilio: EmulatorServer) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="other")

    twilio.client.conversations.v1.configuration().update(default_chat_service_sid=other.sid)

    assert twilio.client.conversations.v1.conversations.create().chat_service_sid == other.sid


def test_services_are_created_listed_and_deleted_with_everything_in_them(twilio: EmulatorServer) -> None:
    services = twilio.client.conversations.v1.services
    other = services.create(friendly_name="other")
    services(other.sid).conversations.create(unique_name="order-17")

    assert [service.friendly_name for service in services.list()] == ["Switchboard", "other"]

    services(other.sid).delete()
    with refused(code=20404, status=404):
        services(other.sid).fetch()
    with refused(code=20404, status=404):
        services(other.sid).conversations.create()


def test_a_services_configuration_is_changed_and_applied(twilio: EmulatorServer) -> None:
    role = twilio.service.roles.create(friendly_name="reader", type="conversation", permission=["sendMessage"])

    changed = twilio.service.configuration().update(default_conversation_role_sid=role.sid, reachability_enabled=True)

    assert (changed.default_conversation_role_sid, changed.reachability_enabled) == (role.sid, True)
    alice = twilio.service.conversations.create().participants.create(identity="alice")
    assert alice.role_sid == role.sid
    assert twilio.service.users("alice").fetch().is_online is False


def test_address_configurations_are_created_changed_and_deleted(twilio: EmulatorServer) -> None:
    configurations = twilio.client.conversations.v1.address_configurations
    made = configurations.create(
        type="sms", address="+12025550177", friendly_name="shop", auto_creation_enabled=True, address_country="US"
    )

    changed = configurations("+12025550177").update(
        auto_creation_type="webhook",
        auto_creation_conversation_service_sid=SERVICE,
        auto_creation_webhook_url="https://bot.example.com/own",
        auto_creation_webhook_method="post",
        auto_creation_webhook_filters=["onMessageAdded"],
    )

    assert changed.auto_creation == {
        "enabled": True,
        "type": "webhook",
        "conversation_service_sid": SERVICE,
        "webhook_url": "https://bot.example.com/own",
        "webhook_method": "POST",
        "webhook_filters": ["onMessageAdded"],
    }
    assert changed.update(friendly_name="renamed").auto_creation == changed.auto_creation
    assert [each.address for each in configurations.list()] == [OUR_SMS, OUR_WHATSAPP, "+12025550177"]
    assert [each.address for each in configurations.list(type="whatsapp")] == [OUR_WHATSAPP]
    configurations(made.sid).delete()
    with refused(code=20404):
        configurations(made.sid).fetch()
