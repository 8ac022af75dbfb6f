// The page of the emulator alone: its phones. What answers them is whatever the webhooks lead to.
import { render } from "preact";
import { useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { Phones } from "/_emulator/web/phones.js";

const SUGGESTIONS = ["Hello", "Are you there?", "I want to talk to a person"];

function Page() {
  const [conversation, setConversation] = useState(null);
  return html`
    <header class="top">
      <h1>Twilio emulator</h1>
      <p class="quiet">Customers’ phones and a web chat. What they write goes to your webhook; what you send over REST arrives here.</p>
    </header>
    <main>
      <${Phones} selected=${conversation} onSelect=${setConversation} suggestions=${SUGGESTIONS} />
    </main>`;
}

render(html`<${Page} />`, document.getElementById("page"));
