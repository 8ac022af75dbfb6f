"""The control API under `/_emulator`: customers, the clock, faults and snapshots, for which Twilio has no API."""
