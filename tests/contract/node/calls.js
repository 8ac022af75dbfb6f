// Makes the calls in calls.json with Node's twilio package; calls.py does the same with Python's.
// Reads {url, account, token, known} as JSON; writes the result, the refusal or the failure of each step and its requests.

import { readFileSync } from "node:fs";
import twilio from "twilio";

const { url, account, token, known } = JSON.parse(readFileSync(0, "utf8"));
const { steps } = JSON.parse(readFileSync(new URL("../calls.json", import.meta.url), "utf8"));

class Recording extends twilio.RequestClient {
  requests = [];

  request(options) {
    const { pathname, search } = new URL(options.uri);
    this.requests.push(`${options.method.toUpperCase()} ${pathname}`);
    return super.request({ ...options, uri: url + pathname + search });
  }
}

const outcomeOf = async (client, step, results) => {
  try {
    return { gives: written(await called(client, step, results)) };
  } catch (error) {
    const { status, code, message } = error;
    return status ? { refused: { status, code, message } } : { failed: String(error.stack) };
  }
};

const called = (client, step, results) => {
  const path = [...resolved(step.call, results).matchAll(/(\w+)(\(.*?\))?/g)];
  const [, verb] = path.pop();
  let resource = client.conversations.v1;
  for (const [, name, argument] of path) {
    resource = resource[camel(name)];
    if (argument) resource = resource(...[argument.slice(1, -1)].filter(Boolean));
  }
  const method = verb === "delete" ? "remove" : verb;
  if (!step.with) return resource[method]();
  const given = Object.entries(step.with).map(([name, value]) => [parameter(name), native(resolved(value, results))]);
  return resource[method](Object.fromEntries(given));
};

// messagingBinding.address of MessagingBinding.Address
const parameter = (name) => name.replaceAll("-", "").replace(/(^|\.)[A-Z]/g, (start) => start.toLowerCase());
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const native = (value) => (value?.date ? new Date(value.date) : value);

// A result as JSON: attributes by their names in Twilio's bodies.
const written = (result) => {
  if (Array.isArray(result)) return result.map(written);
  if (typeof result !== "object") return result;
  return Object.fromEntries(Object.entries(result.toJSON()).map(([name, value]) => [snake(name), attribute(value)]));
};

const attribute = (value) => {
  if (!(value instanceof Date)) return value ?? null;
  return { date: value.toISOString().replace(".000Z", "Z") };
};

// A value of the script with its references, such as $shop.sid, replaced.
const resolved = (value, results) => {
  if (Array.isArray(value)) return value.map((each) => resolved(each, results));
  if (typeof value !== "string") return value;
  return value.replace(/\$(\w+(?:\.\w+)+)/g, (_, path) => path.split(".").reduce((from, part) => from[part], results));
};

const httpClient = new Recording();
const results = { ...known };
const outcomes = [];
for (const step of steps) {
  httpClient.requests = [];
  const outcome = await outcomeOf(twilio(account, step.token ?? token, { httpClient }), step, results);
  outcomes.push({ ...outcome, requests: httpClient.requests });
  if (step.as) results[step.as] = outcome.gives;
}
process.stdout.write(JSON.stringify(outcomes));
