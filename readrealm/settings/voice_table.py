"""The variables of everything that is spoken: engine, live talk, voice sessions, interviews."""

from readrealm.settings.setting import Setting

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
