// SPDX-License-Identifier: Apache-2.0
// Tells how far an import is while its answer, a page of its own, is awaited.
const form = document.querySelector("form.upload");
const told = document.getElementById("importing");

async function look() {
  try {
    const answer = await fetch("/api/v1/import", { cache: "no-store" });
    const { doing, rows } = await answer.json();
    told.textContent = doing ? `${doing}: ${rows} rows` : "sending the files";
  } catch {
    told.textContent = "the center does not answer";
  }
}

if (form) {
  form.addEventListener("submit", () => {
    told.hidden = false;
    form.querySelector("button").disabled = true;
    setInterval(look, 1000);
  });
}
