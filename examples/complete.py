"""An assistant on SMS, WhatsApp and web chat: a conversation, a web server, the webhook, an agent that answers.

Beside `twilio-emulator` (or `make run`), without an account:  python complete.py
For a real account, set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_CONVERSATIONS_SERVICE_SID and WEBHOOK_URL, the
https URL under which Twilio reaches this program (a tunnel's, for a try).
"""

import os
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import make_server

from switchboard import Answer, Provider, Question

PORT = int(os.environ.get("PORT", "8000"))
URL = os.environ.get("WEBHOOK_URL", f"http://127.0.0.1:{PORT}/webhook")


def agent(question: Question) -> str | Answer:
    """Answer all messages that wait; ask your model here."""
    if "human" in question.messages[-1].lower():
        return Answer(text="A colleague will write to you here.", handoff=True)
    return f"You wrote: {' / '.join(question.messages)}"


def webhook(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Give what Twilio tells to the assistant. In Flask, Django or FastAPI, pass the request."""
    status = twilio.handle_webhook(environ, agent)
    start_response(f"{status.value} {status.phrase}", [("Content-Length", "0")])
    return []


is_local = "TWILIO_ACCOUNT_SID" not in os.environ
with (Provider.local if is_local else Provider.from_env)(store="complete.sqlite") as twilio:
    twilio.resume(agent)  # what waited when the program ended before
    before = twilio.configure_webhook(URL)
    conversation = twilio.create_conversation("An example")
    twilio.add_participant(conversation.sid, identity="visitor-00000000000000000000000000000001")
    twilio.send_message(conversation.sid, "Hello! Ask me anything.")
    print(f"Twilio calls {URL}, and {conversation.sid} has its first message. Press Ctrl-C to stop.", flush=True)
    try:
        make_server("127.0.0.1", PORT, webhook).serve_forever()
    except KeyboardInterrupt:
        twilio.close_conversation(conversation.sid)
        twilio.configure_webhook(before or URL)
