/* What every page has: theme, tabs, menus, toasts, confirm dialog, search key, local times, copy
   buttons. Everything here improves a page that already works without it. */

const root = document.documentElement;

/* Theme: the server renders data-theme from the cookie, so there is no flash. */
function isDark() {
  if (root.dataset.theme) return root.dataset.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax${secure}`;
}

/* Announce to screen readers. */
export function announce(text) {
  const live = document.querySelector("[data-live]");
  if (live) live.textContent = text;
}

/* Toasts: errors stay until dismissed, the rest leaves after a while unless someone looks at it. */
const TOAST_SECONDS = 7;
const TOAST_ICONS = { error: "circle-alert", warning: "triangle-alert", success: "circle-check" };

function dismiss(toast) {
  toast.classList.add("leaving");
  setTimeout(() => toast.remove(), 220);
}

function armToast(toast) {
  toast.querySelector("[data-dismiss]").hidden = false;
  if (toast.classList.contains("error")) return;
  // In the flow of the page it covers nothing, and what is below would jump.
  if (getComputedStyle(toast.parentElement).position === "static") return;
  let left = TOAST_SECONDS;
  const timer = setInterval(() => {
    if (!toast.isConnected) clearInterval(timer);
    else if (!toast.matches(":hover, :focus-within") && --left <= 0) {
      clearInterval(timer);
      dismiss(toast);
    }
  }, 1000);
}

export function setIcon(svg, name) {
  const use = svg.querySelector("use");
  const href = `${root.dataset.sprite}#${name}`;
  // Also the same one again would be drawn anew.
  if (use.getAttribute("href") !== href) use.setAttribute("href", href);
}

export function toast(text, level = "info") {
  const template = document.getElementById("toast-template");
  const stack = document.querySelector("[data-toasts]");
  if (!template || !stack) return;
  const item = template.content.firstElementChild.cloneNode(true);
  item.classList.add(level);
  item.setAttribute("role", level === "error" ? "alert" : "status");
  setIcon(item.querySelector("svg"), TOAST_ICONS[level] || "info");
  item.querySelector("p").textContent = text;
  stack.append(item);
  armToast(item);
  return item;
}

/* Confirm: a form (or its button) with data-confirm asks first, in a native dialog. Without
   script the form is simply sent. */
function ask({ title, text, yes }) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("#confirm-title").textContent = title || "Are you sure?";
  dialog.querySelector("#confirm-text").textContent = text;
  dialog.querySelector("[data-confirm-yes]").textContent = yes || "Continue";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirm"), {
      once: true,
    });
  });
}

function question(element) {
  const { confirm, confirmTitle, confirmYes } = element.dataset;
  return { text: confirm, title: confirmTitle, yes: confirmYes };
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const asker = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!asker.dataset.confirm || !document.getElementById("confirm")) return;
    if (form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const submitter = event.submitter;
    if (await ask(question(asker))) {
      // What refreshes the page may have replaced it meanwhile; the answer was about this one.
      if (!form.isConnected) {
        form.hidden = true;
        document.body.append(form);
      }
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter?.form === form ? submitter : null);
    }
  },
  true,
);

document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await ask({ text: event.detail.question, ...event.target.dataset })) {
    event.detail.issueRequest(true);
  }
});

/* A sent form shows that it is busy and cannot be sent twice. */
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.defaultPrevented || !button?.matches(".btn") || event.target.method === "dialog")
    return;
  setTimeout(() => button.setAttribute("aria-busy", "true"));
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll(".btn[aria-busy]")) {
    button.removeAttribute("aria-busy");
  }
});

/* Whoever signs out leaves no drafts behind. */
document.addEventListener("submit", (event) => {
  if (!event.target.action?.endsWith?.("/signout")) return;
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("hummbl-draft")) localStorage.removeItem(key);
  }
});

/* Tabs: <div role=tablist> of <button role=tab aria-controls=panel>. */
function selectTab(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const on = other === tab;
    other.setAttribute("aria-selected", on);
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
  }
}

function moveTab(event, tab) {
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined) return;
  const target = tabs[(next + tabs.length) % tabs.length];
  selectTab(target);
  target.focus();
  event.preventDefault();
}

/* Passwords can be looked at. */
function togglePassword(button) {
  const input = button.closest("[data-reveal]").querySelector("input");
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", !shown);
}

/* data-copy="text" copies the text; data-copy="#id" what the element says. */
async function copy(button) {
  const what = button.dataset.copy;
  const text = what.startsWith("#") ? document.querySelector(what).textContent.trim() : what;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    announce("Copying was refused by the browser.");
    return;
  }
  const icon = button.querySelector("svg");
  if (icon) setIcon(icon, "check");
  announce("Copied.");
  setTimeout(() => icon && setIcon(icon, "copy"), 1600);
}

/* Times: relative ones keep counting, the others move to the reader's own time zone. */
const exact = formatter({ dateStyle: "full", timeStyle: "long" });
const full = formatter({ dateStyle: "medium", timeStyle: "short" });
const date = formatter({ dateStyle: "medium" });

/* Made when it is asked for: the first one of a page takes the browser 10 ms, and not every page
   has times. */
function formatter(options) {
  let made = null;
  return () => (made ??= new Intl.DateTimeFormat(undefined, options));
}

function ago(seconds) {
  if (seconds < 45) return "just now";
  for (const [size, unit, limit] of [
    [60, "min", 60],
    [3600, "h", 24],
    [86400, "d", 30],
  ]) {
    const count = Math.max(1, Math.round(seconds / size));
    if (count < limit) return `${count} ${unit} ago`;
  }
  return null;
}

export function localTimes(scope = document) {
  for (const time of scope.querySelectorAll("time[data-time]")) {
    const moment = new Date(time.dateTime);
    const style = time.dataset.time;
    const seconds = (Date.now() - moment) / 1000;
    time.title = exact().format(moment);
    if (style === "full") time.textContent = full().format(moment);
    else if (style === "date") time.textContent = date().format(moment);
    else if (seconds >= 0) time.textContent = ago(seconds) ?? date().format(moment);
  }
  for (const span of scope.querySelectorAll("[data-moments]")) {
    const [from, until] = span.dataset.moments.split("/").map((at) => at && new Date(at));
    span.textContent = until ? full().formatRange(from, until) : `${full().format(from)} to now`;
  }
  for (const zone of scope.querySelectorAll("[data-zone]")) zone.textContent = zoneName();
}

function zoneName() {
  const parts = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts();
  return parts.find(({ type }) => type === "timeZoneName").value;
}

/* A moment to be typed: in the reader's own zone too, and sent in UTC, as the page came with it. */
function localInput(input) {
  const typed = (moment) => moment.toISOString().slice(0, 16);
  const given = new Date(`${input.defaultValue}Z`);
  input.value = typed(new Date(given - given.getTimezoneOffset() * 60000));
  input.form.addEventListener("formdata", ({ formData }) => {
    formData.set(input.name, typed(new Date(input.value)));
  });
}

/* The seconds until a limit ends; then the way back is shown as open. */
function countdown(element) {
  let left = Number(element.textContent);
  const again = document.querySelector("[data-again]");
  again?.classList.remove("primary");
  const timer = setInterval(() => {
    left -= 1;
    element.textContent = Math.max(0, left);
    if (left > 0) return;
    clearInterval(timer);
    element.closest("p").textContent = "You can try again now.";
    again?.classList.add("primary");
  }, 1000);
}

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  if (at("[data-theme-toggle]")) switchTheme();
  else if (at("[data-dismiss]")) dismiss(at(".toast"));
  else if (at("[data-reveal] button")) togglePassword(at("[data-reveal] button"));
  else if (at("[data-copy]")) copy(at("[data-copy]"));
  else if (at("[data-back]")) history.back();
  else if (at("[role=tab]")) selectTab(at("[role=tab]"));
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (tab) moveTab(event, tab);
  const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
  const search = document.querySelector("[data-search]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && search?.offsetParent) {
    event.preventDefault();
    search.focus();
  }
});

/* Menus, <details class="menu">: a choice, a click elsewhere or Escape closes them. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    const chosen = event.target.closest(".menu-list a, .menu-list button");
    if (chosen || !menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* A response may carry a toast: HX-Trigger: {"toast": {"text": "…", "level": "success"}}. */
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const said = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  toast(
    (said && xhr.responseText) || "That did not work. Reload the page and try again.",
    "error",
  );
});
document.addEventListener("htmx:sendError", () => {
  toast("The server cannot be reached. Check your connection and try again.", "error");
});
document.addEventListener("htmx:load", (event) => enhance(event.target));

function enhance(scope) {
  for (const button of scope.querySelectorAll("[data-reveal] button")) button.hidden = false;
  for (const button of scope.querySelectorAll("[data-back]")) button.hidden = history.length < 2;
  for (const element of scope.querySelectorAll("[data-countdown]")) countdown(element);
  for (const item of scope.querySelectorAll("[data-toasts] .toast")) armToast(item);
  for (const input of scope.querySelectorAll("input[data-utc]")) localInput(input);
  localTimes(scope);
}

enhance(document);
setInterval(localTimes, 20000);
window.hummbl = { ...window.hummbl, announce, toast, setIcon, localTimes };
