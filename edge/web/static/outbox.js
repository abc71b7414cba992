// SPDX-License-Identifier: Apache-2.0
// Scans that the dock has not answered yet. Each is kept under a key of its own until it is answered, so that two
// tabs never overwrite each other's, and carries the id by which the dock knows a repetition.

const KEPT_MAX = 100;
const KEPT_MS = 10 * 60 * 1000; // what was scanned longer ago may belong to a truck that has left

export function newId() {
  // crypto.randomUUID is absent on plain http.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  constructor(door) {
    this.prefix = `zonegate:${door}:`;
    this.sending = false;
  }

  keys() {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix)).sort();
  }

  get size() {
    return this.keys().length;
  }

  // False when no more can be kept.
  keep(code) {
    if (this.size >= KEPT_MAX) return false;
    const id = newId();
    try {
      localStorage.setItem(`${this.prefix}${String(Date.now()).padStart(15, "0")}:${id}`, JSON.stringify({code, client_id: id}));
    } catch {
      return false;
    }
    return true;
  }

  // Takes out what is too old; returns how many.
  expire() {
    const old = this.keys().filter((key) => Date.now() - Number(key.slice(this.prefix.length).split(":")[0]) > KEPT_MS);
    old.forEach((key) => localStorage.removeItem(key));
    return old.length;
  }

  // Sends in order through `post(scan)`, which says "done" or "keep"; stops at the first that must be kept.
  async flush(post) {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let keys = this.keys(); keys.length; keys = this.keys()) {
        const scan = localStorage.getItem(keys[0]);
        if (scan !== null && (await post(JSON.parse(scan))) !== "done") return;
        localStorage.removeItem(keys[0]);
      }
    } finally {
      this.sending = false;
    }
  }
}
