/**
 * The console of the page of events: says what is typed, shows what is heard.
 *
 * Everything that comes from the server is shown as text.
 */

/** @typedef {{connected: boolean, connect(): void, disconnect(): void, on: Function, onAny: Function, timeout(ms: number): any}} Socket */

const LONGEST_LOG = 200;
const LONGEST_TEXT = 2_000;
const ANSWER_MS = 10_000;

const place = document.querySelector("[data-console]");
const part = (name) => place.querySelector(`[data-${name}]`);
const [state, connect, form, event, payload, fault, send, clear, log] =
  ["state", "connect", "form", "event", "payload", "fault", "send", "clear", "log"].map(part);

/** @type {Socket} */
const socket = globalThis.io({ autoConnect: false, transports: ["websocket", "polling"] });

/** Show a line of the conversation; the newest comes last. */
function show(direction, name, values) {
  const line = document.createElement("li");
  line.className = `is-${direction}`;
  const head = document.createElement("p");
  const mark = document.createElement("span");
  mark.className = "console-mark";
  mark.textContent = { said: "said", heard: "heard", answered: "answer to", state: "" }[direction];
  const title = document.createElement("code");
  title.textContent = name;
  head.append(mark, " ", title);
  line.append(head);
  for (const value of values) {
    const text = document.createElement("pre");
    text.textContent = shortened(value);
    line.append(text);
  }
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(line);
  while (log.children.length > LONGEST_LOG) {
    log.firstElementChild.remove();
  }
  if (isAtEnd) {
    log.scrollTop = log.scrollHeight;
  }
}

function shortened(value) {
  const text = value instanceof ArrayBuffer
    ? `${value.byteLength} bytes`
    : JSON.stringify(value, null, 2) ?? String(value);
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} …` : text;
}

function showState(words) {
  state.textContent = words;
  connect.textContent = socket.connected ? "Disconnect" : "Connect";
  send.disabled = !socket.connected;
}

function complain(words) {
  fault.textContent = words;
  fault.hidden = !words;
  payload.toggleAttribute("aria-invalid", Boolean(words));
}

/** The arguments that are typed: none, or one. */
function typed() {
  const text = payload.value.trim();
  return text ? [JSON.parse(text)] : [];
}

function choose(name) {
  event.value = name;
  payload.value = event.selectedOptions[0]?.dataset.example ?? "";
  complain("");
}

socket.on("connect", () => showState("connected"));
socket.on("disconnect", (reason) => {
  show("state", `disconnected: ${reason}`, []);
  showState("not connected");
});
socket.on("connect_error", (error) => {
  show("state", `not let in: ${error.message}`, error.data ? [error.data] : []);
  showState("not connected");
});
socket.onAny((name, ...values) => show("heard", name, values));

connect.addEventListener("click", () => {
  if (socket.connected) {
    socket.disconnect();
  } else {
    showState("connecting");
    socket.connect();
  }
});

event.addEventListener("change", () => choose(event.value));

form.addEventListener("submit", (submission) => {
  submission.preventDefault();
  let values;
  try {
    values = typed();
  } catch (error) {
    complain(`This is not JSON: ${error.message}`);
    return;
  }
  complain("");
  const name = event.value;
  show("said", name, values);
  socket.timeout(ANSWER_MS).emit(name, ...values, (missing, ...answers) => {
    if (missing) show("state", `no answer to ${name} within ${ANSWER_MS / 1000} seconds`, []);
    else show("answered", name, answers);
  });
});

clear.addEventListener("click", () => log.replaceChildren());

for (const button of document.querySelectorAll("[data-try]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    choose(button.dataset.try);
    place.scrollIntoView();
    payload.focus({ preventScroll: true });
  });
}

choose(event.value);
showState("not connected");
place.hidden = false;
