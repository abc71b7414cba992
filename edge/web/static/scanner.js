// SPDX-License-Identifier: Apache-2.0
// Tries out a keyboard scanner: shows what came and asks the dock what to set.

import {listen} from "./wedge.js";

const findings = document.getElementById("findings");

listen({
  async line({text, suffix, gap_ms}) {
    document.getElementById("came").textContent = text.replace(/[\x00-\x1f]/g, (c) => (c === "\x1d" ? "<GS>" : `<${c.charCodeAt(0).toString(16)}>`)).slice(0, 200) + (suffix ? `<${suffix}>` : "");
    const query = new URLSearchParams({received: text.slice(0, 200), suffix, gap_ms: gap_ms.toFixed(1)});
    const answer = await fetch(`/api/v1/scanner-check?${query}`);
    const rows = answer.ok ? await answer.json() : [{right: false, text: (await answer.json()).error}];
    findings.replaceChildren(...rows.map((row) => {
      const item = document.createElement("li");
      item.className = row.right ? "right" : "wrong";
      item.textContent = row.text;
      return item;
    }));
  },
});
