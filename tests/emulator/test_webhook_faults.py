from threading import Event

import pytest

from tests.emulator.emulator_server import EmulatorServer
from tests.emulator.webhook_site import Reply, WebhookSite
from tests.waiting import wait_until


def bodies(site: WebhookSite) -> list[str]:
    return [received.fields["Body"] for received in site.received if received.type == "onMessageAdded"]


def struck(twilio: EmulatorServer) -> list[int]:
    return [fault["struck"] for fault in twilio.request("GET", "/_emulator/faults").json()]


def test_a_dropped_webhook_is_never_sent_and_the_next_one_is(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("drop_webhook", on="onMessageAdded")

    twilio.text("lost")
    twilio.text("received")

    wait_until(lambda: "received" in bodies(site))
    assert bodies(site) == ["received"]


def test_a_duplicated_webhook_is_sent_twice_with_the_same_token(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("duplicate_webhook", on="onMessageAdded")

    twilio.text("hi")

    wait_until(lambda: len(bodies(site)) == 2)
    first, second = [received for received in site.received if received.type == "onMessageAdded"]
    assert first.headers["i-twilio-idempotency-token"] == second.headers["i-twilio-idempotency-token"]
    assert (first.fields["RetryCount"], second.fields["RetryCount"]) == ("0", "1")


def test_a_delayed_webhook_is_sent_after_its_delay(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("delay_webhook", on="onMessageAdded", seconds=3600)
    twilio.text("late")
    twilio.text("soon")
    wait_until(lambda: bodies(site) == ["soon"])

    twilio.advance_clock(hours=1)

    wait_until(lambda: bodies(site) == ["soon", "late"])


def test_a_reset_discards_delayed_webhooks(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("delay_webhook", on="onMessageAdded", seconds=60)
    twilio.text("late")
    wait_until(lambda: len(site.received) == 2)

    twilio.request("POST", "/_emulator/reset")
    twilio.advance_clock(minutes=1)

    twilio.text("new")
    wait_until(lambda: "new" in bodies(site))
    assert bodies(site) == ["new"]


def test_a_reordered_webhook_is_sent_after_the_next_one(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("reorder_webhook", on="onMessageAdded", seconds=3600)

    twilio.text("first")
    twilio.text("second")

    wait_until(lambda: bodies(site) == ["second", "first"])


def test_a_reordered_webhook_is_sent_after_its_delay_if_there_is_no_next_one(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    twilio.arm("reorder_webhook", on="onMessageAdded", seconds=60)
    twilio.text("only")

    twilio.advance_clock(minutes=1)

    wait_until(lambda: bodies(site) == ["only"])


def test_the_same_seed_drops_the_same_webhooks(twilio: EmulatorServer, site: WebhookSite) -> None:
    def what_comes_through() -> list[str]:
        twilio.request("POST", "/_emulator/reset")
        twilio.arm("drop_webhook", on="onMessageAdded", rate=0.5, seed=7)
        site.received.clear()
        for number in range(20):
            twilio.text(str(number))
        twilio.request("DELETE", "/_emulator/faults")
        twilio.text("end", sender="+12025550119")
        twilio.text("end")
        wait_until(lambda: bodies(site).count("end") == 2)
        return [body for body in bodies(site) if body != "end"]

    first = what_comes_through()

    assert 0 < len(first) < 20
    assert what_comes_through() == first


def test_faults_are_listed_with_the_number_of_times_they_were_triggered(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    twilio.arm("drop_webhook", on="onMessageAdded", count=2)
    twilio.text("lost")
    site.wait_for("onConversationAdded", "onParticipantAdded")

    wait_until(lambda: struck(twilio) == [1])

    (fault,) = twilio.request("GET", "/_emulator/faults").json()
    assert (fault["kind"], fault["count"], fault["on"]) == ("drop_webhook", 2, "onMessageAdded")


def test_removed_faults_no_longer_trigger(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("drop_webhook", rate=1)

    twilio.request("DELETE", "/_emulator/faults")

    twilio.text("hi")
    wait_until(lambda: bodies(site) == ["hi"])
    assert twilio.request("GET", "/_emulator/faults").json() == []


def test_one_fault_is_removed_while_another_goes_on(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.arm("drop_webhook", on="onConversationAdded", rate=1)
    twilio.arm("drop_webhook", on="onMessageAdded", rate=1)
    twilio.text("lost")
    wait_until(lambda: struck(twilio) == [1, 1])
    dropped, goes_on = twilio.request("GET", "/_emulator/faults").json()

    removed = twilio.request("DELETE", f"/_emulator/faults/{dropped['id']}")

    assert removed.json() == dropped
    assert [each["id"] for each in twilio.request("GET", "/_emulator/faults").json()] == [goes_on["id"]]
    twilio.text("new", sender="+12025550119")
    wait_until(lambda: struck(twilio) == [2])
    wait_until(lambda: "onConversationAdded" in site.types())
    assert bodies(site) == []


@pytest.mark.parametrize("fault_id", ["99", "0", "all", "-1"])
def test_removing_a_fault_that_is_not_there_is_404(twilio: EmulatorServer, fault_id: str) -> None:
    assert twilio.request("DELETE", f"/_emulator/faults/{fault_id}").status_code == 404


def test_a_fault_needs_a_count_or_a_rate(twilio: EmulatorServer) -> None:
    answer = twilio.request("POST", "/_emulator/faults", json={"kind": "drop_webhook"})

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
    assert "count or a rate" in answer.json()["message"]


def test_a_slow_webhook_delays_only_its_own_conversation(twilio: EmulatorServer, site: WebhookSite) -> None:
    hold = Event()
    site.reply = lambda received: Reply(hold=hold if received.fields.get("Body") == "hangs" else None)
    twilio.text("hangs")
    twilio.text("waits")
    wait_until(lambda: bodies(site) == ["hangs"])

    twilio.text("flows", sender="+12025550111")

    wait_until(lambda: bodies(site) == ["hangs", "flows"])
    hold.set()
    wait_until(lambda: bodies(site) == ["hangs", "flows", "waits"])
