"""`make deploy`: which parameters reach `sam deploy`, and what is asked or refused before."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.aws.template import read_parameters

ROOT = Path(__file__).parents[3]
ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio"
FAKE_SAM = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["RECORDED"], "w") as file:
    json.dump(sys.argv[1:], file)
sys.exit(int(os.environ.get("SAM_FAILS", "0")))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What became of a deployment: its exit code, what was printed, and the options that SAM got, if it ran."""

    code: int
    printed: str
    options: Sequence[str]

    @property
    def parameters(self) -> dict[str, str]:
        overrides = self.options[self.options.index("--parameter-overrides") + 1 :]
        return {name: value for name, _, value in (override.partition("=") for override in overrides)}


def deploy(folder: Path, *options: str, stdin: int = subprocess.DEVNULL, **variables: str) -> Deployment:
    recorded, sam = folder / "recorded.json", folder / "sam"
    sam.write_text(FAKE_SAM)
    sam.chmod(0o755)
    theirs = {"TWILIO_SECRET_ARN", "PARAMETERS", "ARCHITECTURE"}
    environment = {name: value for name, value in os.environ.items() if name not in theirs}
    command = [sys.executable, "-m", "local.deploy", "--template", "built.yaml", "--architecture", "arm64", *options]
    done = subprocess.run(  # noqa: S603 -- our own command
        command,
        cwd=ROOT,
        env={**environment, "PATH": f"{folder}:{os.environ['PATH']}", "RECORDED": str(recorded), **variables},
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    options = json.loads(recorded.read_text()) if recorded.exists() else []
    return Deployment(code=done.returncode, printed=done.stdout + done.stderr, options=options)


def test_the_parameters_that_are_given_reach_sam_and_no_others(tmp_path: Path) -> None:
    parameters = f"AlarmTopicArn={ARN} FallbackSentence='Sorry, \"one\" moment.' PublicUrl="

    deployed = deploy(tmp_path, TWILIO_SECRET_ARN=ARN, PARAMETERS=parameters)

    assert deployed.code == 0, deployed.printed
    assert deployed.parameters == {
        "Architecture": '"arm64"',
        "TwilioSecretArn": f'"{ARN}"',
        "AlarmTopicArn": f'"{ARN}"',
        "FallbackSentence": r'"Sorry, \"one\" moment."',
        "PublicUrl": '""',
    }


def test_a_pipeline_is_asked_nothing(tmp_path: Path) -> None:
    deployed = deploy(tmp_path)

    assert deployed.code == 0
    assert deployed.options[:3] == ["deploy", "--config-file", str(ROOT / "samconfig.toml")]
    assert {"--no-confirm-changeset", "--no-fail-on-empty-changeset"} <= {*deployed.options}
    assert "--guided" not in deployed.options
    assert deployed.parameters == {"Architecture": '"arm64"'}
    assert "make deploy TWILIO_SECRET_ARN=" in deployed.printed


@pytest.mark.parametrize(("typed", "expected"), [(f"{ARN}\n", {"TwilioSecretArn": f'"{ARN}"'}), ("\n", {})])
def test_a_terminal_is_asked_for_the_secret_alone_and_told_what_it_is(
    tmp_path: Path, typed: str, expected: dict[str, str]
) -> None:
    ours, terminal = pty.openpty()
    try:
        os.write(ours, typed.encode())
        deployed = deploy(tmp_path, stdin=terminal)
    finally:
        os.close(ours)
        os.close(terminal)

    assert deployed.parameters == {"Architecture": '"arm64"', **expected}
    assert read_parameters(ROOT / "template.yaml")["TwilioSecretArn"]["Description"] in deployed.printed
    assert deployed.printed.count("keeps the deployed stack's") == 1


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("AlarmTopicARN=x", "template.yaml has no parameter AlarmTopicARN. It has AlarmTopicArn"),
        ("Nonsense=x", "It has TwilioSecretArn, PublicUrl, "),
        ("AlarmTopicArn", "PARAMETERS holds AlarmTopicArn, which is not Name=Value."),
        ("LimitSentence='no end", "PARAMETERS cannot be read: No closing quotation"),
        ("Architecture=x86_64", "set ARCHITECTURE= instead"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_wrong_parameter_is_one_sentence_and_nothing_is_deployed(
    tmp_path: Path, parameters: str, said: str, options: list[str]
) -> None:
    refused = deploy(tmp_path, *options, TWILIO_SECRET_ARN=ARN, PARAMETERS=parameters)

    assert (refused.code, refused.options) == (1, [])
    assert refused.printed.startswith("Cannot deploy: ")
    assert said in refused.printed
    assert refused.printed.count("\n") == 1


def test_a_check_deploys_nothing(tmp_path: Path) -> None:
    checked = deploy(tmp_path, "--check", PARAMETERS="TurnsPerDay=5000")

    assert (checked.code, checked.printed, checked.options) == (0, "", [])


def test_more_options_reach_sam_and_its_exit_code_is_ours(tmp_path: Path) -> None:
    deployed = deploy(tmp_path, "--", "--stack-name", "other", TWILIO_SECRET_ARN=ARN, SAM_FAILS="3")

    assert deployed.code == 3
    assert "--stack-name other" in " ".join(deployed.options)
