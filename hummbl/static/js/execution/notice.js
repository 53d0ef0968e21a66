/* What is said of the connection: nothing while all is well, and nothing of a short break. */

const { announce, setIcon } = window.hummbl;

const CALM = 3000; // ms that a connection may be away before it is worth a word
const GOOD_NEWS = 4000; // ms

const SAID = {
  lost: ["loader-circle", "Connection lost, trying again"],
  live: ["zap", "Live again"],
  "signed-out": ["lock", "You have been signed out. Sign in to go on watching."],
  gone: ["search-x", "This run is not there any more."],
};

export class Notice {
  constructor(host) {
    this.host = host;
    this.state = "";
    addEventListener("pageshow", (event) => {
      // A page that comes back from the cache may belong to a session that has begun again.
      if (event.persisted && this.state === "signed-out") this.hide();
    });
  }

  lost() {
    if (this.state === "lost" || this.timer) return;
    this.timer = setTimeout(() => this.show("lost"), CALM);
  }

  live() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.state !== "lost") return;
    this.show("live");
    this.timer = setTimeout(() => this.hide(), GOOD_NEWS);
  }

  show(state) {
    clearTimeout(this.timer);
    this.timer = 0;
    this.state = state;
    const [icon, text] = SAID[state];
    this.host.className = `banner conn st-${state === "live" ? "completed" : "waiting"}`;
    setIcon(this.host.querySelector("svg"), icon);
    this.host.querySelector("svg").classList.toggle("spin", state === "lost");
    this.host.querySelector("span").textContent = text;
    this.host.querySelector("a").hidden = state !== "signed-out";
    this.host.hidden = false;
    announce(text);
  }

  hide() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.state = "";
    this.host.hidden = true;
  }
}
