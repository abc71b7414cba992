// SPDX-License-Identifier: Apache-2.0
// Keyboard scanners: tells a scan from a person who types, wherever the focus is.
// A scan's characters come at most 50 ms apart and end with Enter or Tab. GS comes as Ctrl+] or Alt+029.

const GAP_MS = 50;
const IDLE_MS = 3000; // a key somebody leaned on is forgotten after this
const UNENDED_MS = 700;
const SHORTEST = 3; // nothing shorter is printed on a label
const RUN = 4; // so many fast characters in a row are no person
const LONGEST = 16384; // what the dock takes; the rest of a longer one is dropped there too

// on.line({kind, text, suffix, gap_ms}): kind is "scan", "typed", "pieces" (a scan mixed with slow keys) or
// "unended" (a scan without suffix). on.typing(text), optional: the line as it stands.
export function listen(on) {
  let line = [];
  let field = null;
  let alt = "";
  let timer = 0;

  function forget() {
    line = [];
    field = null;
    alt = "";
    clearTimeout(timer);
  }

  function facts() {
    let gap = 0, run = 1, longest = line.length ? 1 : 0;
    for (let i = 1; i < line.length; i++) {
      const step = line[i].at - line[i - 1].at;
      gap = Math.max(gap, step);
      run = step <= GAP_MS ? run + 1 : 1;
      longest = Math.max(longest, run);
    }
    return {gap, longest, text: line.map((key) => key.text).join("")};
  }

  function end(suffix, event) {
    const {gap, longest, text} = facts();
    let kind = "typed";
    if (text.length >= SHORTEST && gap <= GAP_MS) kind = suffix ? "scan" : "unended";
    else if (longest >= RUN) kind = "pieces";
    const own = field;
    forget();
    if (!suffix && kind === "typed") return;
    if (own && kind !== "scan") return; // a person fills in a field: the page's own business
    if (own) own.element.value = own.before;
    if (event && (kind !== "typed" || !own)) event.preventDefault();
    on.line({kind, text, suffix, gap_ms: gap});
  }

  function push(text, at, target) {
    const last = line[line.length - 1];
    if (last && at - last.at > IDLE_MS) forget();
    if (!line.length && editable(target)) field = {element: target, before: target.value};
    if (line.length < LONGEST) line.push({text, at});
    clearTimeout(timer);
    timer = setTimeout(() => (facts().gap <= GAP_MS && line.length > 5 ? end("", null) : 0), UNENDED_MS);
    if (on.typing && !field) on.typing(facts().text);
  }

  function inBurst(at) {
    const last = line[line.length - 1];
    return Boolean(last) && at - last.at <= GAP_MS;
  }

  addEventListener("keydown", (event) => {
    const at = event.timeStamp;
    if (event.altKey && !event.ctrlKey) {
      const digit = /^(?:Numpad|Digit)([0-9])$/.exec(event.code) || /^([0-9])$/.exec(event.key);
      if (digit) {
        alt += digit[1];
        event.preventDefault();
      }
      if (digit || event.key === "Alt") return;
    }
    if (event.key === "Enter" || event.key === "Tab") {
      const last = line[line.length - 1];
      if (last && at - last.at > IDLE_MS) forget();
      if (line.length) end(event.key, event);
      return;
    }
    if (event.key === "Escape") return forget();
    if (event.key === "Backspace") {
      line.pop();
      if (on.typing && !field) on.typing(facts().text);
      return;
    }
    const text = character(event, inBurst(at));
    if (text === "") return;
    const burst = inBurst(at);
    push(text, at, event.target);
    const control = text < " ";
    if (control || (!editable(event.target) && (burst || text === "/" || text === "'"))) event.preventDefault();
  }, true);

  addEventListener("keyup", (event) => {
    if (event.key !== "Alt" || alt === "") return;
    const code = Number(alt);
    alt = "";
    if (code > 0 && code < 256) push(String.fromCharCode(code), event.timeStamp, event.target);
  }, true);
}

function character(event, burst) {
  if (event.metaKey || event.isComposing) return "";
  if (event.ctrlKey && !event.altKey) {
    const at = "[\\]^_".indexOf(event.key);
    if (at >= 0) return String.fromCharCode(27 + at);
    if (event.code === "BracketRight") return "\x1d"; // the same key under another layout
    // Ctrl+D is EOT of ISO 15434 inside a scan, and the browser's own outside of one.
    if (burst && /^[a-z]$/i.test(event.key)) return String.fromCharCode(event.key.toUpperCase().charCodeAt(0) - 64);
    return event.key.length === 1 && event.key < " " ? event.key : "";
  }
  return [...event.key].length === 1 ? event.key : "";
}

function editable(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}
