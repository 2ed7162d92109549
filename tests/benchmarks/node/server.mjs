// The reference: socket.io on Node, as its documentation sets it up.
//
// usage: node server.mjs FD [--valkey SOCKET] [--mongodb URL]
// FD is a listening socket that was inherited. "ready" is printed when clients may come.

import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { createAdapter } from "@socket.io/redis-adapter";
import { MongoClient } from "mongodb";
import { createClient } from "redis";
import { Server } from "socket.io";

const { values: options, positionals } = parseArgs({
  options: { valkey: { type: "string" }, mongodb: { type: "string" } },
  allowPositionals: true,
});

const http = createServer();
const io = new Server(http, {
  pingInterval: 25_000,
  pingTimeout: 20_000,
  maxHttpBufferSize: 1_000_000,
  perMessageDeflate: false,
  httpCompression: false,
});

if (options.valkey) {
  const publisher = createClient({ socket: { path: options.valkey } });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

let messages;
if (options.mongodb) {
  const client = await new MongoClient(options.mongodb).connect();
  messages = client.db().collection("messages", { writeConcern: { w: "majority", j: true } });
}

let made = 0;

// The id of a message, once it is durable if there is a database.
async function keep(message) {
  if (!messages) return (made++).toString(16).padStart(24, "0");
  return (await messages.insertOne({ ...message })).insertedId.toHexString();
}

io.on("connection", (socket) => {
  socket.on("joinRoom", async ({ bookId }, answer) => {
    await socket.join(`book_${bookId}`);
    answer?.({ ok: true });
  });

  socket.on("chatMessage", async ({ bookId, userId, username, content }, answer) => {
    const now = new Date();
    const message = { bookId, userId, username, content, createdAt: now, updatedAt: now };
    const _id = await keep(message);
    io.to(`book_${bookId}`).emit("newMessage", { _id, ...message });
    answer?.({ ok: true });
  });

  socket.on("ackTest", (_, answer) => answer?.({ ok: true }));
});

process.on("SIGTERM", () => process.exit(0));
http.listen({ fd: Number(positionals[0]) }, () => console.log("ready"));
