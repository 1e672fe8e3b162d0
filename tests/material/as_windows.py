"""Makes this interpreter look like Windows to what is imported from now on, without what only POSIX has.

The libraries are imported before, as they are here: what is tried is Twofold's own code for Windows, on the file system
of this machine.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import sys

LIBRARIES: tuple[str, ...] = (
    "asyncio",
    "concurrent.futures.process",
    "faiss",
    "filelock",
    "http.client",
    "huggingface_hub.file_download",
    "huggingface_hub.utils._cache_manager",
    "ir_measures",
    "multiprocessing",
    "numpy",
    "openvino",
)
LIBRARIES += ("psycopg",)
LIBRARIES += ("psutil", "rich.console", "rich.progress", "rich.table", "safetensors.numpy", "scipy.stats", "sqlite3")
LIBRARIES += ("subprocess", "tantivy", "tempfile", "tokenizers", "torch", "urllib.request", "uuid", "webbrowser")
LIBRARIES += ("email.policy", "xml.parsers.expat", "yaml", "zipfile")
LIBRARIES += ("fastapi", "mcp.client.stdio", "mcp.server.mcpserver", "uvicorn", "uvicorn.supervisors")
MODULES = ("fcntl", "grp", "posix", "pwd", "resource", "syslog", "termios", "tty")
NAMES: tuple[str, ...] = (
    "O_DIRECTORY",
    "fdatasync",
    "fork",
    "getuid",
    "posix_fadvise",
    "pread",
    "pwrite",
    "register_at_fork",
)
NAMES += ("sched_getaffinity", "symlink", "sysconf")


def pretend() -> None:
    """From here on there is neither a POSIX module nor a POSIX function of `os`."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in NAMES:
        delattr(os, name)
    pathlib.WindowsPath = pathlib.PosixPath  # type: ignore[misc, assignment]
    sys.platform = "win32"
