// One reader who talks: prints every event in its order, the sound as its length in bytes.
//
// args: what to do, one after the other:
//   ["emit", event, data?]       ["ask", event, data?]       ["until", event, contains?]
//   ["speak", file of PCM]       in real time, 100 ms each    ["pause", ms]
//   ["tick"]  says so            ["hear"]  waits for a word of the test
// "until" waits for an event after the last "until"; what is asked must be acknowledged.
import { readFileSync } from "node:fs";

const [steps] = args;
const BLOCK_BYTES = 4_800;
const EVENTS = [
  "connectionStatus", "connection:welcome", "connected", "sessionStatus", "transcript", "audio",
  "state", "error", "done", "transcriptDelta", "audioControl",
];
const WORDS = ["Session start", "clear"];
const events = [];
const acks = [];
const waiting = new Set();
let looked = 0;
const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false });
for (const name of EVENTS) {
  socket.on(name, (...data) => {
    const isSound = name === "audio" && !WORDS.includes(data[0]);
    events.push(isSound ? ["sound", Buffer.from(data[0], "base64").length] : [name, ...data]);
    for (const look of waiting) look();
  });
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function until(name, part) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error(`${name} ${part ?? ""} did not come: ${JSON.stringify(events)}`));
    }, 30_000);
    const look = () => {
      for (; looked < events.length; looked += 1) {
        const [event, data] = events[looked];
        if (event !== name || (part !== undefined && !JSON.stringify(data ?? null).includes(part))) continue;
        looked += 1;
        clearTimeout(late);
        waiting.delete(look);
        resolve();
        return;
      }
    };
    waiting.add(look);
    look();
  });
}

async function speak(file) {
  const pcm = readFileSync(file);
  const begin = performance.now();
  for (let n = 0; n * BLOCK_BYTES < pcm.length; n += 1) {
    const block = pcm.subarray(n * BLOCK_BYTES, (n + 1) * BLOCK_BYTES);
    socket.emit("sendAudio", { audio: block.toString("base64") });
    await sleep(Math.max(0, begin + (n + 1) * 100 - performance.now()));
  }
}

const doing = {
  emit: (event, ...data) => socket.emit(event, ...data),
  ask: async (event, ...data) => acks.push(await socket.timeout(20_000).emitWithAck(event, ...data)),
  until,
  speak,
  pause: sleep,
  tick: () => say("tick"),
  hear,
};
await new Promise((resolve, reject) => {
  socket.on("connect", resolve);
  socket.on("connect_error", reject);
});
await until("connected");
for (const [what, ...rest] of steps) await doing[what](...rest);
say("result", { heard: events, acks });
process.exit(0);
