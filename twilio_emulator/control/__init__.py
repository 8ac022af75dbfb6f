"""What Twilio has no API for: the customers' phones, the clock, faults and snapshots, under `/_emulator`."""
