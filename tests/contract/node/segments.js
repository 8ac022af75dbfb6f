// Reads texts, [text], as JSON; writes for each how many segments Twilio's package counts.

import { readFileSync } from "node:fs";
import segments from "sms-segments-calculator";

const texts = JSON.parse(readFileSync(0, "utf8"));
const counts = texts.map((text) => new segments.SegmentedMessage(text).segmentsCount);
process.stdout.write(JSON.stringify(counts));
