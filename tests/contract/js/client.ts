// A reader's program that uses the typings; it is compiled and never run.
import { io, type Socket } from "socket.io-client";
import type { ClientToServerEvents, Message, ServerToClientEvents } from "../../../docs/readrealm";

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("http://localhost:8000");
const said: Message[] = [];

socket.on("previousMessages", (messages) => said.push(...messages));
socket.on("newMessage", (message) => said.push(message));
socket.on("userJoined", ({ username, members }) => console.log(username.trim(), members + 1));
socket.on("messageDeleted", ({ messageId, by }) => {
  const remover: "author" | "moderator" = by;
  console.log(messageId, remover);
});

socket.emit("joinRoom", { bookId: 42, userId: "u1", username: "ada" }, (answer) => {
  if (answer.ok) {
    console.log(answer.headSeq + answer.members);
  } else {
    console.log(answer.code, answer.error, answer.retryAfterMs ?? 0);
  }
});
socket.emit("chatMessage", { bookId: 42, userId: "u1", username: "ada", content: "hello" });
