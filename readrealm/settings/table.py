"""Every variable of the environment that ReadRealm reads: the table of the README.

Only names and words stand here; `readrealm.settings.env` reads and judges the values.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable, as the README explains it and as a refusal quotes it."""

    name: str
    default: str
    meaning: str
    allowed: str
    also: tuple[str, ...] = ()
    """Other spellings, looked up when ``name`` is not set."""


SITE: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", "address to listen on", "an IP address or a host name"),
    Setting("PORT", "8000", "port to listen on; 0 takes any free one", "0 to 65535"),
    Setting("WORKERS", "processors, at most 4", "daphne processes behind the port", "1 to 64"),
    Setting(
        "DATA_DIR",
        "var",
        "where private stores, the SQLite file, sockets and the generated key live",
        "a folder that can be written",
    ),
    Setting(
        "MONGODB_URL",
        "a private mongod in DATA_DIR",
        "MongoDB with messages; a replica set",
        "mongodb:// or mongodb+srv://, with w=majority or without w, and without journal=false",
        also=("MONGO_URL",),
    ),
    Setting(
        "REDIS_URL",
        "a private Valkey in DATA_DIR",
        "Valkey or Redis, the channel layer's transport",
        "redis://, rediss:// or unix://",
    ),
    Setting(
        "DATABASE_URL",
        "SQLite in DATA_DIR",
        "accounts, sessions and the admin",
        "postgresql:// or sqlite:///",
    ),
    Setting(
        "SECRET_KEY",
        "generated in DATA_DIR while DEBUG is on; required otherwise",
        "signs sessions and tokens",
        "at least 50 random characters, or DEBUG=true on a machine of your own",
    ),
    Setting(
        "DEBUG",
        "false; `make run` says auto",
        "development mode; auto: on while HOST is a loopback address and SECRET_KEY is not set",
        "true, false or auto",
    ),
    Setting(
        "HTTPS",
        "true, unless DEBUG is on",
        "readers come by https: secure cookies, HSTS, plain http is redirected",
        "true or false",
    ),
    Setting(
        "ALLOWED_HOSTS",
        "localhost, 127.0.0.1, [::1]",
        "host names this server answers to",
        "host names with commas between, `.example.org` for all below",
    ),
    Setting(
        "CSRF_TRUSTED_ORIGINS",
        "none",
        "other origins whose pages may post forms and open sockets with a reader's cookies",
        "origins with commas between, such as https://reader.example.org",
    ),
    Setting(
        "CORS_ORIGIN",
        "none",
        "other origins whose pages may open sockets",
        "origins with commas between, such as https://reader.example.org; * while DEBUG is on",
    ),
    Setting(
        "SOCKET_AUTH",
        "optional while DEBUG is on, else required",
        "whether a socket needs an account",
        "required or optional",
    ),
    Setting(
        "SOCKETS_PER_ADDRESS", "256", "open sockets of one client address", "1 to 1000000, or off"
    ),
    Setting("SOCKETS_PER_USER", "32", "open sockets of one account", "1 to 1000000, or off"),
    Setting(
        "HANDSHAKE_RATE",
        "600/60s",
        "new sockets of one client address",
        "count/period such as 600/60s, or off",
    ),
    Setting(
        "CHAT_RATE",
        "10/10s",
        "chat messages of one reader, over all sockets and workers",
        "count/period such as 10/10s or 500/250ms, or off",
    ),
    Setting(
        "LOG_IN_RATE",
        "5/5m",
        "attempts to log in to one account from one client address; wider limits stand beside it",
        "count/period such as 5/5m, or off",
    ),
    Setting(
        "SIGN_UP_RATE",
        "20/1h",
        "new accounts from one client address",
        "count/period such as 20/1h, or off",
    ),
    Setting(
        "TRUST_PROXY_HEADERS",
        "false",
        "believe X-Forwarded-For, -Proto and -Host; only behind a proxy that sets them",
        "true or false",
    ),
    Setting("DRAIN_S", "5", "seconds a stopping worker gives its sockets to leave", "0 to 300"),
    Setting(
        "METRICS_TOKEN",
        "none",
        "bearer token for /metrics; without it only DEBUG shows it",
        "16 characters or more",
    ),
    Setting(
        "LOG_LEVEL",
        "INFO",
        "least severity that is logged",
        "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    ),
    Setting(
        "LOG_FORMAT",
        "console while DEBUG is on, else json",
        "how a log line looks",
        "console or json",
    ),
    Setting(
        "WORKER_ID",
        "set by `serve`",
        "names this worker in session ids and logs",
        "1 to 32 letters and digits",
    ),
    Setting(
        "RUN_DIR",
        "set by `serve`; `run` in DATA_DIR",
        "Unix sockets of the workers",
        "a folder that can be written",
    ),
)

ENGINE: tuple[Setting, ...] = (
    Setting(
        "VOICE",
        "true",
        "`serve` runs the local voice engine and a worker for voice sessions beside the workers",
        "true or false",
    ),
    Setting(
        "REALTIME_ENGINE_ADDRESS",
        "a Unix socket in RUN_DIR, where `serve` starts the engine",
        "where the local voice engine listens; set, `serve` starts none",
        "host:port on a loopback address, or unix:path",
    ),
    Setting(
        "REALTIME_ENGINE_TOKEN",
        "none",
        "what a client of the local voice engine must show",
        "16 characters or more",
    ),
    Setting(
        "LLM_BASE_URL",
        "none: the reading companion answers alone",
        "OpenAI-compatible chat endpoint that answers readers and phrases questions",
        "http:// or https:// URL, such as https://llm.example.org/v1",
    ),
    Setting("LLM_MODEL", "default", "model at LLM_BASE_URL", "the name the endpoint knows it by"),
    Setting("LLM_API_KEY", "none", "key for LLM_BASE_URL", "1 character or more"),
    Setting(
        "STT_ENGINE",
        "pocketsphinx",
        "what turns speech into text",
        "pocketsphinx, vosk, faster-whisper or sherpa-onnx",
    ),
    Setting(
        "STT_MODEL_PATH",
        "none: the model inside pocketsphinx",
        "model folder of STT_ENGINE",
        "a folder that can be read",
    ),
    Setting("STT_LANGUAGE", "en", "language that is spoken", "a language tag such as en or en-US"),
    Setting("STT_PROCESSES", "4", "recogniser processes of one engine", "1 to 64"),
    Setting(
        "TTS_MODEL_PATH",
        "none: espeak-ng",
        "a Piper voice",
        "a file that can be read",
    ),
)

TALK: tuple[Setting, ...] = (
    Setting(
        "VOICE_PROVIDER",
        "azure if AZURE_REALTIME_ENDPOINT is set, openai if OPENAI_API_KEY is, else local",
        "who answers readers that speak",
        "local, azure or openai",
    ),
    Setting(
        "REALTIME_PROTOCOL",
        "ga",
        "protocol of a cloud provider; preview for deployments that still want it",
        "ga or preview",
    ),
    Setting("VOICE_NAME", "alloy", "voice of the answers", "a name the provider knows"),
    Setting(
        "AZURE_REALTIME_ENDPOINT",
        "none",
        "Azure OpenAI resource",
        "https://NAME.openai.azure.com",
        also=("AZURE_API_REALTIME_ENDPOINT",),
    ),
    Setting(
        "AZURE_REALTIME_DEPLOYMENT",
        "none",
        "deployment of a realtime model",
        "its name",
        also=("AZURE_API_REALTIME_MODEL",),
    ),
    Setting(
        "AZURE_TRANSCRIPTION_DEPLOYMENT",
        "whisper-1",
        "deployment that writes down what readers say",
        "its name",
    ),
    Setting(
        "AZURE_REALTIME_KEY",
        "none: a token of Microsoft Entra",
        "key of the Azure resource",
        "1 character or more",
        also=("AZURE_API_REALTIME_KEY",),
    ),
    Setting("AZURE_TENANT_ID", "none", "Entra directory, for a token in place of a key", "its id"),
    Setting("AZURE_CLIENT_ID", "none", "Entra application, for a token", "its id"),
    Setting(
        "AZURE_CLIENT_SECRET",
        "none: what azure-identity finds, if it is installed",
        "secret of the Entra application",
        "1 character or more",
    ),
    Setting(
        "OPENAI_API_KEY",
        "none",
        "key for OpenAI, or for the service at OPENAI_REALTIME_URL",
        "1 character or more",
    ),
    Setting("OPENAI_REALTIME_MODEL", "gpt-realtime", "realtime model there", "its name"),
    Setting(
        "OPENAI_REALTIME_URL",
        "wss://api.openai.com/v1",
        "another service with the same protocol",
        "wss:// or https:// URL; ws:// and http:// on this machine",
    ),
    Setting(
        "VOICE_MINUTES_PER_DAY",
        "120",
        "minutes of live talk of one reader in a UTC day",
        "1 to 1000000, or off",
    ),
    Setting(
        "VOICE_SESSIONS_PER_READER",
        "4",
        "live talks of one reader at a time; readers without account count by address",
        "1 to 1000000, or off",
    ),
    Setting(
        "VOICE_FRAME_BYTES",
        "100000000",
        "largest transport frame during live talk; 14000000 is enough for 10 MiB of sound",
        "1000000 to 100000000",
    ),
    Setting(
        "VOICE_AUDIO_BYTES",
        "75000000",
        "most sound in one `sendAudio`, decoded; the default is what fits into the largest frame",
        "4800 to 75000000",
    ),
)

SESSIONS: tuple[Setting, ...] = (
    Setting(
        "COMMAND_BROADCAST",
        "workers",
        "who hears the command `configure` of voice sessions; sound goes to workers in any case",
        "workers or all",
    ),
    Setting(
        "VOICE_WORKER_TOKEN",
        "made from SECRET_KEY",
        "what a processing worker of voice sessions shows",
        "16 characters or more",
    ),
    Setting(
        "VOICE_RETENTION_DAYS",
        "30",
        "how long ended voice sessions, their transcripts and their recordings are kept",
        "1 to 3650",
    ),
    Setting(
        "DIARIZATION_SEGMENTATION_MODEL",
        "none: speakers are not told apart",
        "a pyannote segmentation model in ONNX, for speaker labels",
        "a file that can be read",
    ),
    Setting(
        "DIARIZATION_EMBEDDING_MODEL",
        "none: speakers are not told apart",
        "a speaker embedding model in ONNX, for speaker labels",
        "a file that can be read",
    ),
)

INTERVIEWS: tuple[Setting, ...] = (
    Setting(
        "INTERVIEW_STT",
        "local",
        "who hears answers: a recogniser of ours, or only the captions that browsers send",
        "local or captions",
    ),
    Setting(
        "INTERVIEW_STT_PROCESSES",
        "2",
        "processes of a worker that hear answers while they are given; as many again hear whole "
        "answers",
        "1 to 64",
    ),
    Setting(
        "INTERVIEW_DURATION_S",
        "1800",
        "seconds after which an interview ends by itself",
        "60 to 7200",
    ),
    Setting("INTERVIEW_SILENCE_S", "15", "seconds of silence that end an answer", "2 to 120"),
    Setting(
        "INTERVIEW_GRACE_S",
        "60",
        "seconds for which an interview waits for a lost connection",
        "1 to 600",
    ),
    Setting(
        "INTERVIEW_RETENTION_DAYS",
        "off: readers delete their own",
        "days after which a result is deleted",
        "1 to 1000000, or off",
    ),
    Setting(
        "INTERVIEW_INTRO_QUESTION",
        "false",
        "the first question goes out as `agent_intro_question`, as the server that this one "
        "replaces sent it, instead of `agent_next_question`",
        "true or false",
    ),
)

SETTINGS: tuple[Setting, ...] = (*SITE, *ENGINE, *TALK, *SESSIONS, *INTERVIEWS)


def as_markdown() -> str:
    """The table for the README."""
    rows = ["| variable | default | meaning | allowed |", "|---|---|---|---|"]
    for setting in SETTINGS:
        names = ", ".join(f"`{name}`" for name in (setting.name, *setting.also))
        rows.append(f"| {names} | {setting.default} | {setting.meaning} | {setting.allowed} |")
    return "\n".join(rows) + "\n"
