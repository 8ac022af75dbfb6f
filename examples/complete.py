"""An assistant on SMS, WhatsApp and web chat, beside `make run` or on your account: docs/guide.md says how."""

import os
import signal
from threading import Thread
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from switchboard import Answer, Provider, Question

PORT = int(os.environ.get("PORT", "8000"))
URL = os.environ.get("WEBHOOK_URL", f"http://127.0.0.1:{PORT}/webhook")


def agent(question: Question) -> Answer:
    """Answer all messages that wait; ask your model here."""
    human = "human" in question.messages[-1].lower()
    return Answer(text="One moment, please." if human else f"You wrote: {' / '.join(question.messages)}", handoff=human)


def webhook(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Give the assistant what Twilio tells."""
    status = twilio.handle_webhook(environ, agent)
    start_response(f"{status.value} {status.phrase}", [("Content-Length", "0")])
    return []


server = make_server("127.0.0.1", PORT, webhook)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: Thread(target=server.shutdown, daemon=True).start())
with (Provider.from_env if "TWILIO_ACCOUNT_SID" in os.environ else Provider.local)(store="complete.sqlite") as twilio:
    twilio.resume(agent)  # what waited when the program ended before
    before = twilio.configure_webhook(URL)
    conversation = twilio.create_conversation("An example")
    twilio.add_participant(conversation.sid, identity="visitor-00000000000000000000000000000001")
    twilio.send_message(conversation.sid, "Hello! Ask me anything.")
    print(f"Twilio calls {URL}, and {conversation.sid} has its first message. Press Ctrl-C to stop.", flush=True)
    server.serve_forever()
    twilio.close_conversation(conversation.sid)
    twilio.configure_webhook(before or URL)
