// Reads webhooks, [{token, signature, url, fields}], as JSON; writes for each whether Node's twilio package accepts it.

import { readFileSync } from "node:fs";
import twilio from "twilio";

const webhooks = JSON.parse(readFileSync(0, "utf8"));
const accepted = webhooks.map(({ token, signature, url, fields }) => twilio.validateRequest(token, signature, url, fields));
process.stdout.write(JSON.stringify(accepted));
