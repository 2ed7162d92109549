"""Draws docs/images/architecture.svg: `.venv-dev/bin/python docs/drawing.py`."""

from pathlib import Path

WIDTH, HEIGHT = 980, 600
STYLE = """\
svg{background:#fbf8f1;font-family:"DejaVu Sans",Verdana,sans-serif}
.part{fill:#fff;stroke:#8a2b2b;stroke-width:1.2}
.store{fill:#f4ede0;stroke:#6b6257;stroke-width:1.2}
.zone{fill:none;stroke:#a79c8b;stroke-dasharray:6 5}
text{fill:#1f1b16;text-anchor:middle}
.title{font-size:15px;font-weight:600}
.line{font-size:12.5px;fill:#4f473e}
.word{font-size:12.5px;fill:#8a2b2b;text-anchor:start}
.zone-word{font-size:12.5px;fill:#6b6257;text-anchor:start}
line{stroke:#6b6257;stroke-width:1.3}"""
DESCRIPTION = (
    "Clients reach one of several workers over Socket.IO. Inside, the bridge hands events to chat "
    "and speech. Chat keeps messages in MongoDB first and tells rooms through Valkey second. "
    "Speech talks to the realtime engine and to processing workers. Pages, accounts and the admin "
    "are Django with a relational database."
)

# kind, left, top, width, height, title, lines
BOXES = (
    ("part", 20, 20, 220, 58, "Readers", ["pages · JavaScript · Python"]),
    ("part", 260, 20, 220, 58, "Voice clients", ["microphone in, voice out"]),
    ("part", 500, 20, 220, 58, "Front ends of others", ["the same events"]),
    ("part", 760, 20, 200, 58, "Moderators", ["Django admin"]),
    (
        "part",
        *(40, 180, 680, 66),
        "readrealm/socketio_bridge",
        [
            "Engine.IO and Socket.IO · queues bounded in bytes · sessions found on any worker",
            "one frame for all members of a room · holes in numbered events are filled",
        ],
    ),
    (
        "part",
        *(760, 180, 180, 196),
        "Django",
        ["pages", "accounts", "admin", "", "calls the same services", "as the sockets do"],
    ),
    (
        "part",
        *(40, 282, 290, 94),
        "chat",
        [
            "consumer → services → repository",
            "→ broadcast → channel layer",
            "presence · moderation",
        ],
    ),
    (
        "part",
        *(350, 282, 370, 94),
        "speech",
        [
            "gateway: talk with a book",
            "routes: voice sessions",
            "interviews: questions, answers, metrics",
        ],
    ),
    (
        "store",
        20,
        480,
        180,
        100,
        "MongoDB",
        ["the truth", "room logs, sanctions", "majority, journal"],
    ),
    (
        "store",
        215,
        480,
        180,
        100,
        "Valkey",
        ["the doorbell", "room events, presence,", "leases, rates"],
    ),
    (
        "store",
        *(410, 480, 165, 100),
        "realtime_engine",
        ["Silero, pocketsphinx,", "espeak-ng, MiniLM;", "or Azure, OpenAI"],
    ),
    ("store", 590, 480, 155, 100, "voice_worker", ["decodes, detects,", "recognises"]),
    ("store", 760, 480, 200, 100, "SQLite or PostgreSQL", ["accounts, catalogue,", "interviews"]),
)

# from x, y, to x, y, word beside it, whether both ways
ARROWS = (
    (130, 78, 130, 180, "Socket.IO", True),
    (370, 78, 370, 180, "", True),
    (610, 78, 610, 180, "", True),
    (850, 78, 850, 180, "https", True),
    (185, 246, 185, 282, "", True),
    (535, 246, 535, 282, "", True),
    (110, 376, 110, 480, "1 kept", False),
    (280, 376, 280, 480, "2 told", True),
    (490, 376, 490, 480, "Realtime protocol", True),
    (665, 376, 665, 480, "chunks", True),
    (850, 376, 850, 480, "", True),
)


def drawing() -> str:
    """The picture as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title description">',
        '<title id="title">The parts of ReadRealm</title>',
        f'<desc id="description">{DESCRIPTION}</desc>',
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="#6b6257"/>'
        "</marker></defs>",
        f"<style>\n{STYLE}\n</style>",
        '<rect class="zone" x="20" y="130" width="940" height="266" rx="10"/>',
        '<text class="zone-word" x="384" y="156">one of N workers on one port</text>',
    ]
    for kind, left, top, width, height, title, lines in BOXES:
        middle = left + width / 2
        parts.append(
            f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
        )
        parts.append(f'<text class="title" x="{middle}" y="{top + 23}">{title}</text>')
        parts += [
            f'<text class="line" x="{middle}" y="{top + 42 + 17 * number}">{line}</text>'
            for number, line in enumerate(lines)
        ]
    for x1, y1, x2, y2, word, is_both in ARROWS:
        start = ' marker-start="url(#tip)"' if is_both else ""
        parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#tip)"{start}/>'
        )
        if word:
            height = (y1 + y2) / 2 + 4 - (24 if y1 < 100 else -10)
            parts.append(f'<text class="word" x="{x1 + 8}" y="{height}">{word}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    path = Path(__file__).parent / "images" / "architecture.svg"
    path.write_text(drawing(), "utf-8")
