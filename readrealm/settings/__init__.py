"""Django's settings, made from the environment; a wrong value ends the process with one line."""

import sys
from pathlib import Path

from readrealm.observability import logging_config
from readrealm.settings import env as _env
from readrealm.settings import provider as _provider
from readrealm.settings import storage as _storage
from readrealm.settings import voice as _voice
from readrealm.settings.security import content_security_policy, transport_security
from readrealm.stores import addresses as _addresses

BASE_DIR = Path(__file__).resolve().parent.parent.parent

try:
    _environment = _env.read(root=BASE_DIR)
    _voices = _voice.read()
    _talk = _provider.read()
    DATA_DIR = _storage.data_folder(_environment.data_dir)
except _env.WrongSetting as _wrong:
    sys.stderr.write(f"readrealm: wrong setting {_wrong}\n")
    raise SystemExit(2) from None

# The process

HOST, PORT, WORKERS = _environment.host, _environment.port, _environment.workers
WORKER_ID = _environment.worker_id
DRAIN_S = _environment.drain_s
DEBUG = _environment.debug
DEBUG_IS_AUTO = _environment.debug_is_auto
SECRET_KEY = _environment.secret_key or _storage.kept_key(DATA_DIR)

LOGGING_CONFIG = "readrealm.observability.configure"
LOGGING = logging_config(level=_environment.log_level, style=_environment.log_format)
METRICS_TOKEN = _environment.metrics_token

# Stores

MONGODB_URL = _environment.mongodb_url or _addresses.mongod_url(DATA_DIR)
MONGODB_IS_PRIVATE = _environment.mongodb_url is None
REDIS_URL = _environment.redis_url or _addresses.valkey_url(DATA_DIR)
REDIS_IS_PRIVATE = _environment.redis_url is None
RUN_DIR = _addresses.socket_folder(_environment.run_dir)
DATABASES = {"default": _storage.database(_environment.database_url, data_dir=DATA_DIR)}
DATABASE_ROUTERS = ["readrealm.document_admin.DocumentRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "readrealm.socketio_bridge.layer.RoomChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "readrealm"},
    }
}

# Rooms and sockets

SOCKET_AUTH = _environment.socket_auth
CORS_ORIGINS = _environment.cors_origins
CHAT_RATE = _environment.chat_rate
LOG_IN_RATE = _environment.log_in_rate
SIGN_UP_RATE = _environment.sign_up_rate
HANDSHAKE_RATE = _environment.handshake_rate
SOCKETS_PER_ADDRESS = _environment.sockets_per_address
SOCKETS_PER_USER = _environment.sockets_per_user
TRUST_PROXY_HEADERS = _environment.trust_proxy_headers

VOCABULARIES = [
    "chat.vocabulary.VOCABULARY",
    "speech.gateway.events.VOCABULARY",
    "speech.routes.vocabulary.VOCABULARY",
    "speech.interviews.vocabulary.VOCABULARY",
]

# Voice

VOICE = _voices.is_served
REALTIME_ENGINE_IS_PRIVATE = _voices.engine_address is None
REALTIME_ENGINE_ADDRESS = _voices.engine_address or f"unix:{RUN_DIR / 'voice-engine.sock'}"
REALTIME_ENGINE_TOKEN = _voices.engine_token
LLM_BASE_URL = _voices.llm_base_url
LLM_MODEL = _voices.llm_model
LLM_API_KEY = _voices.llm_key
STT_ENGINE = _voices.stt_engine
STT_MODEL_PATH = _voices.stt_model_path
STT_LANGUAGE = _voices.stt_language
STT_PROCESSES = _voices.stt_processes
TTS_MODEL_PATH = _voices.tts_model_path
LIVE_TALK = _talk
TALK_IS_OFFERED = VOICE or not REALTIME_ENGINE_IS_PRIVATE or _talk.name != "local"
"""Whether somebody answers readers who speak."""
BOOKS = "readrealm.books.Catalogue"
"""What voice knows of books; `speech.gateway.services.Books` is the port."""
TALK = "speech.gateway.prospects.Prospects"
"""What pages may say of talks with a book; `chat.views.Talks` is the port."""
COMMAND_BROADCAST = _voices.command_broadcast
VOICE_WORKER_TOKEN = _voices.worker_token
VOICE_RETENTION_DAYS = _voices.retention_days
DIARIZATION_SEGMENTATION_MODEL = _voices.diarization_segmentation_model
DIARIZATION_EMBEDDING_MODEL = _voices.diarization_embedding_model
INTERVIEW_STT = _voices.interview_stt
INTERVIEW_STT_PROCESSES = _voices.interview_stt_processes
INTERVIEW_DURATION_S = _voices.interview_duration_s
INTERVIEW_SILENCE_S = _voices.interview_silence_s
INTERVIEW_GRACE_S = _voices.interview_grace_s
INTERVIEW_RETENTION_DAYS = _voices.interview_retention_days
INTERVIEW_INTRO_QUESTION = _voices.interview_intro_question

# Django

INSTALLED_APPS = [
    "readrealm.desk.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "readrealm",
    "readrealm.accounts",
    "chat",
    "speech",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "readrealm.content_policy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "readrealm.urls"
ASGI_APPLICATION = "readrealm.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "readrealm.offers.talk",
            ]
        },
    }
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
_NODE_MODULES = BASE_DIR / "node_modules"
_D3 = (
    "array", "axis", "color", "format", "interpolate", "path", "scale", "selection", "shape",
    "time", "time-format",
)  # fmt: skip
STATICFILES_DIRS = [
    ("vendor/socket.io-client", _NODE_MODULES / "socket.io-client" / "dist"),
    *((f"vendor/d3/{part}", _NODE_MODULES / f"d3-{part}" / "dist") for part in _D3),
    ("vendor/internmap", _NODE_MODULES / "internmap" / "src"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "readrealm.staticfiles.HashedModulesStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"

# Accounts

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "readrealm.accounts.passwords.SimilarityValidator",
        "django.contrib.auth.password_validation.MinimumLengthValidator",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]

# Security

ALLOWED_HOSTS = list(_environment.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(_environment.csrf_trusted_origins)
CONTENT_SECURITY_POLICY = content_security_policy()
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# HSTS for subdomains and browsers' preload lists bind a whole domain, which is not ours to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
globals().update(
    transport_security(
        https=_environment.https, trust_proxy_headers=_environment.trust_proxy_headers
    )
)
