"""Everything a bot does with Twilio Conversations, step by step: create, add participants, send, receive, close.

Start `make run` in one terminal and this script in another:

    .venv/bin/python examples/quickstart.py

After `make run TWILIO_PORT=9001`, name the emulator's address: TWILIO_BASE_URL=http://127.0.0.1:9001.

For a real account, set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_CONVERSATIONS_SERVICE_SID. The steps with
phones then also need QUICKSTART_SMS_FROM (your number) and QUICKSTART_SMS_TO (a customer's), QUICKSTART_WHATSAPP_FROM
and QUICKSTART_WHATSAPP_TO (both whatsapp:+…).
"""

import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "switchboard"))

from switchboard.author import AuthorRules
from switchboard.errors import SwitchboardError, Transient
from switchboard.twilio.rest.conversations import ConversationResource, Conversations
from switchboard.twilio.rest.messages import Messages
from switchboard.twilio.rest.services import Service, connect

LOCAL = {
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
    "TWILIO_AUTH_TOKEN": "emulator-token",
    "TWILIO_CONVERSATIONS_SERVICE_SID": "IS00000000000000000000000000000001",
    "TWILIO_BASE_URL": "http://127.0.0.1:8081",
    "QUICKSTART_SMS_FROM": "+12025550100",
    "QUICKSTART_SMS_TO": "+12025550187",
    "QUICKSTART_WHATSAPP_FROM": "whatsapp:+12025550101",
    "QUICKSTART_WHATSAPP_TO": "whatsapp:+12025550188",
}
VISITOR = f"visitor-{uuid.uuid4().hex}"


def main() -> None:
    """Run every step; an error ends the script with one sentence."""
    settings = chosen(os.environ)
    try:
        service = connected(settings)
        conversations = Conversations(service=service)
        with open_conversation(conversations) as conversation:
            add_participants(conversations, conversation, settings)
            talk(Messages(service=service, author_rules=AuthorRules()), conversation)
        service.stop()
    except SwitchboardError as error:
        sys.exit(f"Stopped: {error}")
    say("Done", "every step worked")


def chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment's settings. Unless it names a real account, the local stack's are the defaults."""
    given = {
        name: value for name, value in environment.items() if name.startswith(("TWILIO_", "QUICKSTART_")) and value
    }
    is_local = given.get("TWILIO_ACCOUNT_SID", LOCAL["TWILIO_ACCOUNT_SID"]) == LOCAL["TWILIO_ACCOUNT_SID"]
    settings = {**LOCAL, **given} if is_local else given
    for name in ("TWILIO_AUTH_TOKEN", "TWILIO_CONVERSATIONS_SERVICE_SID"):
        if name not in settings:
            sys.exit(f"Stopped: set {name} too, or unset TWILIO_ACCOUNT_SID to use the local stack")
    return settings


def connected(settings: Mapping[str, str]) -> Service:
    """Return a connection whose credentials and service Twilio has accepted."""
    service = connect(
        account_sid=settings["TWILIO_ACCOUNT_SID"],
        service_sid=settings["TWILIO_CONVERSATIONS_SERVICE_SID"],
        credentials=(settings["TWILIO_ACCOUNT_SID"], settings["TWILIO_AUTH_TOKEN"]),
        base_url=settings.get("TWILIO_BASE_URL"),
    )
    try:
        service.start()
    except Transient as error:
        if "TWILIO_BASE_URL" not in settings:
            raise
        sys.exit(
            f"Stopped: {error}. TWILIO_BASE_URL is {settings['TWILIO_BASE_URL']}: start `make run`, or set it to the "
            "address that `make run` prints as Twilio"
        )
    say("Connected", f"account {service.account_sid}, service {service.service_sid}")
    return service


@contextmanager
def open_conversation(conversations: Conversations) -> Iterator[ConversationResource]:
    """Create a conversation, and close it at the end: an open one keeps the customer's address for itself."""
    conversation = conversations.create_conversation(friendly_name="Quickstart")
    say("Created", f"conversation {conversation.sid}, {conversation.state}")
    try:
        yield conversation
    finally:
        say("Closed", f"conversation {conversations.close_conversation(conversation.sid).sid}")


def add_participants(
    conversations: Conversations, conversation: ConversationResource, settings: Mapping[str, str]
) -> None:
    """Add a customer on each channel; skip a phone channel whose addresses are not set."""
    for channel in ("SMS", "WHATSAPP"):
        ours, theirs = (settings.get(f"QUICKSTART_{channel}_{end}") for end in ("FROM", "TO"))
        if ours and theirs:
            participant = conversations.add_participant(conversation.sid, address=theirs, proxy_address=ours)
            say("Added", f"{channel} participant {participant.sid}")
        else:
            say("Skipped", f"no {channel} participant: set QUICKSTART_{channel}_FROM and QUICKSTART_{channel}_TO")
    participant = conversations.add_participant(conversation.sid, identity=VISITOR)
    say("Added", f"web-chat participant {participant.sid}")


def talk(messages: Messages, conversation: ConversationResource) -> None:
    """Send a message to every participant, have the visitor answer, and receive both messages."""
    sent = messages.send_message(conversation.sid, body="Hello from the quickstart!")
    say("Sent", f"message {sent.message_sid} at index {sent.index}")
    messages.send_message(conversation.sid, body="Hello back!", author=VISITOR)
    for message in messages.receive_messages(conversation.sid, from_index=sent.index, wait=lambda: False):
        say("Received", f"index {message.index}, from {message.author_role}: {message.body}")


def say(step: str, what: str) -> None:
    """Print a step."""
    print(f"{step:>10}  {what}")


if __name__ == "__main__":
    main()
