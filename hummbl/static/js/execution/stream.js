/* The events of a run, without a gap and without a repetition, whatever becomes of the connection.

   Read with fetch instead of EventSource, because that can begin at the event that the page was
   rendered at, and sees why it was refused. Source of the format: HTML Living Standard, 9.2.
   It is closed while the page is hidden: an origin has six connections in HTTP/1.1. */

const PAUSES = [500, 1000, 2000, 5000, 10000]; // ms before the next try
const SILENCE = 40000; // ms; the server says something every 15 s
const LOOK = 5000; // ms between two looks at the silence; a machine that slept finds a long one
const FINAL = { 204: "over", 401: "signed-out", 403: "signed-out", 404: "gone" };

export class Stream {
  /* `hear` gets the events that came together; `tell` live, lost, over, signed-out or gone. */
  constructor({ url, last, hear, tell }) {
    Object.assign(this, { url, last, hear, tell });
    this.failures = 0;
    this.reading = null;
    this.ended = false;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.stop();
      else this.start();
    });
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.ended &&= this.ended === "over";
      this.start();
    });
    addEventListener("online", () => this.restart());
    addEventListener("offline", () => this.restart());
    setInterval(() => {
      if (this.reading && Date.now() - this.heard > SILENCE) this.restart();
    }, LOOK);
  }

  start() {
    clearTimeout(this.timer);
    if (!this.reading && !this.ended && !document.hidden) this.follow();
  }

  stop() {
    clearTimeout(this.timer);
    const { reading } = this;
    this.reading = null;
    reading?.abort();
  }

  restart() {
    this.stop();
    this.start();
  }

  /* There is nothing left to hear. */
  end(why) {
    this.ended = why;
    this.stop();
    this.tell(why);
  }

  async follow() {
    const reading = new AbortController();
    this.reading = reading;
    this.heard = Date.now();
    let pause = PAUSES[1];
    try {
      pause = (await this.read(reading)) ?? pause;
    } catch {
      pause = PAUSES[Math.min(this.failures++, PAUSES.length - 1)];
      if (this.reading === reading) this.tell("lost");
    }
    if (this.reading !== reading) return; // It was stopped, or another one has taken its place.
    this.reading = null;
    if (!this.ended) this.timer = setTimeout(() => this.start(), pause * (0.75 + Math.random() / 2));
  }

  /* Reads to the end; says after how many ms to come again when the server says so. */
  async read(reading) {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(this.last) };
    const options = { headers, signal: reading.signal, cache: "no-store" };
    const response = await fetch(this.url, options);
    if (this.reading !== reading) return undefined;
    if (FINAL[response.status]) {
      this.end(FINAL[response.status]);
      return undefined;
    }
    if (response.status === 429) return 1000 * (Number(response.headers.get("Retry-After")) || 10);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    this.failures = 0;
    this.tell("live", response);
    const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await chunks.read();
      if (done || this.reading !== reading) return undefined;
      this.heard = Date.now();
      text = (text + value).replaceAll("\r\n", "\n");
      const blocks = text.split("\n\n");
      text = blocks.pop();
      const events = blocks.map(parse).filter((event) => event && event.id > this.last);
      if (!events.length) continue;
      this.last = events.at(-1).id;
      // What goes wrong with them is not the connection's fault: it is not caught here.
      queueMicrotask(() => this.hear(events));
    }
  }
}

function parse(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    if (line.slice(0, at) === "data") fields.data.push(value);
    else fields[line.slice(0, at)] = value;
  }
  if (!fields.data.length) return null;
  return { type: fields.event, id: Number(fields.id), data: JSON.parse(fields.data.join("\n")) };
}
