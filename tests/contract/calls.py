"""Makes the calls in `calls.json` with Python's `twilio` package; `node/calls.js` does the same with Node's."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioRestException
from twilio.http.response import Response
from twilio.rest import Client

from tests.emulator.emulator_server import ACCOUNT, TOKEN, RedirectingHttpClient

type Step = Mapping[str, Any]
type Outcome = dict[str, Any]


def perform(steps: Sequence[Step], *, url: str, known: Mapping[str, Any]) -> list[Outcome]:
    """Return the result, the refusal or the failure of each step, and the requests that it made."""
    http = _Recording(url)
    results, outcomes = dict(known), []
    for step in steps:
        http.requests = []
        outcome = _outcome(Client(ACCOUNT, step.get("token", TOKEN), http_client=http), step, results)
        outcomes.append({**outcome, "requests": http.requests})
        if "as" in step:
            results[step["as"]] = outcome.get("gives")
    http.session.close()
    return outcomes


def _outcome(client: Client, step: Step, results: Mapping[str, Any]) -> Outcome:
    try:
        return {"gives": _written(_called(client, step, results))}
    except TwilioRestException as error:
        # The package puts a text of its own before Twilio's message.
        return {"refused": {"status": error.status, "code": error.code, "message": error.msg.partition("record: ")[2]}}
    except Exception as error:  # noqa: BLE001 -- the test reports any error with the name of the step
        return {"failed": repr(error)}


def _called(client: Client, step: Step, results: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- as the package types it
    *path, (verb, _) = re.findall(r"(\w+)(\(.*?\))?", resolved(step["call"], results))
    resource = client.conversations.v1
    for name, argument in path:
        resource = getattr(resource, name)
        if argument:
            resource = resource(*filter(None, [argument[1:-1]]))
    given = {_parameter(name): _native(resolved(value, results)) for name, value in step.get("with", {}).items()}
    return getattr(resource, verb)(**given)


def _parameter(name: str) -> str:
    """Return the package's name of a form's parameter: `messaging_binding_address` of `MessagingBinding.Address`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[.-]", "_", name).lower()


def _native(value: Any) -> Any:  # noqa: ANN401 -- JSON
    return datetime.fromisoformat(value["date"]) if isinstance(value, dict) else value


def _written(result: Any) -> Any:  # noqa: ANN401 -- as the package types it
    """Return a result as JSON: attributes by their names in Twilio's bodies, which are the package's, too."""
    if isinstance(result, list):
        return [_written(each) for each in result]
    if not hasattr(result, "__dict__"):
        return result
    return {name: _attribute(value) for name, value in vars(result).items() if not name.startswith("_")}


def _attribute(value: Any) -> Any:  # noqa: ANN401 -- as the package types it
    if not isinstance(value, datetime):
        return value
    return {"date": value.astimezone(UTC).isoformat().replace("+00:00", "Z")}


def resolved(value: Any, results: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    """Return a value of the script with its references, such as `$shop.sid`, replaced."""
    match value:
        case str():
            return re.sub(r"\$(\w+(?:\.\w+)+)", lambda found: str(_at(found[1], results)), value)
        case list():
            return [resolved(each, results) for each in value]
        case dict():
            return {name: resolved(each, results) for name, each in value.items()}
        case _:
            return value


def _at(path: str, value: Any) -> Any:  # noqa: ANN401 -- JSON
    for part in path.split("."):
        value = value[int(part) if part.isdigit() else part]
    return value


class _Recording(RedirectingHttpClient):
    requests: list[str]

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 -- passed through
        self.requests.append(f"{method} {urlsplit(url).path}")
        return super().request(method, url, *args, **kwargs)
