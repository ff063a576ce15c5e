// What the visitor said, until the server has it. Lines go out one after the
// other, each under the id it was born with, so trying again is always safe.
// Words outlive a reload; photos and recordings live only as long as the page.

const kept = 300;

export class Outgoing {
  // show(line) is called at every change of a line, session() renews the
  // session, url is where messages go.
  constructor(url, session, show) {
    this.url = url;
    this.session = session;
    this.show = show;
    this.key = "shaoying:" + location.pathname;
    this.lines = [];
    this.files = new Map();
    this.wait = 1000; // milliseconds before the next try, doubled each time
    this.atLeast = 0; // what the server asked for
    this.running = false;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  // open loads the lines of this chat; those of another session are dropped.
  open(chat) {
    if (chat === this.chat) return;
    const stored = this.chat === undefined ? this.load() : { chat: this.chat, lines: this.lines };
    // What was never sent is still meant to be said, whatever the session.
    this.lines = (stored.lines || []).filter((l) => stored.chat === chat || unsent(l));
    this.chat = chat;
    for (const line of this.lines) {
      if (line.state === "sending") line.state = "waiting";
      if (line.state === "waiting" && !line.body && !this.files.has(line.id)) line.state = "lost";
      this.show(line);
    }
    this.save();
    this.run();
  }

  add(line, file) {
    Object.assign(line, { id: uuid(), n: this.lines.length ? this.lines.at(-1).n + 1 : 1, state: "sending" });
    if (file) this.files.set(line.id, file);
    this.lines.push(line);
    this.save();
    this.show(line);
    this.run();
  }

  // again sends a refused line once more, under its id: it was never taken.
  again(line) {
    line.state = "sending";
    this.save();
    this.show(line);
    this.run();
  }

  async run() {
    if (this.running || this.chat === undefined) return;
    this.running = true;
    try {
      for (let line; (line = this.lines.find(unsent)); ) {
        await this.post(line);
        this.save();
        this.show(line);
        if (line.state === "waiting") await this.pause();
      }
    } finally {
      this.running = false;
    }
  }

  async post(line) {
    let answer;
    try {
      answer = await fetch(this.url, this.request(line));
    } catch {
      line.state = "waiting";
      return;
    }
    if (answer.status === 202) {
      line.state = "sent";
      line.at = (await answer.json().catch(() => ({}))).at;
      this.files.delete(line.id);
      this.wait = 1000;
      return;
    }
    if (answer.status === 401) {
      line.state = "waiting";
      await this.session().catch(() => {});
      return;
    }
    const problem = await answer.json().catch(() => ({}));
    if (answer.status === 429 || answer.status >= 500) {
      line.state = "waiting";
      this.atLeast = 1000 * (Number(answer.headers.get("Retry-After")) || 0);
      return;
    }
    line.state = "refused";
    line.why = problem.detail;
  }

  request(line) {
    const file = this.files.get(line.id);
    if (!file) {
      return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id: line.id, ...line.body }) };
    }
    const form = new FormData();
    form.append("id", line.id);
    form.append(line.kind, file, line.kind);
    return { method: "POST", body: form };
  }

  pause() {
    const pause = Math.max(this.wait, this.atLeast);
    this.atLeast = 0;
    this.wait = Math.min(this.wait * 2, 30000);
    return new Promise((done) => {
      const timer = setTimeout(done, pause);
      this.hurry = () => {
        clearTimeout(timer);
        done();
      };
    });
  }

  hurry() {}

  load() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) || {};
    } catch {
      return {};
    }
  }

  save() {
    this.lines = this.lines.slice(-kept);
    const lines = this.lines.map(({ preview, ...line }) => line);
    try {
      localStorage.setItem(this.key, JSON.stringify({ chat: this.chat, lines }));
    } catch {
      // A private window or a full store: the lines live as long as the page.
    }
  }
}

function unsent(line) {
  return line.state === "sending" || line.state === "waiting";
}

// crypto.randomUUID exists only on https and localhost.
function uuid() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
