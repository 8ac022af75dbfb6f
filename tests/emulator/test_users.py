from tests.emulator.emulator_server import EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite


def test_an_identity_becomes_a_user_with_its_first_conversation(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()

    conversation.participants.create(identity="alice")

    (user,) = twilio.service.users.list()
    assert user.identity == "alice"
    assert twilio.client.conversations.v1.users("alice").fetch().sid == user.sid


def test_users_are_created_changed_and_deleted(twilio: EmulatorServer) -> None:
    user = twilio.service.users.create(identity="alice", friendly_name="Alice", attributes='{"team": 3}')
    with refused(code=50201, status=409):
        twilio.service.users.create(identity="alice")

    changed = user.update(friendly_name="Alice B.")

    assert (changed.friendly_name, changed.attributes) == ("Alice B.", '{"team": 3}')
    twilio.service.users("alice").delete()
    with refused(code=20404, status=404):
        user.fetch()
    twilio.service.users.create(identity="alice")


def test_identities_differ_by_case(twilio: EmulatorServer) -> None:
    for identity in ("alice", "Alice"):
        twilio.service.users.create(identity=identity)

    assert [user.identity for user in twilio.service.users.list()] == ["alice", "Alice"]


def test_a_user_sees_their_conversations_and_unread_messages(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create(unique_name="order-17")
    conversation.participants.create(identity="alice")
    for body in "abc":
        conversation.messages.create(body=body)
    of_alice = twilio.service.users("alice").user_conversations

    unread = of_alice("order-17").fetch()
    read = of_alice(conversation.sid).update(last_read_message_index=0, notification_level="muted")

    assert (unread.unread_messages_count, unread.notification_level) == (None, "default")
    assert (read.unread_messages_count, read.notification_level) == (2, "muted")
    assert [row.unique_name for row in of_alice.list()] == ["order-17"]
    assert of_alice("order-17").update(notification_level="default").notification_level == "default"


def test_a_user_leaves_a_conversation(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    conversation.participants.create(identity="alice")

    twilio.service.users("alice").user_conversations(conversation.sid).delete()

    assert conversation.participants.list() == []
    assert twilio.service.users("alice").user_conversations.list() == []
    assert site.received == []


def test_a_service_comes_with_twilios_default_roles(twilio: EmulatorServer) -> None:
    roles = {role.friendly_name: role.type for role in twilio.service.roles.list()}

    assert roles == {
        "service user": "service",
        "service admin": "service",
        "channel user": "conversation",
        "channel admin": "conversation",
    }


def test_roles_are_created_changed_and_deleted(twilio: EmulatorServer) -> None:
    role = twilio.service.roles.create(
        friendly_name="reader", type="conversation", permission=["sendMessage", "leaveConversation"]
    )

    changed = role.update(permission=["leaveConversation"])

    assert role.permissions == ["sendMessage", "leaveConversation"]
    assert changed.permissions == ["leaveConversation"]
    role.delete()
    with refused(code=20404):
        role.fetch()
