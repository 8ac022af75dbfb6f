"""The webhook in Flask: beside `make run`, `.venv/bin/python examples/flask_app.py`. It needs the package flask."""

import os
import signal
from http import HTTPStatus

from flask import Flask, request

from switchboard import Provider, Question

PORT = int(os.environ.get("PORT", "8000"))
URL = os.environ.get("WEBHOOK_URL", f"http://127.0.0.1:{PORT}/webhook")

app = Flask(__name__)
twilio = Provider.from_env() if "TWILIO_ACCOUNT_SID" in os.environ else Provider.local()


def agent(question: Question) -> str:
    """Answer all messages that wait; ask your model here."""
    return f"You wrote: {' / '.join(question.messages)}"


@app.post("/webhook")
def webhook() -> tuple[str, HTTPStatus]:
    """Give the assistant what Twilio tells."""
    return "", twilio.handle_webhook(request, agent)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    with twilio:
        twilio.configure_webhook(URL)
        app.run(port=PORT)
