// The page: three phones, what happens behind them, a human's desk, and switches that break things.
import { render } from "preact";
import { useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { Phones } from "/_emulator/web/phones.js";
import { Behind } from "/_page/web/behind.js";
import { Breaking } from "/_page/web/breaking.js";
import { Desk } from "/_page/web/desk.js";
import { Storm } from "/_page/web/storm.js";

const PANELS = { Desk, "Break it": Breaking, Storm };

function Page() {
  const [conversation, setConversation] = useState(null); // the SID of the selected one
  const [panel, setPanel] = useState("Desk");
  const Panel = PANELS[panel];
  const names = Object.keys(PANELS);

  function onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = names[(names.indexOf(panel) + step + names.length) % names.length];
    setPanel(next);
    document.getElementById(`tab-${next}`).focus();
  }

  return html`
    <header class="top">
      <h1>Switchboard</h1>
      <p class="quiet">
        One assistant behind SMS, WhatsApp and web chat. Text it as a customer would. Make it yours in${" "}
        <code class="mono">functions/agent/assistant.py</code>: what you save answers the next text.
      </p>
    </header>
    <main>
      <${Phones} selected=${conversation} onSelect=${setConversation} />
      <div class="panel card">
        <div role="tablist" class="tabs" aria-label="What to look at">
          ${names.map(
            (name) => html`<button role="tab" id=${`tab-${name}`} aria-selected=${name === panel} aria-controls="panel"
              tabindex=${name === panel ? 0 : -1} onClick=${() => setPanel(name)} onKeyDown=${onKey}>${name}</button>`,
          )}
        </div>
        <div id="panel" role="tabpanel" aria-labelledby=${`tab-${panel}`} tabindex="0">
          <${Panel} conversation=${conversation} onSelect=${setConversation} />
        </div>
      </div>
      <${Behind} conversation=${conversation} />
    </main>`;
}

render(html`<${Page} />`, document.getElementById("page"));
