// SPDX-License-Identifier: Apache-2.0
// The worker's screen of one door. It shows what the dock says and nothing of its own, but NO LINK.

import {Outbox, newId} from "./outbox.js";
import {soundboard} from "./sound.js";
import {listen} from "./wedge.js";

const SILENCE_MS = 5000; // the dock speaks every 2 s
const AGAIN_MS = 1000;
const ACCEPTED_MS = 6000; // then the screen looks READY, and keeps its count
const FRESH_MS = 5000; // what is older than this was heard before
const SHOWN_MAX = 80;

const body = document.body;
const door = body.dataset.door;
const url = `/api/v1/doors/${encodeURIComponent(door)}`;
const $ = (id) => document.getElementById(id);
const text = (key) => body.getAttribute(`data-t-${key.toLowerCase()}`);
const outbox = new Outbox(door);
const play = soundboard((off) => ($("mute").hidden = !off));

let source = null, heard = 0, again = 0; // the link
let view = null, acceptedUntil = 0, sounded = ""; // what the dock said last
let notice = "", held = ""; // a local word; the code on which a prompt was opened
let digits = "", typed = "", touched = false, undoId = "";
let sent = {}, asking = false; // the last quantity sent

// ---- the link

function connect() {
  clearTimeout(again);
  if (source || document.hidden) return;
  heard = performance.now();
  source = new EventSource(`/events?door=${encodeURIComponent(door)}`);
  const own = source;
  const on = (name, act) => own.addEventListener(name, (event) => {
    if (own !== source) return;
    heard = performance.now();
    act(JSON.parse(event.data));
    if (outbox.size) flush();
  });
  on("snapshot", take);
  on("door", take);
  on("strip", ({lines}) => {
    $("strip").hidden = !lines.length;
    $("strip").lastElementChild.textContent = lines.join(" ");
  });
  on("beat", () => {});
  own.onerror = () => own === source && lost();
}

function disconnect() {
  if (source) source.close();
  source = null;
  view = null;
}

function lost() {
  const had = view !== null;
  disconnect();
  if (had) play("NOLINK");
  $("strip").hidden = true;
  draw();
  again = setTimeout(connect, AGAIN_MS);
  if (!had) why();
}

// The stream does not tell why it was refused; the door itself does.
async function why() {
  try {
    const answer = await fetch(url, {signal: AbortSignal.timeout(SILENCE_MS)});
    if (answer.status >= 400 && answer.status < 500) say(sentence(await answer.json()));
  } catch {
    // no link: that is what the screen says already
  }
}

setInterval(() => {
  if (source && performance.now() - heard > SILENCE_MS) lost();
  else if (view && acceptedUntil && Date.now() > acceptedUntil) draw();
}, 500);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) disconnect(); // a browser opens six streams to a host, then stalls
  draw();
  if (!document.hidden) connect();
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", connect);

// ---- what the dock says

function take(news) {
  const age = news.at ? Date.parse(news.now) - Date.parse(news.at) : Infinity;
  const name = `${news.at} ${news.state} ${news.reason} ${news.code}`;
  const fresh = name !== sounded && age < FRESH_MS;
  acceptedUntil = news.state === "ACCEPTED" ? Date.now() + ACCEPTED_MS - age : 0;
  if (name !== sounded) {
    notice = "";
    undoId = "";
  }
  sounded = name;
  view = news;
  const prompt = news.prompt && news.prompt.kind === "quantity" ? news.prompt.hold : "";
  if (prompt !== held) {
    held = prompt;
    digits = prompt && news.quantity !== null ? plain(news.quantity) : "";
    typed = "";
    touched = false;
  }
  draw();
  if (fresh) {
    setTimeout(play, 0, news.state); // the word first
    blink();
    announce(`${text(look())}. ${news.sentence} ${news.step}`, news.state !== "READY" && news.state !== "ACCEPTED");
  }
}

function look() {
  if (!view) return "NOLINK";
  return view.state === "ACCEPTED" && Date.now() > acceptedUntil ? "READY" : view.state;
}

function draw() {
  const state = look();
  const faded = view && view.state !== state;
  if (faded) acceptedUntil = 0;
  if (body.dataset.state !== state && state === "NOLINK" && !document.hidden) announce(text("NOLINK"), true);
  body.dataset.state = state;
  use($("icon"), state);
  $("word").textContent = text(state);
  $("sentence").textContent = view ? (faded ? "" : view.sentence) : text("lost");
  $("step").textContent = view ? view.step : text("lost_step");
  drawNotice();
  body.classList.toggle("asks", Boolean(view && held));
  $("ask").hidden = !(view && held);
  $("facts").hidden = !view;
  if (view) drawFacts();
  fitSoon();
}

function drawFacts() {
  const job = view.job;
  $("truck").textContent = job ? job.conveyance : "";
  $("count").hidden = !job;
  $("count").firstElementChild.textContent = view.counted;
  $("count").lastElementChild.textContent = view.planned ? `${text("of")} ${view.planned}` : "";
  const [arrow, way] = $("way").children;
  arrow.toggleAttribute("hidden", !job);
  way.textContent = job ? text(job.direction) : "";
  if (job) use(arrow, job.direction);
  $("amount").textContent = view.quantity === null ? "" : `${plain(view.quantity)} ${view.unit || ""}`;
  $("what").textContent = short([view.product_name, view.remark].filter(Boolean).join(": "));
  $("code").textContent = short(view.identity || view.code);
  $("undo").hidden = !view.can_undo;
  if (held) {
    const {text: asked} = view.prompt, goods = view.product_name || "";
    $("question").textContent = short(goods && !asked.includes(goods) ? `${goods}: ${asked}` : asked);
    if (asked === view.sentence) $("sentence").textContent = "";
    $("digits").textContent = shownDigits();
    $("confirm").disabled = asking || !/^\d{1,12}(\.\d{1,6})?$/.test(shownDigits());
  } else if (view.prompt) {
    $("sentence").textContent = view.prompt.text;
  }
}

function drawNotice() {
  const kept = !view && outbox.size;
  const said = kept ? text(kept === 1 ? "kept_one" : "kept_many").replace("{n}", kept) : notice;
  $("notice").hidden = !said;
  if ($("notice").textContent !== said) $("notice").textContent = said;
}

function say(words) {
  notice = words;
  draw();
}

function announce(words, urgent) {
  $("alert").textContent = urgent ? words : "";
  $("status").textContent = urgent ? "" : words;
}

// Laying out takes longer than all the rest: once a frame, just before it is painted.
let fitting = 0;
function fitSoon() {
  cancelAnimationFrame(fitting);
  fitting = requestAnimationFrame(fit);
}

function blink() {
  body.classList.remove("news");
  requestAnimationFrame(() => requestAnimationFrame(() => body.classList.add("news")));
}

// Long sentences get smaller until they fit; the state's word does not change.
function fit() {
  const room = $("say");
  for (const scale of [1, 0.9, 0.8, 0.72, 0.64, 0.56, 0.48]) {
    room.style.setProperty("--fit", scale);
    if (room.scrollHeight <= room.clientHeight) return;
  }
}
new ResizeObserver(fit).observe($("say")); // the window, or the strip above it, changed

// ---- what the worker does

listen({
  line({kind, text: code}) {
    if (held && /^[0-9.]{1,5}$/.test(code)) return confirm(); // a number typed fast is still a number
    typed = "";
    if (kind === "scan") send(code);
    else if (kind === "typed") code.trim() && send(code.trim());
    else say(text("pieces"));
    if (held) draw();
  },
  typing(line) {
    typed = held && /^[0-9.]*$/.test(line) ? line : "";
    if (held) draw();
  },
});

addEventListener("keydown", (event) => {
  if (!held || event.defaultPrevented || event.target.closest("button")) return;
  if (event.key === "Enter" && !typed) confirm();
  if (event.key === "Backspace" && !typed) press("Backspace");
});

function send(code) {
  const kept = outbox.keep(code);
  if (!kept) return say(text("full"));
  if (view) flush();
  else draw();
}

function flush() {
  if (outbox.expire()) say(text("stale"));
  return outbox.flush(async (scan) => {
    const answer = await post("scan", scan);
    if (!answer || answer.status >= 500 || answer.status === 429) return "keep";
    if (answer.status === 401 || answer.status === 403) {
      say(text("signed_out"));
      return "keep";
    }
    if (!answer.ok) say(sentence(await answer.json()));
    return "done";
  });
}

async function post(act, values) {
  try {
    return await fetch(`${url}/${act}`, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify(values),
      signal: AbortSignal.timeout(2 * SILENCE_MS),
    });
  } catch {
    return null;
  }
}

function shownDigits() {
  return typed ? typed : digits;
}

function press(key) {
  digits = shownDigits();
  typed = "";
  if (key === "Backspace") digits = touched ? digits.slice(0, -1) : "";
  else digits = (touched ? digits : "") + key;
  digits = digits.slice(0, 19);
  touched = true;
  draw();
}

async function confirm() {
  digits = shownDigits();
  typed = "";
  draw();
  if ($("confirm").disabled) return;
  // Pressed again after a lost answer, it is still the same act; another number is another one.
  if (sent.hold !== held || sent.quantity !== digits) sent = {hold: held, quantity: digits, client_id: newId()};
  asking = true;
  draw();
  await act("quantity", sent);
  asking = false;
  draw();
}

async function act(name, values) {
  const answer = await post(name, values);
  if (!answer || answer.status >= 500) say(text("unsent"));
  else if (answer.status === 401 || answer.status === 403) say(text("signed_out"));
  else if (!answer.ok) say(sentence(await answer.json()));
}

$("keys").addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  if (key) press(key.dataset.key);
});
$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  confirm();
});
$("undo").addEventListener("click", () => {
  undoId = undoId || newId();
  act("undo", {client_id: undoId});
});
// A button that keeps the focus would be pressed by the next scan's Enter.
addEventListener("click", (event) => event.detail && document.activeElement && document.activeElement.blur());

// ---- small things

function use(svg, name) {
  svg.firstElementChild.setAttribute("href", `#i-${name}`);
}

function sentence(answer) {
  return `${answer.error} ${answer.next}`;
}

function short(words) {
  return words.length > SHOWN_MAX ? `${words.slice(0, SHOWN_MAX)}...` : words;
}

function plain(quantity) {
  return quantity.includes(".") ? quantity.replace(/\.?0+$/, "") : quantity;
}

draw();
connect();
