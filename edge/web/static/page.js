// SPDX-License-Identifier: Apache-2.0
// Pages for people at a desk: they draw themselves anew when the dock says that something changed. Rows that did not
// change are left alone, so that what somebody is typing stays.

import {listen} from "./wedge.js";

const SILENCE_MS = 5000;
const AGAIN_MS = 1000;
const known = new WeakMap(); // an element to the markup it was made from

for (const row of document.querySelectorAll("[data-live] [data-key]")) known.set(row, row.outerHTML);

// ---- live

let source = null, heard = 0, again = 0, drawing = false, stale = false;

function connect() {
  clearTimeout(again);
  if (source || document.hidden || !document.querySelector("[data-live]")) return;
  heard = performance.now();
  source = new EventSource("/events");
  const own = source;
  for (const name of ["snapshot", "status", "door", "beat"]) {
    own.addEventListener(name, () => {
      if (own !== source) return;
      heard = performance.now();
      mark(false);
      if (name === "snapshot" || name === "status") redraw();
    });
  }
  own.onerror = () => own === source && lost();
}

function disconnect() {
  if (source) source.close();
  source = null;
}

function lost() {
  disconnect();
  mark(true);
  again = setTimeout(connect, AGAIN_MS);
}

function mark(isLost) {
  const banner = document.getElementById("lost");
  if (banner) banner.hidden = !isLost;
  document.body.classList.toggle("old", isLost);
}

setInterval(() => source && performance.now() - heard > SILENCE_MS && lost(), 500);
document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
addEventListener("pagehide", disconnect);
addEventListener("pageshow", connect);

async function redraw() {
  stale = true;
  if (drawing) return;
  drawing = true;
  try {
    while (stale) {
      stale = false;
      const answer = await fetch(location.href, {headers: {Accept: "text/html"}, signal: AbortSignal.timeout(SILENCE_MS)});
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of page.querySelectorAll("[data-live]")) {
        const here = document.querySelector(`[data-live="${part.dataset.live}"]`);
        if (here) renew(here, part);
      }
    }
  } catch {
    // the stream will tell
  } finally {
    drawing = false;
  }
}

function renew(here, there) {
  const rows = [...there.children];
  if (!rows.some((row) => row.dataset.key)) {
    if (!rows.length && here.textContent !== there.textContent) here.textContent = there.textContent;
    return keep(here, there, [...here.children].filter((row) => row.dataset.key), []);
  }
  keep(here, there, [...here.children].filter((row) => row.dataset.key), rows.filter((row) => row.dataset.key));
}

function keep(here, there, old, rows) {
  const by = new Map(old.map((row) => [row.dataset.key, row]));
  for (const row of rows) {
    const had = by.get(row.dataset.key);
    by.delete(row.dataset.key);
    const markup = row.outerHTML;
    const same = had && (known.get(had) || had.outerHTML) === markup;
    const next = same ? had : document.importNode(row, true);
    known.set(next, markup);
    if (had && !same) {
      next.querySelectorAll("details").forEach((part, at) => (part.open = Boolean(had.querySelectorAll("details")[at]?.open)));
      had.remove();
    }
    here.append(next);
  }
  by.forEach((row) => row.remove());
}

// ---- acts

async function act(url, values, place) {
  const fault = place.querySelector(".fault");
  const buttons = place.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  fault.textContent = "";
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify(values),
      signal: AbortSignal.timeout(2 * SILENCE_MS),
    });
    if (!answer.ok) {
      const {error, next} = await answer.json();
      fault.textContent = `${error} ${next}`;
    }
  } catch {
    fault.textContent = "No answer from the dock. Look whether it was done, then press again.";
  }
  buttons.forEach((button) => (button.disabled = false));
  redraw();
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.hold) return;
  event.preventDefault();
  if (!event.submitter || !event.submitter.value) return;
  const values = {decision: event.submitter.value, note: form.elements.note.value};
  const quantity = form.elements.quantity;
  if (quantity && quantity.value.trim()) values.quantity = quantity.value.trim();
  act(`/api/v1/holds/${encodeURIComponent(form.dataset.hold)}`, values, form);
});

addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button) act(button.dataset.post, JSON.parse(button.dataset.body), button.parentElement);
});

// A decision is pressed, never typed: Enter in the note must not take the first one.
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.closest("[data-hold]") && event.target.tagName === "INPUT") event.preventDefault();
});

// ---- scans and signing in

const sign = document.getElementById("sign");

listen({
  line({kind, text}) {
    if (kind !== "scan") return;
    if (sign) {
      sign.elements.token.value = text;
      sign.requestSubmit();
    } else {
      location.assign(`/search?q=${encodeURIComponent(text.slice(0, 200))}`);
    }
  },
});

// /login#<token> signs a screen in without typing; what follows # is not sent, and leaves the history here.
if (sign && location.hash.length > 1) {
  sign.elements.token.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
  sign.requestSubmit();
}

connect();
