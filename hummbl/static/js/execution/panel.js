/* The task that is open: fetched when it is chosen and when it changes, written on as its answer
   comes in. The server has all of what was written so far; a piece that came while the server was
   asked is told from one that it knows already by its number. */

import { duration } from "./format.js";
import { now } from "./clock.js";
import { SignedOut, fetchFragment, swap } from "./fragments.js";

const PAUSE = 400; // ms between two looks at a task that changes
const NEAR = 40; // px from the end that count as being there

export class Panel {
  constructor(host, url, notice) {
    this.host = host;
    this.url = url;
    this.notice = notice;
    this.id = host.dataset.task;
    this.pieces = [];
    this.form = new URLSearchParams(location.search).get("output") === "raw" ? "raw" : "";
    host.addEventListener("click", (event) => this.click(event));
    this.setUp();
  }

  async open(id) {
    if (id !== this.id) this.pieces = [];
    this.id = id;
    await this.load(false);
  }

  /* Look again, soon: several changes in a row are one look. */
  refresh() {
    this.due ||= setTimeout(() => {
      this.due = 0;
      this.load(true);
    }, PAUSE);
  }

  async load(again) {
    const id = this.id;
    let html;
    try {
      html = await fetchFragment(this.url + encodeURIComponent(id));
    } catch (error) {
      if (error instanceof SignedOut) this.notice.show("signed-out");
      else if (!again) window.hummbl.toast("The task could not be loaded. Try again.", "error");
      else if (this.id === id) setTimeout(() => this.refresh(), 10 * PAUSE);
      return;
    }
    if (this.id !== id) return; // Another task was chosen while this one was on its way.
    if (!again) for (const one of this.host.querySelectorAll(".tall-scroll")) one.scrollTop = 0;
    swap(this.host, html);
    this.host.dataset.task = id;
    this.setUp();
  }

  setUp() {
    this.written = this.host.querySelector("#written");
    this.scroller = this.written?.closest("[data-scroll]");
    this.since = this.host.querySelector("[data-since]");
    this.atEnd = true;
    if (this.form) this.showForm(this.form);
    this.tick();
    if (!this.written) return;
    this.text = this.written.firstChild ?? this.written.appendChild(document.createTextNode(""));
    this.scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.scroller;
      this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    });
    const known = Number(this.written.dataset.sequence);
    const missed = this.pieces.filter((piece) => piece.sequence > known);
    this.pieces = [];
    for (const piece of missed) this.write(piece);
    this.keepUp();
  }

  tick() {
    if (this.since) {
      this.since.textContent = duration((now() - Date.parse(this.since.dataset.since)) / 1000);
    }
  }

  /* The next piece of some task's answer. */
  hear(sequence, data) {
    if (data.task_id !== this.id) return;
    const piece = { sequence, attempt: data.attempt, text: data.text };
    this.pieces.push(piece);
    const isOpen = this.written && this.host.dataset.task === this.id;
    if (isOpen && sequence > Number(this.written.dataset.sequence)) this.write(piece);
  }

  write({ sequence, attempt, text }) {
    const { written } = this;
    if (attempt < Number(written.dataset.attempt)) return;
    const isNew = attempt > Number(written.dataset.attempt);
    written.dataset.attempt = attempt;
    written.dataset.sequence = sequence;
    this.pending = isNew ? text : (this.pending ?? this.text.data) + text;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.keepUp();
    });
  }

  /* A new attempt starts afresh. */
  begin(attempt) {
    if (!this.written || attempt <= Number(this.written.dataset.attempt)) return;
    this.written.dataset.attempt = attempt;
    this.pending = "";
    this.keepUp();
  }

  /* Put on the page what was heard, and follow it unless the reader has scrolled back. */
  keepUp() {
    if (this.pending != null) {
      const more = this.pending.startsWith(this.text.data) && this.text.length;
      if (more) this.text.appendData(this.pending.slice(this.text.length));
      else this.text.data = this.pending;
      this.pending = null;
      this.written.hidden = !this.text.length;
      for (const one of this.host.querySelectorAll("[data-thinking]")) {
        one.hidden = this.text.length > 0;
      }
    }
    if (this.atEnd && this.scroller) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  click(event) {
    const form = event.target.closest("[data-form]")?.dataset.form;
    if (!form || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.form = form;
    this.showForm(form);
  }

  /* The output formatted or raw; the choice holds for the tasks opened next. */
  showForm(form) {
    if (!this.host.querySelector("[data-form]")) return;
    for (const one of this.host.querySelectorAll("[data-as]")) one.hidden = one.dataset.as !== form;
    for (const link of this.host.querySelectorAll("[data-form]")) {
      if (link.dataset.form === form) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  /* On a phone it stands below the tasks. */
  comeIntoView() {
    if (this.host.getBoundingClientRect().top <= innerHeight - 120) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.host.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }
}
