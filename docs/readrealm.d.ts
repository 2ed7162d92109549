// Written by `manage.py asyncapi` from the types that check the wire; edit those instead.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServerEvents, ServerToClientEvents } from "./readrealm";
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();

/** It is so. */
export interface Accepted {
  ok: true;
}

/** The first question under the name that old clients expect, in the place of `AgentNextQuestion`; only where the server is set up for them. */
export interface AgentIntroQuestion {
  question: string;
  /** 1 for the first question. */
  number: number;
  topic: string;
  subtopic: string;
  difficulty: string;
  /** Whether it challenges the previous answer, in a stress test. */
  curveball: boolean;
}

/** A question to read out; the client says `InterviewerDone` when that is over. */
export interface AgentNextQuestion {
  question: string;
  /** 1 for the first question. */
  number: number;
  topic: string;
  subtopic: string;
  difficulty: string;
  /** Whether it challenges the previous answer, in a stress test. */
  curveball: boolean;
}

/** The three `system:*` requests; they say nothing. */
export interface AskSystem {

}

/** Whether sound is taken. */
export interface AudioChanged {
  sessionId: string;
  status: "stopped" | "streaming";
  timestamp: number;
}

/** Whether sound is taken. */
export interface AudioChangedAnswer {
  data: AudioChanged;
  timestamp: number;
  success: true;
}

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

/** Everything is ready; time begins to run. */
export interface BackendReady {
  status: "ready";
  /** Unix time, seconds. */
  timestamp: number;
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
  /** 1 to 128 characters once trimmed */
  userId: string;
  /** 1 to 64 characters once trimmed */
  username: string;
  /** 1 to 4000 characters once trimmed */
  content: string;
  /** Accepted as documented, and not kept. */
  bookTitle?: string | null;
  /** Makes sending again safe: the same id by the same author in the same room is kept once and broadcast once. */
  clientMsgId?: string | null;
  /** A message of the same room. */
  replyTo?: string | null;
}

/** The chunk is kept and handed over; a worker may still be busy with it. */
export interface ChunkProcessed {
  sessionId: string;
  seq: number;
  processedAt: number;
  duplicate?: boolean;
}

/** The chunk is kept and handed over; a worker may still be busy with it. */
export interface ChunkProcessedAnswer {
  data: ChunkProcessed;
  timestamp: number;
  success: true;
}

/** Captions that the browser recognised: the current phrase, revised until it is final. */
export interface ClientTranscript {
  user_id: number;
  text: string;
  is_final?: boolean;
}

/** Values that hold at present. */
export interface ConfigData {
  /** `all` when none was asked for; then `config` has one object for each category. */
  category: string;
  config: Record<string, unknown>;
  timestamp: number;
}

/** Values that hold at present. */
export interface ConfigDataAnswer {
  data: ConfigData;
  timestamp: number;
  success: true;
}

/** Defaults hold again. */
export interface ConfigReset {
  category: string;
  action: "reset";
  timestamp: number;
}

/** Defaults hold again. */
export interface ConfigResetAnswer {
  data: ConfigReset;
  timestamp: number;
  success: true;
}

/** The value that holds from now on, everywhere. */
export interface ConfigUpdated {
  category: string;
  key: string;
  value: unknown;
  timestamp: number;
}

/** The value that holds from now on, everywhere. */
export interface ConfigUpdatedAnswer {
  data: ConfigUpdated;
  timestamp: number;
  success: true;
}

/** The greeting of every socket. */
export interface Connected {
  status: "success";
}

/** The server is there; every socket hears it first. */
export interface ConnectionStatus {
  connected: true;
}

/** A place where an answer seems to deny what was expected. */
export interface ContradictionFound {
  said: string;
  expected: string;
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
  /** 1 to 4000 characters once trimmed */
  content: string;
}

/** End a session for good; its stream stops. */
export interface EndSession {
  sessionId: string;
}

/** A command was not carried out; its acknowledgement says the same. */
export interface ExceptionNotice {
  status: "error";
  message: string;
  code: string;
  cause: Cause;
  retryAfterMs?: number;
}

/** What was asked for is not done, and why; the message is safe to show. */
export interface Failure {
  success: false;
  error: string;
  code: string;
  timestamp: number;
  /** What tells the failed request from others of the same name. */
  data?: Record<string, unknown>;
  retryAfterMs?: number;
}

/** The turn is over: the client may mute its microphone. */
export interface ForceStopSpeaking {
  status: "stop";
}

/** Read one category, or all of them. */
export interface GetConfig {
  category?: string | null;
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

/** Read how a message was worded before it was edited. There are none of a removed message. */
export interface GetWordings {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  messageId: string;
}

/** The result; the last event of an interview. */
export interface InterviewComplete {
  success: boolean;
  processing_method: "research_grade_event_driven";
  /** All answers in order, silent ones left out, a line each. */
  transcript: string;
  /** `Q: ...`, blank line, `A: ...`, blank line, and so on. */
  conversation: string;
  semantic_similarity: number;
  /** At least one answer that is not silent, and five words. */
  analysis_valid: boolean;
  total_duration: number;
  speaking_time: number;
  total_words: number;
  metrics: Metrics;
  qa_pairs: Array<QaPair>;
  session_id: string;
  reason: "completed" | "disconnected" | "stopped" | "time_limit";
  stress_test: boolean;
  /** Good ranges by the key of the metric. */
  benchmarks: Record<string, Range>;
  /** Engines that turned voice into text. */
  heard_by: Array<string>;
  /** What measured similarity: a sentence embedding model, or `lexical` without one. */
  measured_by: Array<string>;
  timeline: Array<TimelineTurn>;
  /** Unix time, seconds. */
  started_at: number;
  /** Unix time, seconds. */
  completed_at: number;
}

/** Something was not done; the interview goes on. */
export interface InterviewError {
  /** Safe to show. */
  error: string;
  code: string;
  /** The command that was refused, or the event that was in the making. */
  event: string;
}

/** What was started or resumed; follows `BackendReady`. */
export interface InterviewStarted {
  status: "success";
  session_id: string;
  topic: string;
  difficulty: string;
  /** Seconds. */
  duration_limit: number;
  max_questions: number;
  stress_test: boolean;
  resumed: boolean;
  state: "interviewer" | "processing" | "user";
}

/** The sound of the question. Nothing is done with it. */
export interface InterviewerAudioChunk {
  user_id: number;
}

/** The question has been read out: the turn of the reader begins. */
export interface InterviewerDone {
  user_id: number;
}

/**
 * Microphone audio, best as s16le mono at 16 kHz; may be sent at any time.
 *
 * `audio` is another name for `audio_data`, which wins if both are there.
 */
export interface InterviewsAudioChunk {
  user_id: number;
  audio_data?: string | ArrayBuffer | Uint8Array | null;
  audio?: string | ArrayBuffer | Uint8Array | null;
  /** Hz. */
  sample_rate?: number;
}

/** It was not done; `InterviewError` says the same. */
export interface InterviewsRefused {
  ok: false;
  code: string;
  /** Safe to show. */
  error: string;
}

/**
 * Enter a book's room: `previousMessages` comes first, then the room hears `userJoined`.
 *
 * Joining again sends `previousMessages` again and announces nothing.
 */
export interface JoinRoom {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** 1 to 128 characters once trimmed */
  userId: string;
  /** 1 to 64 characters once trimmed */
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

/** Give up; nothing is answered. */
export interface LeaveInterview {
  user_id: number;
}

/** Leave a room; those who stay hear `userLeft` if it was the reader's last socket there. */
export interface LeaveRoom {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** Accepted as documented, and not used: the name is the one the reader joined with. */
  username?: string | null;
}

/** What has been heard of the current answer. */
export interface LiveTranscript {
  /** Everything of the current answer so far; the end of it may still be revised. */
  text: string;
}

/** A reader who is present. */
export interface Member {
  /** 1 to 128 characters once trimmed */
  userId: string;
  /** 1 to 64 characters once trimmed */
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
  /** 1 to 128 characters once trimmed */
  userId: string;
  /** 1 to 64 characters once trimmed */
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

/**
 * What an interview sounded like and said. `speech.interviews.metrics` has the formulas.
 *
 * Durations are rounded to tenths of a second first and everything else is derived from the rounded ones, so that every figure can be recomputed from the ones beside it.
 */
export interface Metrics {
  session_duration: number;
  /** Seconds of waiting for the silence timeout. */
  forced_silence_time: number;
  /** Session without forced silence. */
  effective_duration: number;
  speaking_time: number;
  /** Effective duration without speech. */
  silence_time: number;
  /** Of the session. */
  speaking_ratio: number;
  /** Of the reader's turns, forced silence apart. */
  speaking_ratio_during_turn: number;
  total_words: number;
  /** Words a minute of speech; 0 below one second of speech. */
  wpm: number;
  /** Syllables a second of speech; 0 below one second of speech. */
  articulation_rate: number;
  /** Gaps of more than 0.3 s inside a turn. */
  pause_count: number;
  avg_pause_duration: number;
  /** Pauses of more than 5 s. */
  long_pause_count: number;
  /** Filled pauses and silent pauses of a second and more, per word. */
  hesitation_rate: number;
  /** Pauses a minute of speech; 0 below one second of speech. */
  hesitations_per_minute: number;
  filled_pause_count: number;
  fluency_score: number;
  /** From the end of the question to the first voice, over the turns with speech. */
  avg_response_latency: number;
  /** Over all answers, silent ones included with 0. */
  avg_semantic_similarity: number;
  /** Over all answers, silent ones included with 0. */
  avg_keyword_coverage: number;
  /** 0.8 similarity + 0.2 keyword coverage. */
  overall_relevance: number;
  /** Without the silent ones. */
  questions_answered: number;
  questions_asked: number;
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

/** Suspend an active session; its stream waits with it. */
export interface PauseSession {
  sessionId: string;
}

/** Who is present, by name; `members` may be cut short, `count` never is. */
export interface PresentMembers {
  ok: true;
  count: number;
  members: Array<Member>;
}

/** `command:process`, to the room of workers and without an envelope. */
export interface ProcessCommand {
  sessionId: string;
  action: "configure" | "process_pcm" | "process_webm";
  data: Record<string, unknown>;
  timestamp: number;
}

/** Sound that was accepted could not be processed; the session goes on. */
export interface ProcessingFailed {
  sessionId: string;
  seq: number;
  code: string;
  error: string;
}

/** One question, what was answered and what was expected. */
export interface QaPair {
  question: string;
  answer: string;
  expected_answer: string;
  /** After contradictions have lowered it. */
  similarity: number;
  keyword_coverage: number;
  number: number;
  grade: "A" | "B" | "C" | "D";
  /** Whole percent of similarity. */
  score: number;
  found_terms: Array<string>;
  missing_terms: Array<string>;
  contradictions: Array<ContradictionFound>;
  topic: string;
  subtopic: string;
  difficulty: string;
  curveball: boolean;
  silent: boolean;
  /** The engine that turned voice into this text; empty for a silent answer. */
  heard_by: string;
  /** `whole`: in a pass over the whole answer when it had ended. `live`: while the reader spoke, at least in part, for nobody could hear all of it again. `unheard`: there was voice, and nobody to write down what it said. `silence`: nothing was said. None in results that were kept before it was told. */
  heard_how: "captions" | "live" | "silence" | "unheard" | "whole" | null;
  words: number;
  speaking_time: number;
  /** None without speech. */
  response_latency: number | null;
}

/** What is good: from `min` to `max`; an absent bound is open. */
export interface Range {
  min?: number | null;
  max?: number | null;
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
  /** 1 to 128 characters once trimmed */
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
  /** 1 to 128 characters once trimmed */
  userId: string;
  isGuest: boolean;
}

/** A worker hears somebody begin or stop. */
export interface ReportActivity {
  stream: number;
  /** Of the worker's tenure of the stream; a report of an earlier tenure is refused. */
  term: number;
  result: VoiceActivity;
}

/** A worker could not process what was accepted. */
export interface ReportFailure {
  stream: number;
  /** Of the worker's tenure of the stream; a report of an earlier tenure is refused. */
  term: number;
  result: ProcessingFailed;
}

/** Show a message to the moderators; once per reader and message. */
export interface ReportMessage {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  messageId: string;
  /** 1 to 64 characters once trimmed */
  reason: string;
  note?: string | null;
}

/** A worker has understood something. */
export interface ReportTranscription {
  stream: number;
  /** Of the worker's tenure of the stream; a report of an earlier tenure is refused. */
  term: number;
  result: Transcription;
}

/** Restore the defaults of one category, or of all; keys that have none are removed. */
export interface ResetConfig {
  category?: string | null;
}

/** Go on with a paused session; a stream that waited goes on as well. */
export interface ResumeSession {
  sessionId: string;
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

/** A piece of the stream, cut anywhere; at most 10 MiB once decoded. */
export interface RoutesAudioChunk {
  sessionId: string;
  seq: number;
  base64: string;
  /** `rate` and `channels` after a semicolon describe raw samples. */
  mimeType?: string;
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

/** The state that the session is in now. */
export interface SessionChanged {
  sessionId: string;
  status: "active" | "paused";
  timestamp: number;
}

/** The state that the session is in now. */
export interface SessionChangedAnswer {
  data: SessionChanged;
  timestamp: number;
  success: true;
}

/** Answers `EndSession`; unasked, a session that was idle for too long has ended. */
export interface SessionEnded {
  sessionId: string;
  endTime: number;
  status: "ended";
  statistics?: Statistics;
  /** Only unasked. */
  reason?: "idle" | "left";
}

/** Answers `EndSession`; unasked, a session that was idle for too long has ended. */
export interface SessionEndedAnswer {
  data: SessionEnded;
  timestamp: number;
  success: true;
}

/** The session as it is now. */
export interface SessionStarted {
  sessionId: string;
  startTime: number;
  status: "active" | "paused";
  metadata: Record<string, unknown>;
  /** Only for a session that was found again: the last final texts, oldest first. */
  transcript?: Array<Transcription>;
  /** Only for guests: with it another socket of theirs may find the session again. */
  resumeKey?: string;
}

/** The session as it is now. */
export interface SessionStartedAnswer {
  data: SessionStarted;
  timestamp: number;
  success: true;
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

/** Begin a stream of sound. A stream has one container and its own sequence numbers. */
export interface StartAudio {
  sessionId: string;
  /** After a reconnect: go on with the stream that the lost socket left, numbers included. */
  resume?: boolean;
}

/** Begin; answered with `AgentNextQuestion` and then `BackendReady`. */
export interface StartInterview {
  user_id: number;
  /** A sceptical interviewer: curveballs, harder questions, no mercy. */
  stress_test?: boolean;
  /** Go on with the interview whose connection was lost less than the grace time ago. */
  resume?: boolean;
  /** Only questions of this topic of the bank; all topics by default. */
  topic?: string | null;
  question_count?: number;
}

/** Begin a session, or find one's own again under the same id. */
export interface StartSession {
  sessionId?: string | null;
  /** `clientId`, `userAgent` and at most 18 further scalars of 256 characters. */
  metadata?: Record<string, unknown> | null;
  /** Of a guest whose connection was lost: makes this socket the owner of the session. */
  resumeKey?: string | null;
}

/** What became of the chunks of a session. */
export interface Statistics {
  /** Accepted, duplicates not counted. */
  chunks: number;
  duplicates: number;
  /** Numbers between the first and the last of each stream that never came. */
  missing: number;
}

/** End the stream, if there is one. */
export interface StopAudio {
  sessionId: string;
}

/** Finish; answered with `InterviewComplete`, again and again if asked again. */
export interface StopInterview {
  user_id: number;
}

/** How the worker that answers is doing. */
export interface SystemHealth {
  health: "degraded" | "healthy";
  memory: Record<string, number>;
  uptime: number;
  connections: number;
  workerConnections: number;
  /** `redis` and `mongo`: whether each answers. */
  checks: Record<string, boolean>;
  timestamp: number;
}

/** How the worker that answers is doing. */
export interface SystemHealthAnswer {
  data: SystemHealth;
  timestamp: number;
  success: true;
}

/** Figures of the worker that answers and of the cluster. */
export interface SystemStats {
  connections: number;
  workerConnections: number;
  uptime: number;
  memory: Record<string, number>;
  platform: string;
  /** Of the runtime, which is Python; the key is the documented one. */
  nodeVersion: string;
  runtime: "python";
  processingWorkers: number;
  /** Sessions of the cluster that have not ended. */
  sessions: number;
  timestamp: number;
}

/** Figures of the worker that answers and of the cluster. */
export interface SystemStatsAnswer {
  data: SystemStats;
  timestamp: number;
  success: true;
}

/** That the server is there, and for how many. */
export interface SystemStatus {
  status: "online";
  /** Seconds of the worker that answers. */
  uptime: number;
  /** Sockets of the whole cluster. */
  connections: number;
  workerConnections: number;
  processingWorkers: number;
  timestamp: number;
}

/** That the server is there, and for how many. */
export interface SystemStatusAnswer {
  data: SystemStatus;
  timestamp: number;
  success: true;
}

/** A turn of the reader for a chart; seconds since the interview began. */
export interface TimelineTurn {
  number: number;
  started: number;
  ended: number;
  ended_by: "disconnected" | "hand" | "silence" | "stop" | "time_limit";
  /** (start, end) of each stretch of voice. */
  speech: Array<[number, number]>;
}

/** Every second from `BackendReady` to the end. */
export interface TimerUpdate {
  /** Whole seconds until the interview ends by itself. */
  time_remaining: number;
  /** Seconds since the turn of the reader began, one decimal; 0 outside of it. */
  turn_time_elapsed: number;
  /** Seconds since the last voice in this turn, one decimal; 0 outside of it. */
  silence_elapsed: number;
}

/** The transcript with speakers and turns; says what `transcript` says, without markers. */
export interface TranscriptDelta {
  role: "assistant" | "user";
  /** To be appended to the turn; the whole text of the turn where `final`. */
  text: string;
  turnId: string;
  final: boolean;
}

/** What was understood of one utterance. Interim texts of an utterance share its `startMs` and replace each other, until the final one. */
export interface Transcription {
  sessionId: string;
  /** Of the chunk that completed the words. */
  seq: number;
  text: string;
  isFinal: boolean;
  startMs: number;
  endMs: number;
  /** Who spoke, if speakers are told apart; a final text may come again to be given one. */
  speaker?: string;
}

/** Begin or stop writing; the room hears `userTyping`. Repeat `on` every few seconds. */
export interface Typing {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  on: boolean;
}

/** Change one value of the configuration that all sessions share. */
export interface UpdateConfig {
  category: string;
  key: string;
  /** At most 8 KiB as JSON. */
  value: unknown;
}

/** An answer has been evaluated. */
export interface UserAnswerComplete {
  answer: string;
  question: string;
  /** None when the interview ends here. */
  next_question: string | null;
  number: number;
  similarity: number;
  keyword_coverage: number;
}

/** The reader ends an answer by hand. */
export interface UserDoneSpeaking {
  user_id: number;
}

/** The first socket of a reader entered the room. */
export interface UserJoined {
  /** 1 to 64 characters once trimmed */
  username: string;
  /** ISO 8601, UTC, milliseconds, Z */
  timestamp: string;
  /** 1 to 128 characters once trimmed */
  userId: string;
  isGuest: boolean;
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** Distinct readers present now. */
  members: number;
}

/** The last socket of a reader left the room, closed, or died with its worker. */
export interface UserLeft {
  /** 1 to 64 characters once trimmed */
  username: string;
  /** ISO 8601, UTC, milliseconds, Z */
  timestamp: string;
  /** 1 to 128 characters once trimmed */
  userId: string;
  isGuest: boolean;
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** Distinct readers present now. */
  members: number;
}

/** The turn of the reader has begun: speak. */
export interface UserTurnStarted {
  status: "ready";
  question: string;
  /** Unix time, seconds. */
  timestamp: number;
}

/** Somebody began or stopped writing; never kept, so forget it after a few seconds. */
export interface UserTyping {
  /** 42, 42.0 and '42' are the same */
  bookId: number;
  /** 1 to 64 characters once trimmed */
  username: string;
  on: boolean;
  /** 1 to 128 characters once trimmed */
  userId: string;
  isGuest: boolean;
}

/** Speech has begun or ended. */
export interface VoiceActivity {
  sessionId: string;
  speaking: boolean;
  atMs: number;
  /** Only when nobody has spoken for `vad.silenceTimeoutMs`. */
  silenceMs?: number;
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

/** The greeting of every socket. */
export interface Welcome {
  message: "Welcome to the socket.io server!";
  socketId: string;
  timestamp: number;
}

/** The greeting of every socket. */
export interface WelcomeAnswer {
  data: Welcome;
  timestamp: number;
  success: true;
}

/** What a message said for some time. */
export interface Wording {
  content: string;
  /** ISO 8601, UTC, milliseconds, Z */
  writtenAt: string;
}

/** Everything that a message said, the present wording last; of very many, the newest. */
export interface Wordings {
  ok: true;
  messageId: string;
  wordings: Array<Wording>;
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
  "connection:welcome": (data: WelcomeAnswer) => void;
  "session:started": (data: SessionStartedAnswer | Failure) => void;
  "session:ended": (data: SessionEndedAnswer | Failure) => void;
  "session:paused": (data: SessionChangedAnswer | Failure) => void;
  "session:resumed": (data: SessionChangedAnswer | Failure) => void;
  "audio:started": (data: AudioChangedAnswer | Failure) => void;
  "audio:stopped": (data: AudioChangedAnswer | Failure) => void;
  "audio:chunk:processed": (data: ChunkProcessedAnswer | Failure) => void;
  "config:updated": (data: ConfigUpdatedAnswer | Failure) => void;
  "config:data": (data: ConfigDataAnswer | Failure) => void;
  "config:reset": (data: ConfigResetAnswer | Failure) => void;
  "system:status": (data: SystemStatusAnswer | Failure) => void;
  "system:health": (data: SystemHealthAnswer | Failure) => void;
  "system:stats": (data: SystemStatsAnswer | Failure) => void;
  "command:process": (data: ProcessCommand) => void;
  "audio:transcription": (data: Transcription) => void;
  "audio:vad": (data: VoiceActivity) => void;
  "audio:error": (data: ProcessingFailed) => void;
  connected: (data: Connected) => void;
  interview_started: (data: InterviewStarted) => void;
  agent_next_question: (data: AgentNextQuestion) => void;
  agent_intro_question: (data: AgentIntroQuestion) => void;
  backend_ready: (data: BackendReady) => void;
  user_turn_started: (data: UserTurnStarted) => void;
  live_transcript: (data: LiveTranscript) => void;
  timer_update: (data: TimerUpdate) => void;
  force_stop_speaking: (data: ForceStopSpeaking) => void;
  user_answer_complete: (data: UserAnswerComplete) => void;
  interview_error: (data: InterviewError) => void;
  interview_complete: (data: InterviewComplete) => void;
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
  getWordings: (data: GetWordings, ack?: (answer: Wordings | RoomsRefused) => void) => void;
  start: (data: Start, ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  sendAudio: (data: SendAudio, ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  stop: (ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  audioPlayed: (data: AudioPlayed, ack?: (answer: VoiceDone | VoiceRefused) => void) => void;
  "session:start": (data: StartSession, ack?: (answer: SessionStartedAnswer | Failure) => void) => void;
  "session:end": (data: EndSession, ack?: (answer: SessionEndedAnswer | Failure) => void) => void;
  "session:pause": (data: PauseSession, ack?: (answer: SessionChangedAnswer | Failure) => void) => void;
  "session:resume": (data: ResumeSession, ack?: (answer: SessionChangedAnswer | Failure) => void) => void;
  "audio:start": (data: StartAudio, ack?: (answer: AudioChangedAnswer | Failure) => void) => void;
  "audio:stop": (data: StopAudio, ack?: (answer: AudioChangedAnswer | Failure) => void) => void;
  "audio:chunk": (data: RoutesAudioChunk, ack?: (answer: ChunkProcessedAnswer | Failure) => void) => void;
  "config:update": (data: UpdateConfig, ack?: (answer: ConfigUpdatedAnswer | Failure) => void) => void;
  "config:get": (data: GetConfig, ack?: (answer: ConfigDataAnswer | Failure) => void) => void;
  "config:reset": (data: ResetConfig, ack?: (answer: ConfigResetAnswer | Failure) => void) => void;
  "system:status": (data: AskSystem, ack?: (answer: SystemStatusAnswer | Failure) => void) => void;
  "system:health": (data: AskSystem, ack?: (answer: SystemHealthAnswer | Failure) => void) => void;
  "system:stats": (data: AskSystem, ack?: (answer: SystemStatsAnswer | Failure) => void) => void;
  start_interview: (data: StartInterview, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  interviewer_done: (data: InterviewerDone, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  audio_chunk: (data: InterviewsAudioChunk, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  client_transcript: (data: ClientTranscript, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  user_done_speaking: (data: UserDoneSpeaking, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  stop_interview: (data: StopInterview, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  leave_interview: (data: LeaveInterview, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
  interviewer_audio_chunk: (data: InterviewerAudioChunk, ack?: (answer: Accepted | InterviewsRefused) => void) => void;
}
