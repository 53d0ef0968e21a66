/* Saving in place: whatever goes wrong, what was typed stays on the page. */

import { drop, store, tellSaved } from "./drafts.js";
import { forget, show } from "./problems.js";
import { form, settle, toast } from "./parts.js";

let busy = false;

function ask(words, level, link) {
  const item = toast(words, level);
  if (!link || !item) return;
  const anchor = document.createElement("a");
  anchor.className = "btn sm";
  anchor.target = "_blank";
  anchor.rel = "noopener";
  [anchor.href, anchor.textContent] = link;
  item.querySelector("p").after(anchor);
}

const isSignIn = (response) => response.redirected && new URL(response.url).pathname.startsWith("/signin");

function sayEnded(url) {
  ask("Your session has ended. Sign in again in a new tab, then save here; nothing is lost.", "error", [url, "Sign in"]);
}

async function answered(response) {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (isSignIn(response)) sayEnded(response.url);
  else if (!isJson) ask(refusals[response.status] ?? `Not saved: the server answered ${response.status}. Try again; nothing is lost.`, "error");
  else {
    const answer = await response.json();
    if (response.ok) leave(answer);
    else if (response.status === 409) conflict(answer);
    else show(answer.errors, { sent: true });
  }
}

const refusals = {
  403: "You may not change this workflow any more. What you typed is still on this page.",
  404: "This workflow is not there any more. What you typed is still on this page.",
};

/* Who has signed in again has a new token: the one of this page is taken from a fresh copy. */
async function renewToken() {
  const response = await fetch(location.pathname);
  if (isSignIn(response)) return response;
  const copy = new DOMParser().parseFromString(await response.text(), "text/html");
  const token = copy.querySelector("#workflow-form [name=csrfmiddlewaretoken]")?.value;
  if (!token) return response;
  form.elements.csrfmiddlewaretoken.value = token;
  return null;
}

async function send(button) {
  const body = new FormData(form);
  body.set("action", button?.value || "save");
  return fetch(location.pathname, { method: "POST", body, headers: { Accept: "application/json" } });
}

async function sendWithFreshToken(button) {
  const response = await send(button);
  if (response.status !== 403) return response;
  return (await renewToken()) ?? send(button);
}

function leave({ url, version }) {
  drop();
  tellSaved(version);
  location.assign(url);
}

function conflict({ banner, version }) {
  const holder = form.querySelector("[data-notices]");
  holder.innerHTML = banner;
  form.elements.version.value = version;
  window.hummbl.localTimes(holder);
  holder.firstElementChild.scrollIntoView({ block: "center" });
}

export async function save(button) {
  if (busy) return;
  busy = true;
  forget();
  settle(); // Someone may be faster than the pause after the last key.
  store();
  const shown = button?.matches(".btn") ? button : form.querySelector(".btn.primary[value=save]");
  shown.setAttribute("aria-busy", "true");
  try {
    await answered(await sendWithFreshToken(button));
  } catch {
    ask("The server cannot be reached, so nothing was saved. What you typed is kept; try again.", "error");
  } finally {
    busy = false;
    shown.removeAttribute("aria-busy");
  }
}
