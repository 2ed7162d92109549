// Written by `manage.py asyncapi` from the types that check the wire; edit those instead.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServerEvents, ServerToClientEvents } from "./readrealm";
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();

/** What the sound means, beside the words that `audio` carries for it. */
export interface AudioControl {
  /** `answerStart`: the sound that follows belongs to `itemId`. `answerEnd`: that was all of it. `clear`: drop what has not been played. `reconnecting`: the provider was lost and is being called again; `state` 2 follows when it is back. */
  type: "answerEnd" | "answerStart" | "clear" | "reconnecting" | "sessionStart";
  itemId?: string;
}

/** How much of an answer was heard; without it the clock on the wall decides. */
export interface AudioPlayed {
  ms: number;
  /** From `AudioControl`; the newest answer without it. */
  itemId?: string;
}

/** What an `exception` is about. */
export interface Cause {
  /** The name of the refused event. */
  pattern: string;
}

/**
 * Say something in a room this socket has joined; the room hears `newMessage`.
 *
 * The acknowledgement means that the message is kept durably.
 */
export interface ChatMessage {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  userId: string;
  username: string;
  content: string;
  /** Accepted as documented, and not kept. */
  bookTitle?: string | null;
  /** Makes sending again safe: the same id by the same author in the same room is kept once and broadcast once. */
  clientMsgId?: string | null;
  /** A message of the same room. */
  replyTo?: string | null;
}

/** The server is there; every socket hears it first. */
export interface ConnectionStatus {
  connected: true;
}

/** Take back one's own message; a tombstone stays and the room hears `messageDeleted`. */
export interface DeleteMessage {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  messageId: string;
}

/** Replace the text of one's own message; the room hears `messageUpdated`. */
export interface EditMessage {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  messageId: string;
  content: string;
}

/** A command was not carried out; its acknowledgement says the same. */
export interface ExceptionNotice {
  status: "error";
  message: string;
  code: string;
  cause: Cause;
  retryAfterMs?: number;
}

/** Read a range of the room's log, forwards after `afterSeq` or backwards before `beforeSeq`; without either, backwards from the newest entry. */
export interface GetMessages {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  beforeSeq?: number | null;
  afterSeq?: number | null;
  /** Log entries of any kind. */
  limit?: number;
}

/** Who is in a room this socket has joined. */
export interface GetPresence {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
}

/**
 * Enter a book's room: `previousMessages` comes first, then the room hears `userJoined`.
 *
 * Joining again sends `previousMessages` again and announces nothing.
 */
export interface JoinRoom {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  userId: string;
  username: string;
}

/** The socket hears the room. */
export interface Joined {
  ok: true;
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** The state in `previousMessages` is at least as new as this entry of the log. */
  headSeq: number;
  /** Distinct readers present. */
  members: number;
}

/** Leave a room; those who stay hear `userLeft` if it was the reader's last socket there. */
export interface LeaveRoom {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** Accepted as documented, and not used: the name is the one the reader joined with. */
  username?: string | null;
}

/** A reader who is present. */
export interface Member {
  userId: string;
  username: string;
  isGuest: boolean;
}

/**
 * A message in its present state; as an event, somebody said something.
 *
 * Inside a room the order by `seq` is the order by `createdAt` and then `_id`.
 */
export interface Message {
  _id: string;
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  userId: string;
  /** The author's name when the message was written. */
  username: string;
  /** Empty once the message is removed. */
  content: string;
  /** ISO 8601, UTC, milliseconds, Z */
  createdAt: string;
  /** ISO 8601, UTC, milliseconds, Z */
  updatedAt: string;
  isAi: boolean;
  /** The author had no account. */
  isGuest: boolean;
  /** Place in the room's log: 1, 2, 3 and so on, without holes. */
  seq: number;
  /** `seq` of the last log entry that is contained in this state: an event about this message with a `seq` up to `rev` is old news. */
  rev: number;
  /** As the author's client gave it. */
  clientMsgId?: string;
  replyTo?: string;
  /** Where the answered message stands in the log, so that it can be asked for. */
  replyToSeq?: number;
  /** ISO 8601, UTC, milliseconds, Z */
  editedAt?: string;
  /** Present on a tombstone. */
  deletedBy?: "author" | "moderator";
  /** In the order in which they were given; absent when there are none. */
  reactions?: Array<Reaction>;
}

/** A message is gone; show a tombstone. */
export interface MessageDeleted {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  seq: number;
  messageId: string;
  by: "author" | "moderator";
}

/** A moderator brought a hidden message back. */
export interface MessageRestored {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  seq: number;
  message: Message;
}

/** A message has another text. */
export interface MessageUpdated {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  seq: number;
  message: Message;
}

/** A range of the log. */
export interface MessagesPage {
  ok: true;
  /** In their present state; oldest first after `afterSeq`, else newest first. */
  messages: Array<Message>;
  /** The other entries of the range in the same order: the payload of the event, with its name as `type`. */
  events: Array<Record<string, unknown>>;
  headSeq: number;
  /** Whether the log goes on in the direction of reading. */
  hasMore: boolean;
}

/** A moderator restricted or freed this reader, whose sockets then leave the room. */
export interface ModerationNotice {
  /** 42, 42.0 and '42' are the same */
  bookId?: number;
  action: "ban" | "timeout" | "unban";
  /** ISO 8601, UTC, milliseconds, Z */
  until?: string;
  reason?: string;
}

/** Who is present, by name; `members` may be cut short, `count` never is. */
export interface PresentMembers {
  ok: true;
  count: number;
  members: Array<Member>;
}

/** Put an emoji under a message, or take it away; the room hears `reactionChanged`. */
export interface ReactMessage {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  messageId: string;
  /** exactly one emoji */
  emoji: string;
  on: boolean;
}

/** One reader's emoji under a message. */
export interface Reaction {
  /** exactly one emoji */
  emoji: string;
  userId: string;
  /** A reader without an account; tells it from the account that has the same id. */
  isGuest: boolean;
}

/** One reader gave an emoji to a message, or took it away. */
export interface ReactionChanged {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  seq: number;
  messageId: string;
  /** exactly one emoji */
  emoji: string;
  on: boolean;
  userId: string;
  isGuest: boolean;
}

/** Show a message to the moderators; once per reader and message. */
export interface ReportMessage {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  messageId: string;
  reason: string;
  note?: string | null;
}

/** How far the room's log goes; a client that is behind asks `getMessages`. */
export interface RoomHead {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  seq: number;
  /** Distinct readers present; a client that counts otherwise asks `getPresence`. */
  members: number;
}

/** It is so, whether or not it was so before. */
export interface RoomsDone {
  ok: true;
}

/** The acknowledgement of every command that was not carried out. */
export interface RoomsRefused {
  ok: false;
  code: string;
  /** Safe to show. */
  error: string;
  retryAfterMs?: number;
}

/** The message as it is kept: after sending again, the first one. */
export interface Said {
  ok: true;
  message: Message;
}

/** More sound from the microphone, cut anywhere. */
export interface SendAudio {
  audio: string;
}

/** This worker is about to stop; connect again, and wait a random part of `retryInMs`. */
export interface ServerRestart {
  retryInMs: number;
}

/** Whether sound is being listened to. */
export interface SessionStatus {
  active: boolean;
}

/** Open a session; one that is active is ended first, and not spoken of any more. */
export interface Start {
  /** The client's own instructions, 1 to 8000 characters after trimming; ours come first. */
  systemMessage: string;
  /** A number, or text that is one. */
  temperature: number;
  /** The book that the conversation is about. */
  bookId?: number | null;
}

/** The transcript with speakers and turns; says what `transcript` says, without markers. */
export interface TranscriptDelta {
  role: "assistant" | "user";
  /** To be appended to the turn; the whole text of the turn where `final`. */
  text: string;
  turnId: string;
  final: boolean;
}

/** Begin or stop writing; the room hears `userTyping`. Repeat `on` every few seconds. */
export interface Typing {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  on: boolean;
}

/** The first socket of a reader entered the room. */
export interface UserJoined {
  username: string;
  /** ISO 8601, UTC, milliseconds, Z */
  timestamp: string;
  userId: string;
  isGuest: boolean;
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** Distinct readers present now. */
  members: number;
}

/** The last socket of a reader left the room, closed, or died with its worker. */
export interface UserLeft {
  username: string;
  /** ISO 8601, UTC, milliseconds, Z */
  timestamp: string;
  userId: string;
  isGuest: boolean;
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** Distinct readers present now. */
  members: number;
}

/** Somebody began or stopped writing; never kept, so forget it after a few seconds. */
export interface UserTyping {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  username: string;
  on: boolean;
  userId: string;
  isGuest: boolean;
}

/** What was asked has been done. */
export interface VoiceDone {
  ok: true;
}

/** It has not; the `error` event said so as well. */
export interface VoiceRefused {
  ok: false;
  code: string;
  /** What the `error` event said. */
  error: string;
  retryAfterMs?: number;
}

export interface ServerToClientEvents {
  previousMessages: (data: Array<Message>) => void;
  exception: (data: ExceptionNotice) => void;
  userJoined: (data: UserJoined) => void;
  userLeft: (data: UserLeft) => void;
  newMessage: (data: Message) => void;
  messageUpdated: (data: MessageUpdated) => void;
  messageDeleted: (data: MessageDeleted) => void;
  messageRestored: (data: MessageRestored) => void;
  reactionChanged: (data: ReactionChanged) => void;
  userTyping: (data: UserTyping) => void;
  roomHead: (data: RoomHead) => void;
  moderationNotice: (data: ModerationNotice) => void;
  serverRestart: (data: ServerRestart) => void;
  connectionStatus: (data: ConnectionStatus) => void;
  sessionStatus: (data: SessionStatus) => void;
  transcript: (data: string) => void;
  audio: (data: string) => void;
  state: (data: 0 | 1 | 2) => void;
  error: (data: string) => void;
  done: () => void;
  transcriptDelta: (data: TranscriptDelta) => void;
  audioControl: (data: AudioControl) => void;
}

export interface ClientToServerEvents {
  joinRoom: (data: JoinRoom, ack?: (answer: Joined | RoomsRefused) => void) => void;
  leaveRoom: (data: LeaveRoom, ack?: (answer: RoomsDone | RoomsRefused) => void) => void;
  chatMessage: (data: ChatMessage, ack?: (answer: Said | RoomsRefused) => void) => void;
  getMessages: (data: GetMessages, ack?: (answer: MessagesPage | RoomsRefused) => void) => void;
  editMessage: (data: EditMessage, ack?: (answer: Said | RoomsRefused) => void) => void;
  deleteMessage: (data: DeleteMessage, ack?: (answer: RoomsDone | RoomsRefused) => void) => void;
  reactMessage: (data: ReactMessage, ack?: (answer: RoomsDone | RoomsRefused) => void) => void;
  typing: (data: Typing, ack?: (answer: RoomsDone | RoomsRefused) => void) => void;
  reportMessage: (data: ReportMessage, ack?: (answer: RoomsDone | RoomsRefused) => void) => void;
  getPresence: (data: GetPresence, ack?: (answer: PresentMembers | RoomsRefused) => void) => void;
  start: (data: Start, ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  sendAudio: (data: SendAudio, ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  stop: (ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  audioPlayed: (data: AudioPlayed, ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
}
