// The log: one list item per line. A bot line is placed by its number, an own
// line after the bot line that was last when it was said, so that the order is
// the same after a reload whatever the clocks say.

export class View {
  constructor(texts, onChoose, onAgain) {
    this.texts = texts;
    this.onChoose = onChoose;
    this.onAgain = onAgain;
    this.log = document.getElementById("log");
    this.main = document.querySelector("main");
    this.rows = []; // {order: [number, number], li, at, line}
    // Whoever reads further up is left there; everybody else sees the end.
    this.stick = true;
    this.main.addEventListener("scroll", () => (this.stick = this.atEnd()));
    new ResizeObserver(() => this.toEnd()).observe(this.main);
  }

  // bot shows an item that came from the server.
  bot(item) {
    const li = element("li", "bot");
    li.append(element("span", "unseen", this.texts.bot + "："));
    const bubble = element("div", "bubble");
    if (item.photo) {
      const img = element("img");
      img.src = item.photo;
      img.alt = this.texts.photo;
      img.addEventListener("load", () => this.toEnd(), { once: true });
      bubble.append(img);
    }
    if (item.text) bubble.append(...words(item.text));
    li.append(bubble);
    const row = { order: [item.id, 0], li, at: item.at, item };
    if (item.choices.length) li.append(this.choices(row));
    li.append(element("span", "meta", clock(item.at)));
    this.insert(row);
  }

  choices(row) {
    const { item } = row;
    const group = element("div", "choices");
    group.setAttribute("role", "group");
    if (item.choices.every((c) => c.label.length <= 5)) group.classList.add("short");
    item.choices.forEach((choice, i) => {
      const button = element("button");
      button.type = "button";
      if (!/^[0-9①-⑳]/.test(choice.label)) button.append(element("span", "number", String(i + 1)));
      button.append(choice.label);
      button.addEventListener("click", () => this.onChoose(item, choice));
      group.append(button);
    });
    row.group = group;
    return group;
  }

  // used makes the choices of an item inactive and marks the one that was
  // taken; free makes them active again, when the tap was refused.
  used(seq, data) {
    const row = this.rows.find((r) => r.item && r.item.id === seq);
    if (!row || !row.group) return;
    [...row.group.children].forEach((button, i) => {
      const chosen = row.item.choices[i].data === data;
      button.disabled = true;
      button.classList.toggle("chosen", chosen);
      if (chosen) button.setAttribute("aria-description", this.texts.chosen);
    });
  }

  free(seq) {
    const row = this.rows.find((r) => r.item && r.item.id === seq);
    if (!row || !row.group) return;
    for (const button of row.group.children) {
      button.disabled = false;
      button.classList.remove("chosen");
      button.removeAttribute("aria-description");
    }
  }

  // own shows or refreshes a line of the visitor.
  own(line) {
    let row = this.rows.find((r) => r.line && r.line.id === line.id);
    if (!row) {
      const li = element("li", "me");
      li.append(element("span", "unseen", this.texts.me + "："));
      const bubble = element("div", "bubble");
      if (line.preview) bubble.append(this.preview(line));
      else bubble.append(...words(line.text));
      const meta = element("span", "meta");
      li.append(bubble, meta);
      row = { order: [line.after, line.n], li, meta, line };
      this.insert(row);
      this.toEnd(true);
    }
    row.at = line.at;
    const states = { sending: this.texts.sending, waiting: this.texts.waiting, lost: this.texts.lost, refused: line.why || this.texts.unsent };
    row.meta.textContent = states[line.state] || clock(line.at);
    row.meta.classList.toggle("bad", line.state === "refused" || line.state === "lost");
    row.li.querySelector("button.again")?.remove();
    if (line.state === "refused" && line.kind === "text") {
      const again = element("button", "again", this.texts.again);
      again.type = "button";
      again.addEventListener("click", () => this.onAgain(line));
      row.li.append(again);
    }
    this.days();
  }

  preview(line) {
    const media = element(line.kind === "photo" ? "img" : "audio");
    media.src = line.preview;
    if (line.kind === "photo") media.alt = this.texts.photo;
    else media.controls = true;
    media.addEventListener("load", () => this.toEnd(true), { once: true });
    return media;
  }

  clear() {
    this.rows = [];
    this.log.replaceChildren();
  }

  insert(row) {
    let i = this.rows.length;
    while (i > 0 && before(row.order, this.rows[i - 1].order)) i--;
    this.log.insertBefore(row.li, this.rows[i] ? this.rows[i].li : null);
    this.rows.splice(i, 0, row);
    this.days();
    this.toEnd();
  }

  // days writes the date above the first line of each day.
  days() {
    let last = "";
    for (const { li, at } of this.rows) {
      const day = at ? at.slice(0, 10) : last;
      if (day !== last) li.dataset.day = date(day);
      else delete li.dataset.day;
      last = day;
    }
  }

  atEnd() {
    return this.main.scrollHeight - this.main.scrollTop - this.main.clientHeight < 40;
  }

  toEnd(surely) {
    if (surely || this.stick) this.main.scrollTop = this.main.scrollHeight;
  }
}

export function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

// words keeps the groups of a ticket number on one line.
function words(text) {
  return text.split(/(\d{3,4}(?: \d{3})+)/).map((part, i) => (i % 2 ? element("span", "together", part) : part));
}

function before(a, b) {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

// The server writes times on the city's wall: show them as they are.
function clock(at) {
  return at ? at.slice(11, 16) : "";
}

function date(day) {
  const options = { month: "long", day: "numeric", weekday: "long", timeZone: "UTC" };
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(new Date(day + "T00:00:00Z"));
}
