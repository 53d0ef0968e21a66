/* Agents and tasks are reordered with the mouse by the icon at their left. */

import { moveBefore } from "./changes.js";
import { form, partOf } from "./parts.js";

const FAR = 6; // pixels until a press becomes a drag
let dragged = null;

function over(event) {
  const siblings = [...dragged.part.parentElement.children].filter((one) => one !== dragged.part);
  return siblings.find((one) => {
    const box = one.querySelector("summary").getBoundingClientRect();
    return event.clientY < box.top + box.height / 2;
  }) ?? null;
}

function show(next) {
  for (const part of dragged.part.parentElement.children) part.classList.toggle("drop-before", part === next);
  dragged.part.parentElement.classList.toggle("drop-last", !next);
}

function end() {
  if (!dragged) return;
  for (const marked of form.querySelectorAll(".drop-before, .drop-last, .dragged")) {
    marked.classList.remove("drop-before", "drop-last", "dragged");
  }
  dragged = null;
}

form.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest("[data-grip]");
  if (!grip || event.button || event.pointerType === "touch") return;
  dragged = { part: partOf(grip), from: event.clientY, grip, next: undefined };
});
addEventListener("pointermove", (event) => {
  if (!dragged) return;
  if (dragged.next === undefined && Math.abs(event.clientY - dragged.from) < FAR) return;
  dragged.part.classList.add("dragged");
  dragged.next = over(event);
  show(dragged.next);
});
addEventListener("pointerup", () => {
  const { part, next } = dragged ?? {};
  end();
  if (!part || next === undefined) return;
  // The click that follows must not open what was only moved.
  addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
  if (next !== part.nextElementSibling) moveBefore(part, next);
});
addEventListener("pointercancel", end);
addEventListener("keydown", (event) => event.key === "Escape" && end());
