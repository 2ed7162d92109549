// Two readers in one room, with the public JavaScript client: prints what each of them heard.
//
// args: transports, "same" or "different", book id. "different" connects until the two are on
// different workers; the worker's id begins a sid.
const [transports, workers, bookId] = args;
const EVENTS = [
  "connectionStatus", "connection:welcome", "connected",
  "previousMessages", "userJoined", "userLeft", "newMessage", "exception",
];

class Reader {
  constructor() {
    this.heard = [];
    this.waiting = [];
    this.socket = io(url, { transports, forceNew: true, reconnection: false });
    for (const name of EVENTS) {
      this.socket.on(name, (data) => {
        this.heard.push([name, data]);
        this.waiting = this.waiting.filter((wait) => !wait());
      });
    }
  }

  get worker() {
    return this.socket.id.split(".")[0];
  }

  until(count, name) {
    const enough = () => this.heard.filter(([heard]) => heard === name).length >= count;
    if (enough()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${name} did not come`)), 10_000);
      this.waiting.push(() => enough() && (clearTimeout(late), resolve(), true));
    });
  }

  ask(event, data) {
    return this.socket.timeout(10_000).emitWithAck(event, data);
  }
}

async function connected() {
  const reader = new Reader();
  await new Promise((resolve, reject) => {
    reader.socket.on("connect", resolve);
    reader.socket.on("connect_error", reject);
  });
  await reader.until(1, "connected");
  return reader;
}

async function connectedElsewhere(other) {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const reader = await connected();
    if (reader.worker !== other.worker) return reader;
    reader.socket.disconnect();
  }
  throw new Error("every connection went to the same worker");
}

const ada = { bookId, userId: "u1", username: "ada" };
const bob = { bookId, userId: "u2", username: "bob" };

const a = await connected();
const acks = { adaJoined: await a.ask("joinRoom", ada) };
await a.until(1, "userJoined");
const b = workers === "different" ? await connectedElsewhere(a) : await connected();
const outsider = await connected();
acks.strangerSpoke = await outsider.ask("chatMessage", { ...bob, userId: "u3", content: "hi" });
acks.otherRoom = await outsider.ask("joinRoom", { ...ada, bookId: ada.bookId + 1, userId: "u3" });
acks.bobJoined = await b.ask("joinRoom", bob);
await a.until(2, "userJoined");
acks.bobSaid = await b.ask("chatMessage", {
  ...bob, content: "hi", _id: "0".repeat(24), createdAt: "1999-01-01T00:00:00.000Z", isAi: true,
});
await Promise.all([a.until(1, "newMessage"), b.until(1, "newMessage")]);
acks.empty = await b.ask("chatMessage", { ...bob, content: " " });
const workersSeen = [a.worker, b.worker];
b.socket.io.engine.close();
await a.until(1, "userLeft");
acks.stillThere = await a.ask("chatMessage", { ...ada, content: "gone?" });
await a.until(2, "newMessage");
a.socket.disconnect();
outsider.socket.disconnect();
say("result", {
  acks, workers: workersSeen, ada: a.heard, bob: b.heard, outsider: outsider.heard,
});
process.exit(0);
