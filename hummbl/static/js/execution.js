/* The page of a run: three views of its tasks, one task opened beside them, and while it runs
   everything as it happens. Without script the views and tasks are links, and the page is as it
   was when it was loaded. */

import { Notice } from "./execution/notice.js";
import { Panel } from "./execution/panel.js";
import { Views } from "./execution/views.js";

const data = JSON.parse(document.getElementById("live-data").textContent);
const graph = document.getElementById("dag").dag;
const notice = new Notice(document.getElementById("connection"));
const panel = new Panel(document.getElementById("task"), data.tasks, notice);
const views = new Views(document.getElementById("views"), graph);

async function open(id) {
  views.mark(id);
  const here = new URL(location.href);
  here.searchParams.set("task", id);
  here.hash = "";
  history.replaceState(history.state, "", here);
  await panel.open(id);
  panel.comeIntoView();
}

document.addEventListener("dag:select", (event) => {
  event.preventDefault();
  open(event.detail);
});
document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("[data-open], .tl [data-id] a, .rows [data-id] a");
  if (!link) return;
  event.preventDefault();
  open(link.dataset.open ?? link.closest("[data-id]").dataset.id);
});

/* A finger or a mouse anywhere on a row of the list opens its task; the link in it is the button. */
document.querySelector(".rows").addEventListener("click", (event) => {
  if (!event.defaultPrevented && !event.target.closest("a") && !String(getSelection())) {
    event.target.closest("[data-id]")?.querySelector("a").click();
  }
});

if (data.states.length) {
  const { follow } = await import("./execution/live.js");
  follow(data, { graph, notice, panel, views });
}
