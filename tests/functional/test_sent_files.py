"""A file of the team's folder reaches the customer, through the whole local stack."""

import shutil
from pathlib import Path

from tests.assistants import APP, BAKERY
from tests.stacks import OUR_WHATSAPP, running

ASSISTANT = """
from switchboard.agent import Answer


def assistant(question):
    return Answer(text="Our menu.", files=("menu.pdf", "https://example.com/cakes"))
"""


def test_a_file_beside_the_assistant_reaches_the_customer_after_the_text(tmp_path: Path) -> None:
    shutil.copytree(BAKERY / "files", tmp_path / "files")
    shutil.copy(APP, tmp_path)
    (tmp_path / "assistant.py").write_text(ASSISTANT)

    with running(changes={("AgentFunction", "CodeUri"): str(tmp_path)}) as stack:
        phone = stack.phone("whatsapp:+12025550119", to=OUR_WHATSAPP)
        phone.text("What do you have?")
        text, file = phone.wait_for_replies(2)
        messages = stack.messages(text["conversation_sid"])

    assert text["body"] == "Our menu.\n\nhttps://example.com/cakes"
    assert [(media["filename"], media["content_type"]) for media in messages[-1]["media"]] == [
        ("menu.pdf", "application/pdf")
    ]
    assert messages[-1]["sid"] == file["message_sid"]
