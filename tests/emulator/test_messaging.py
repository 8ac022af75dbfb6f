from tests.emulator.emulator_server import CUSTOMER, OUR_WHATSAPP, EmulatorServer


def test_a_typing_indicator_is_shown_in_its_conversation_for_a_while(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi", sender=f"whatsapp:{CUSTOMER}", to=OUR_WHATSAPP)

    answer = twilio.request(
        "POST",
        "/v2/Indicators/Typing.json",
        data={"channel": "whatsapp", "messageId": sids["channel_message_sid"]},
    )

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert twilio.typing(sids["conversation_sid"]) == ["business"]
    assert twilio.typing(twilio.text("hi")["conversation_sid"]) == []
    twilio.advance_clock(seconds=25)
    assert twilio.typing(sids["conversation_sid"]) == []
