from threading import Event

from tests.emulator.emulator_server import Served
from tests.emulator.webhook_site import Reply, WebhookSite
from tests.waiting import wait_until


def bodies(site: WebhookSite) -> list[str]:
    return [received.fields["Body"] for received in site.received if received.type == "onMessageAdded"]


def test_a_dropped_webhook_never_comes_and_the_next_one_does(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("drop_webhook", on="onMessageAdded")

    twilio.text("lost")
    twilio.text("told")

    wait_until(lambda: "told" in bodies(site))
    assert bodies(site) == ["told"]


def test_a_duplicated_webhook_comes_twice_under_one_token(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("duplicate_webhook", on="onMessageAdded")

    twilio.text("hi")

    wait_until(lambda: len(bodies(site)) == 2)
    first, second = [received for received in site.received if received.type == "onMessageAdded"]
    assert first.headers["i-twilio-idempotency-token"] == second.headers["i-twilio-idempotency-token"]
    assert (first.fields["RetryCount"], second.fields["RetryCount"]) == ("0", "1")


def test_a_delayed_webhook_comes_once_its_time_has_passed(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("delay_webhook", on="onMessageAdded", seconds=3600)
    twilio.text("late")
    twilio.text("soon")
    wait_until(lambda: bodies(site) == ["soon"])

    twilio.advance_clock(hours=1)

    wait_until(lambda: bodies(site) == ["soon", "late"])


def test_a_reset_forgets_the_webhooks_that_wait(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("delay_webhook", on="onMessageAdded", seconds=60)
    twilio.text("late")
    wait_until(lambda: len(site.received) == 2)

    twilio.request("POST", "/_emulator/reset")
    twilio.advance_clock(minutes=1)

    twilio.text("new")
    wait_until(lambda: "new" in bodies(site))
    assert bodies(site) == ["new"]


def test_a_reordered_webhook_comes_after_the_next_one(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("reorder_webhook", on="onMessageAdded", seconds=3600)

    twilio.text("first")
    twilio.text("second")

    wait_until(lambda: bodies(site) == ["second", "first"])


def test_a_reordered_webhook_that_nothing_overtakes_comes_in_the_end(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("reorder_webhook", on="onMessageAdded", seconds=60)
    twilio.text("only")

    twilio.advance_clock(minutes=1)

    wait_until(lambda: bodies(site) == ["only"])


def test_the_same_seed_strikes_the_same_webhooks(twilio: Served, site: WebhookSite) -> None:
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


def test_faults_are_listed_with_how_often_they_struck(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("drop_webhook", on="onMessageAdded", count=2)
    twilio.text("lost")
    site.waits_for("onConversationAdded", "onParticipantAdded")

    wait_until(lambda: twilio.request("GET", "/_emulator/faults").json()[0]["struck"] == 1)

    (fault,) = twilio.request("GET", "/_emulator/faults").json()
    assert (fault["kind"], fault["count"], fault["on"]) == ("drop_webhook", 2, "onMessageAdded")


def test_disarmed_faults_strike_no_more(twilio: Served, site: WebhookSite) -> None:
    twilio.arm("drop_webhook", rate=1)

    twilio.request("DELETE", "/_emulator/faults")

    twilio.text("hi")
    wait_until(lambda: bodies(site) == ["hi"])
    assert twilio.request("GET", "/_emulator/faults").json() == []


def test_a_fault_without_a_count_or_a_rate_is_refused(twilio: Served) -> None:
    answer = twilio.request("POST", "/_emulator/faults", json={"kind": "drop_webhook"})

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
    assert "count or a rate" in answer.json()["message"]


def test_a_webhook_that_nobody_answers_holds_up_its_own_conversation_and_no_other(
    twilio: Served, site: WebhookSite
) -> None:
    hold = Event()
    site.reply = lambda received: Reply(hold=hold if received.fields.get("Body") == "hangs" else None)
    twilio.text("hangs")
    twilio.text("waits")
    wait_until(lambda: bodies(site) == ["hangs"])

    twilio.text("flows", sender="+12025550111")

    wait_until(lambda: bodies(site) == ["hangs", "flows"])
    hold.set()
    wait_until(lambda: bodies(site) == ["hangs", "flows", "waits"])
