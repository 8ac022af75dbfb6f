"""What a model reads after a human had the conversation, and after a failure: over HTTP, on the whole local stack."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.stacks import Running, running
from tests.waiting import wait_until

BUG = "break, please"  # the stub of the model refuses a request that ends with it


@contextmanager
def bedrock() -> Iterator[tuple[str, list[list[str]]]]:
    """Serve Bedrock's Converse API; yield its URL, and the messages of each request: who speaks, then the texts."""
    requests: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            read = [
                " | ".join([each["role"], *(part["text"] for part in each["content"])]) for each in asked["messages"]
            ]
            requests.append(read)
            if read[-1].endswith(BUG):
                self._respond(400, {"message": "no"})
            else:
                content = [{"text": f"Answer {len(requests)}."}]
                usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
                output = {"message": {"role": "assistant", "content": content}}
                self._respond(
                    200, {"output": output, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}
                )

        def _respond(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("x-amzn-ErrorType", "ValidationException")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_model_reads_a_humans_words_our_notice_and_that_it_has_the_conversation_again() -> None:
    with bedrock() as (url, requests):
        environment = {"ASSISTANT_MODEL": "bedrock:stub", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url}
        with running(environment=environment) as stack:
            phone = stack.phone("+12025550180")
            conversation_sid = phone.text("My order is broken.")["conversation_sid"]
            phone.wait_for_replies()
            rest(stack, f"{conversation_sid}/Messages", Author="robin", Body="I have refunded the 80 dollars.")
            phone.wait_for_replies(2)
            phone.text("Thank you, Robin")
            wait_until(lambda: len(stack.turns(conversation_sid)) == 2 and stack.queued() == 0)
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            owner = {"switchboard": {"owner": "assistant", "at": at}}
            rest(stack, conversation_sid, Attributes=json.dumps(owner))
            phone.wait_for_replies(3)
            phone.text(BUG)
            phone.wait_for_replies(4)
            phone.text("YES")
            phone.wait_for_replies(5)
            fallback = stack.environment("AgentFunction")["FALLBACK_SENTENCE"]

    after_hand_back, last = requests[1], requests[-1]
    assert after_hand_back[:2] == ["user | My order is broken.", "assistant | Answer 1."]
    assert after_hand_back[2].startswith(
        'user | <note>A human took the conversation over.</note>\n\n<note from="human"'
    )
    assert "I have refunded the 80 dollars.</note>" in after_hand_back[2]
    assert "<note>The assistant has the conversation again.</note>" in after_hand_back[2]
    assert after_hand_back[2].endswith(" | Thank you, Robin")
    assert last[3] == "assistant | Answer 2."
    assert last[4].startswith(f'user | {BUG}\n\n<note from="notice">{fallback}</note>')
    assert last[4].endswith(" | YES")


def rest(stack: Running, path: str, **form: str) -> None:
    """Change something at Twilio as a helpdesk does, with webhooks."""
    account = stack.stack.twilio_account
    response = stack.http.post(
        f"{stack.stack.twilio_url}/v1/Services/{account.service_sid}/Conversations/{path}",
        data=form,
        headers={"X-Twilio-Webhook-Enabled": "true"},
        auth=(account.account_sid, account.auth_token),
    )
    assert response.status_code in {200, 201}, response.text
