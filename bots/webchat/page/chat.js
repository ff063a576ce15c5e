// The page: opens the session, listens, and says what the visitor says.

import { View, element } from "./view.js";
import { Outgoing } from "./outgoing.js";
import { canRecord, record, shrink, where } from "./media.js";

const texts = JSON.parse(document.getElementById("texts").textContent);
const query = location.search;
const find = (id) => document.getElementById(id);
const longestRecording = 300; // seconds; the panel then sends what it has

const view = new View(texts, choose, (line) => outgoing.again(line));
const outgoing = new Outgoing("chat/messages" + query, session, show);
let events; // the open stream
let last = 0; // number of the last bot line
let retry = 1000;

function state(word, good) {
  find("state").textContent = texts[word];
  find("state").classList.toggle("good", Boolean(good));
}

// show draws an own line, and what it means for the choices it answered.
function show(line) {
  view.own(line);
  if (!line.answers) return;
  if (line.state === "refused") view.free(line.answers);
  else view.used(line.answers, line.data);
}

async function session() {
  const answer = await fetch("chat/session" + query, { method: "POST" });
  if (!answer.ok) throw new Error("session: " + answer.status);
  const { chat } = await answer.json();
  const changed = outgoing.chat !== undefined && outgoing.chat !== chat;
  if (changed) {
    view.clear(); // another session: its lines are not ours to show
    last = 0;
  }
  outgoing.open(chat);
  if (changed) listen();
}

async function connect() {
  state(navigator.onLine ? "connecting" : "offline");
  try {
    await session();
    listen();
  } catch {
    setTimeout(connect, retry);
    retry = Math.min(retry * 2, 30000);
  }
}

function listen() {
  events?.close();
  const stream = new EventSource("chat/events" + query);
  events = stream;
  stream.addEventListener("open", () => {
    retry = 1000;
    state("connected", true);
    outgoing.hurry();
    // What was said before is not read out again.
    setTimeout(() => find("log").setAttribute("aria-live", "polite"), 1000);
  });
  stream.addEventListener("message", (e) => {
    const item = JSON.parse(e.data);
    if (item.id <= last) return;
    last = item.id;
    view.bot(item);
    const answer = outgoing.lines.findLast((l) => l.answers === item.id && l.state !== "refused");
    if (answer) view.used(item.id, answer.data);
  });
  stream.addEventListener("error", () => {
    state(navigator.onLine ? "connecting" : "offline");
    if (stream !== events || stream.readyState !== EventSource.CLOSED) return; // the browser tries by itself
    setTimeout(connect, retry);
    retry = Math.min(retry * 2, 30000);
  });
}

function choose(item, choice) {
  outgoing.add({ kind: "choice", text: choice.label, body: { choice: choice.data }, answers: item.id, data: choice.data, after: last });
}

function say(text) {
  const line = { kind: "text", text, body: { text }, after: last };
  // A typed number answers the last question that offers it.
  const asked = view.rows.findLast((r) => r.item);
  const n = Number(text.trim().normalize("NFKC"));
  if (asked?.group && Number.isInteger(n) && n >= 1 && n <= asked.item.choices.length) {
    Object.assign(line, { answers: asked.item.id, data: asked.item.choices[n - 1].data });
  }
  outgoing.add(line);
}

function sendFile(kind, file, text) {
  outgoing.add({ kind, text, preview: URL.createObjectURL(file), after: last }, file);
}

// panel shows a few words and buttons below the box; it returns its paragraph.
function panel(text, buttons) {
  const words = element("p", "", text);
  const made = buttons.map(([label, does, main]) => {
    const button = element("button", main ? "main" : "", label);
    button.type = "button";
    button.addEventListener("click", does);
    return button;
  });
  find("panel").replaceChildren(words, ...made);
  find("panel").hidden = false;
  document.querySelector(".tools").hidden = true;
  made[0]?.focus();
  return words;
}

function closePanel() {
  find("panel").hidden = true;
  find("panel").replaceChildren();
  document.querySelector(".tools").hidden = false;
}

async function voice() {
  if (!canRecord()) {
    find("from-recorder").click();
    return;
  }
  let recording;
  try {
    recording = await record();
  } catch {
    panel(texts.mic_fail, [[texts.pick_recording, () => (closePanel(), find("from-recorder").click()), true], [texts.cancel, closePanel]]);
    return;
  }
  let seconds = 0;
  const done = async () => {
    clearInterval(timer);
    closePanel();
    sendFile("voice", await recording.stop(), `${texts.voice} ${seconds}${texts.seconds}`);
  };
  const drop = () => {
    clearInterval(timer);
    closePanel();
    recording.cancel();
  };
  const words = panel(texts.recording, [[texts.stop, done, true], [texts.cancel, drop]]);
  const timer = setInterval(() => {
    seconds++;
    words.textContent = `${texts.recording}　${seconds}${texts.seconds}`;
    if (seconds >= longestRecording) done();
  }, 1000);
}

function place() {
  const write = () => {
    closePanel();
    find("text").focus();
  };
  const here = async () => {
    panel(texts.locating, [[texts.place_typed, write]]);
    try {
      const at = await where();
      if (find("panel").hidden) return; // the visitor went on to write it
      closePanel();
      outgoing.add({ kind: "place", text: `${texts.place} ${at.lat.toFixed(5)}, ${at.lon.toFixed(5)}`, body: { place: { ...at, label: "" } }, after: last });
    } catch {
      if (!find("panel").hidden) panel(texts.place_fail, [[texts.place_typed, write, true]]);
    }
  };
  panel(texts.place_ask, [[texts.place_here, here, true], [texts.place_typed, write], [texts.cancel, closePanel]]);
}

find("form").addEventListener("submit", (e) => {
  e.preventDefault();
  const box = find("text");
  const text = box.value.trim();
  if (!text) return;
  if ([...text].length > Number(document.body.dataset.maxText)) {
    panel(texts.too_long, [[texts.cancel, closePanel]]);
    return;
  }
  say(text);
  box.value = "";
  box.focus();
});
let shift = false;
find("text").addEventListener("keydown", (e) => (shift = e.shiftKey));
find("text").addEventListener("beforeinput", (e) => {
  // Telephones send no key for Enter, only its line break. While a Chinese word
  // is being composed, Enter belongs to the input method.
  if (e.inputType !== "insertLineBreak" || shift || e.isComposing) return;
  e.preventDefault();
  find("form").requestSubmit();
});
for (const id of ["camera", "album"]) {
  find(id).addEventListener("click", () => find("from-" + id).click());
  find("from-" + id).addEventListener("change", async (e) => {
    const [file] = e.target.files;
    if (file) sendFile("photo", await shrink(file), texts.photo);
    e.target.value = "";
  });
}
find("voice").addEventListener("click", voice);
find("from-recorder").addEventListener("change", (e) => {
  const [file] = e.target.files;
  if (file) sendFile("voice", file, texts.voice);
  e.target.value = "";
});
find("place").addEventListener("click", place);
addEventListener("offline", () => state("offline"));
addEventListener("online", () => (events?.readyState === EventSource.OPEN ? state("connected", true) : state("connecting")));

connect();
