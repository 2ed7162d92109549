"""The site's own variables: addresses, stores, sockets, operation."""

from readrealm.settings.setting import Setting

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
