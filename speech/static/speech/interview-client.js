/**
 * One interview over one socket: what it is doing, and what may be said to it. Knows no page, no
 * microphone and no voice.
 *
 * Events, each with the wire's payload as `detail` unless it says otherwise: `phase` (the name of
 * the phase), `started`, `question`, `transcript`, `timer`, `answer`, `result`, `problem` (a `Problem`) and
 * `line` (whether the connection stands).
 */

/**
 * @typedef {"ready" | "starting" | "question" | "opening" | "turn" | "processing" | "finishing" | "over"} Phase
 *   ready: nothing has begun. question: it is the interviewer's turn. opening: the reader's turn
 *   was asked for. turn: the reader speaks. over: there will be no more events.
 *
 * @typedef {object} Choice
 * @property {string | null} topic
 * @property {number} questions
 * @property {boolean} stress
 *
 * @typedef {object} Problem
 * @property {string} code
 * @property {string} words to be shown
 *
 * @typedef {object} Socket What is used of a socket of socket.io-client.
 * @property {boolean} connected
 * @property {boolean} active whether it will connect again by itself
 * @property {() => unknown} connect
 * @property {() => unknown} disconnect
 * @property {(event: string, ...args: any[]) => unknown} emit
 * @property {(event: string, hear: (...args: any[]) => void) => unknown} on
 * @property {(ms: number) => {emitWithAck: (event: string, ...args: any[]) => Promise<any>}} timeout
 */

/** Longer than the server takes to answer a command, ms. */
const DEADLINE_MS = 15_000;

/** What the server's codes mean here, where its own words would not help. */
const WORDS = {
  INTERVIEW_IN_PROGRESS: "This interview goes on in another tab or on another device.",
  PROVIDER_UNAVAILABLE: "Your words cannot be written down right now. Speech and pauses are still measured, and the interview goes on.",
  SESSION_NOT_FOUND: "This interview has ended while you were away.",
  UNSUPPORTED_MEDIA: "The server cannot read the sound of this browser.",
  NO_ANSWER: "The server does not answer. Try again in a moment.",
};

/** @type {Record<string, Phase>} By the state that the server names after a resumption. */
const RESUMED = { interviewer: "question", user: "opening", processing: "processing" };

export class InterviewClient extends EventTarget {
  /** @type {Phase} */
  phase = "ready";
  #socket;
  #userId;
  #choice;
  #wasTold = "";
  /** Between the question that is told again and the state that it is told for. */
  #isResuming = false;

  /**
   * @param {object} options
   * @param {Socket} options.socket not yet connected
   * @param {number} options.userId
   * @param {Choice} options.choice
   */
  constructor({ socket, userId, choice }) {
    super();
    this.#socket = socket;
    this.#userId = userId;
    this.#choice = choice;
    this.#listen();
  }

  /** Whether an interview goes on that a lost connection would interrupt. */
  get isRunning() {
    return !["ready", "starting", "over"].includes(this.phase);
  }

  /** Start a new interview. */
  async begin() {
    const { topic, questions, stress } = this.#choice;
    this.#turnTo("starting");
    await this.#connected();
    const isOn = await this.#command("start_interview", {
      stress_test: stress, question_count: questions, ...(topic && { topic }),
    });
    if (!isOn) this.#return("starting", "ready");
  }

  /** Go on with the interview that runs, or ran a moment ago; another tab hears no more of it. */
  async resume() {
    if (!this.isRunning) this.#turnTo("starting");
    await this.#connected();
    await this.#resume();
  }

  /** The question has been read: it is the reader's turn. */
  async ready() {
    if (this.phase !== "question") return;
    this.#turnTo("opening");
    if (!(await this.#command("interviewer_done"))) this.#return("opening", "question");
  }

  /**
   * Sound of the reader; lost while the connection is.
   * @param {ArrayBuffer} pcm s16le mono at 16 kHz
   */
  hear(pcm) {
    if (this.phase !== "turn" || !this.#socket.connected) return;
    this.#socket.emit("audio_chunk", { user_id: this.#userId, audio_data: pcm, sample_rate: 16_000 });
  }

  /**
   * Words of the reader: the current phrase, which may be revised until it is final.
   * @param {string} text
   * @param {boolean} isFinal
   */
  write(text, isFinal) {
    if (this.phase !== "turn" || !this.#socket.connected) return;
    this.#socket.emit("client_transcript", { user_id: this.#userId, text, is_final: isFinal });
  }

  /** The answer is given. */
  async done() {
    if (this.phase !== "turn") return;
    this.#turnTo("processing");
    if (!(await this.#command("user_done_speaking"))) this.#return("processing", "turn");
  }

  /** End the interview; its result comes as `result`. */
  async finish() {
    const before = this.phase;
    this.#turnTo("finishing");
    if (!(await this.#command("stop_interview"))) this.#return("finishing", before);
  }

  /** Give the interview up; there will be no result. */
  async leave() {
    await this.#command("leave_interview");
    this.#end();
  }

  #listen() {
    const ask = (/** @type {any} */ question) => {
      this.#fire("question", question);
      if (!this.#isResuming) this.#turnTo("question");
    };
    /** @type {Record<string, (detail: any) => void>} */
    const ears = {
      agent_next_question: ask,
      agent_intro_question: ask,
      interview_started: (started) => {
        this.#fire("started", started);
        if (started.resumed) this.#goOn(started.state);
      },
      user_turn_started: () => { this.#wasTold = ""; this.#turnTo("turn"); },
      live_transcript: (transcript) => this.#fire("transcript", transcript),
      timer_update: (timer) => this.#fire("timer", timer),
      force_stop_speaking: () => this.#turnTo("processing"),
      user_answer_complete: (answer) => this.#fire("answer", answer),
      interview_complete: (result) => { this.#end(); this.#fire("result", result); },
      interview_error: (error) => this.#hearError(error),
      connect: () => { this.#fire("line", true); if (this.isRunning) this.#resume(); },
      disconnect: () => this.#fire("line", false),
      connect_error: (error) => {
        // A socket that is still active tries again by itself.
        if (this.#socket.active) this.#fire("line", false);
        else this.#complain(error.data?.code ?? "UNAUTHENTICATED", `The server did not let you in: ${error.message}`);
      },
    };
    for (const [event, hear] of Object.entries(ears)) {
      this.#socket.on(event, (detail) => { if (this.phase !== "over") hear(detail); });
    }
  }

  async #resume() {
    this.#isResuming = true;
    if (!(await this.#command("start_interview", { resume: true }))) this.#isResuming = false;
  }

  /** @param {string} state where the server is */
  #goOn(state) {
    this.#isResuming = false;
    // A turn that was not over goes on, with what has been said or written in it.
    if (state !== "user" || this.phase !== "turn") this.#turnTo(RESUMED[state]);
  }

  /** @param {{error: string, code: string, event: string}} error */
  #hearError({ error, code, event }) {
    if (code === "SESSION_NOT_FOUND" && event === "start_interview") {
      // It ended while nobody listened: its result is still told to whoever asks in time.
      this.#command("stop_interview");
      return;
    }
    if (code === "SESSION_NOT_FOUND" && event === "stop_interview") this.#end();
    if (code === "INTERVIEW_IN_PROGRESS") this.#turnTo("ready");
    // Sound comes four times a second; what is wrong with it is said once.
    if (event === "audio_chunk" && this.#wasTold === code) return;
    this.#wasTold = code;
    this.#complain(code, WORDS[/** @type {keyof typeof WORDS} */ (code)] ?? error);
  }

  /**
   * @param {string} event
   * @param {object} [payload]
   * @returns {Promise<boolean>} whether it was accepted; a refusal comes as `problem`
   */
  async #command(event, payload = {}) {
    try {
      const told = { user_id: this.#userId, ...payload };
      const reply = await this.#socket.timeout(DEADLINE_MS).emitWithAck(event, told);
      return reply?.ok === true;
    } catch {
      // A lost connection says so itself, and is taken up again.
      if (this.#socket.connected) this.#complain("NO_ANSWER", WORDS.NO_ANSWER);
      return false;
    }
  }

  #connected() {
    if (this.#socket.connected) return Promise.resolve();
    const connected = new Promise((resolve) => {
      const hear = () => resolve(undefined);
      this.#socket.on("connect", hear);
    });
    this.#socket.connect();
    return connected;
  }

  #end() {
    this.#turnTo("over");
    this.#socket.disconnect();
  }

  /**
   * @param {string} code
   * @param {string} words
   */
  #complain(code, words) {
    const text = words.charAt(0).toUpperCase() + words.slice(1);
    this.#fire("problem", { code, words: /[.!?]$/u.test(text) ? text : `${text}.` });
  }

  /**
   * Undo a step that was not taken, unless something else has happened since.
   * @param {Phase} from
   * @param {Phase} to
   */
  #return(from, to) {
    if (this.phase === from) this.#turnTo(to);
  }

  /** @param {Phase} phase */
  #turnTo(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.#fire("phase", phase);
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
