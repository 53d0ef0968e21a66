/* The task graph: an ordered list of links becomes a graph to pan, zoom and walk with the keyboard.

   <div class="dag" data-dag [data-edit]>
     <div class="dag-vp"><svg class="dag-e"></svg>
       <ol class="dag-l"><li><a class="node st-…" data-id data-name data-deps="a b">…

   Needs only a strict style-src 'self': geometry is set through the CSSOM and SVG attributes.
   Narrow hosts, and pages without script, show the list instead.

   Keys on a task: arrows move, Home and End, + - 0 zoom, Enter opens.
   With data-edit also: n adds a task, c then Enter on another task connects, d picks an incoming
   dependency, Delete removes what is picked (the task otherwise), Ctrl+Z and Ctrl+Shift+Z.

   Events: dag:select {detail: id}, cancel it when the page opens the task itself;
   dag:change {detail: [{id, name, dependencies}]} after every edit. host.dag.status(id, status,
   note) shows what a task does now. */

import { Editor } from "./dag-edit.js";
import { Graph } from "./dag-graph.js";

function start(scope) {
  const hosts = [...scope.querySelectorAll("[data-dag]")];
  if (scope.matches?.("[data-dag]")) hosts.push(scope);
  for (const host of hosts) {
    if (host.dataset.dag === "form") continue; // the form's own script draws it
    host.dag ??= host.hasAttribute("data-edit") ? new Editor(host) : new Graph(host);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-dag-toggle]");
  if (button) document.getElementById(button.getAttribute("aria-controls")).dag.toggle();
});
document.addEventListener("htmx:load", (event) => start(event.target));
start(document);
