// One reader in an interview, with the public JavaScript client: prints what was heard, in order.
//
// args: a scene and what it needs. Scenes are told from Python by name; each prints "heard" with
// [event, payload, milliseconds since the first one] for everything of the interview.
const [options = {}] = args;
const EVENTS = [
  "connectionStatus", "connection:welcome", "connected",
  "agent_next_question", "agent_intro_question", "backend_ready", "interview_started", "user_turn_started",
  "live_transcript", "timer_update", "force_stop_speaking", "user_answer_complete",
  "interview_complete", "interview_error",
];

const heardEvents = [];
let waiting = [];
let socket;

function open() {
  socket = io(url, {
    transports: options.transports ?? ["websocket"], forceNew: true, reconnection: false,
    auth: options.auth,
  });
  for (const name of EVENTS) {
    socket.on(name, (data) => {
      heardEvents.push([name, data ?? null, Date.now()]);
      say("event", name, data ?? null, Date.now());
      waiting = waiting.filter((wait) => !wait());
    });
  }
  return new Promise((resolve, reject) => {
    socket.on("connect", resolve);
    socket.on("connect_error", reject);
  });
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Microphone audio as a browser sends it: so many milliseconds of s16le at a time, in real time
// unless `pace` says otherwise.
async function speak({ user_id, pcm, rate = 16_000, chunk_ms = 250, pace = 1, binary = false }) {
  const sound = Buffer.from(pcm, "base64");
  const step = Math.round((rate * chunk_ms) / 1000) * 2;
  const began = Date.now();
  for (let at = 0, sent = 1; at < sound.length; at += step, sent += 1) {
    const part = sound.subarray(at, at + step);
    const audio = binary ? { audio: part } : { audio_data: part.toString("base64") };
    socket.emit("audio_chunk", { user_id, sample_rate: rate, ...audio });
    await sleep(Math.max(0, began + sent * chunk_ms * pace - Date.now()));
  }
}

// Commands from the test: ["open"], ["emit", event, payload], ["ask", event, payload],
// ["speak", options], ["chunks", user_id, [base64...], ms], ["cut"], ["worker"], ["end"].
while (true) {
  const [verb, ...rest] = await hear();
  if (verb === "open") { await open(); say("opened", socket.id); }
  if (verb === "emit") { socket.emit(...rest); }
  if (verb === "ask") {
    const [event, payload] = rest;
    socket.timeout(15_000).emitWithAck(event, payload)
      .then((ack) => say("ack", event, ack), (error) => say("ack", event, { error: `${error}` }));
  }
  if (verb === "speak") { await speak(rest[0]); say("spoken"); }
  if (verb === "chunks") {
    const [user_id, chunks, ms] = rest;
    for (const chunk of chunks) {
      socket.emit("audio_chunk", { user_id, audio_data: Buffer.from(chunk, "base64") });
      await sleep(ms);
    }
    say("spoken");
  }
  if (verb === "cut") { socket.io.engine.close(); say("gone"); }
  if (verb === "end") { socket?.disconnect(); process.exit(0); }
}
