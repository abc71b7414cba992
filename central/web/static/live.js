// SPDX-License-Identifier: Apache-2.0
// Keeps a page live: on news from the center, or every so often, the page is fetched again and its main
// part replaced. The stream is closed while the page is hidden, for browsers open six per host.
const main = document.querySelector("main[data-live]");
const nolink = document.getElementById("nolink");
let stream = null;
let busy = false;
let again = false;

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    for (const id of ["cases-count", "lending"]) {
      const part = page.getElementById(id);
      if (part && part.innerHTML !== document.getElementById(id).innerHTML) document.getElementById(id).replaceWith(part);
    }
    if (fresh && fresh.innerHTML !== main.innerHTML) main.replaceChildren(...fresh.childNodes);
    linked(true);
  } catch {
    linked(false);
  } finally {
    busy = false;
    if (again) { again = false; refresh(); }
  }
}

function linked(yes) {
  nolink.hidden = yes;
  main.classList.toggle("stale", !yes);
}

function open() {
  stream = new EventSource("/events");
  stream.addEventListener("changed", refresh);
  stream.addEventListener("error", () => {
    linked(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => { if (!document.hidden) { close(); open(); } }, 3000);
  });
}

function close() {
  if (stream) stream.close();
  stream = null;
}

if (main) {
  document.addEventListener("visibilitychange", () => { close(); if (!document.hidden) open(); });
  addEventListener("pagehide", close);
  if (!document.hidden) open();
  const every = Number(main.dataset.every);
  if (every) setInterval(() => { if (!document.hidden) refresh(); }, every * 1000);
}
