"""Servers that stand between a client and PostgreSQL, and know just enough of its protocol to misbehave as networks and poolers do."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from support.postgres import USER, PostgresDatabase

When = Literal["before", "after", "silent"]
"""Whether a statement is cut off before the server has it, or after it was executed and before the client has the answer."""

_PROTOCOL_3 = 196608
_PATIENCE = 60


@dataclass
class Frames:
    """Cuts a stream of bytes into messages: a type, a length, a body; the first one of a client has no type."""

    has_startup: bool
    buffer: bytes = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete now."""
        self.buffer += data
        while (length := self._length()) is not None and len(self.buffer) >= length:
            message, self.buffer = self.buffer[:length], self.buffer[length:]
            self.has_startup = False
            yield message

    def _length(self) -> int | None:
        start = 0 if self.has_startup else 1
        head = self.buffer[start : start + 4]
        return None if len(head) < 4 else struct.unpack("!i", head)[0] + start


def _spoken(client: socket.socket, server: socket.socket) -> Iterator[tuple[bool, bytes]]:
    """What either side says, and whether it was the client, until one of them ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        selector.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                is_client = key.fileobj is client
                data = (client if is_client else server).recv(65536)
                if not data:
                    return
                yield is_client, data


def _is_statement(message: bytes) -> bool:
    return message[:1] in (b"Q", b"P")  # a simple query, or the first message of one with parameters


class _Between:
    """Accepts clients on a port of this machine, each with a thread of its own."""

    def __init__(self, database: PostgresDatabase) -> None:
        self.database = database
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self.is_refusing = False

    @property
    def url(self) -> str:
        """The address of the database through here."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{self.database.name}?sslmode=disable&gssencmode=disable"

    def serve(self, client: socket.socket) -> None:
        """Everything that happens to one client."""
        raise NotImplementedError

    def refuse(self) -> None:
        """From now on nobody comes through, and whoever was there is cut off."""
        self.is_refusing = True
        self._cut_all()

    def accept(self) -> None:
        """Let clients through again."""
        self.is_refusing = False

    def run(self) -> None:
        """Accept clients until the end."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_refusing:
                client.close()
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Cut everybody off and end all threads."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut_all()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def keep(self, one: socket.socket) -> socket.socket:
        """Close this one at the end, too."""
        with self._lock:
            self._sockets.add(one)
        return one

    def dial(self) -> socket.socket:
        """A connection to the real server."""
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self.database.host}/.s.PGSQL.{self.database.port}")
        return self.keep(server)

    def drop(self, one: socket.socket) -> None:
        """End a connection, for both sides."""
        with self._lock:
            self._sockets.discard(one)
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            with suppress(OSError):  # whoever is cut off, is
                self.serve(self.keep(client))
        finally:
            self.drop(client)

    def _cut_all(self) -> None:
        with self._lock:
            kept = tuple(self._sockets)
        for one in kept:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class CuttingProxy(_Between):
    """Passes everything on, and cuts the connection at the statement that it is told to."""

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__(database)
        self._armed: tuple[int, When] | None = None

    def cut(self, statement: int, when: When) -> None:
        """Cut off the statement of this number, counted from here over all connections."""
        self._armed = (statement, when)

    def was_cut(self) -> bool:
        """Whether it came to that; nothing is cut any more then."""
        done, self._armed = self._armed is None, None
        return done

    def serve(self, client: socket.socket) -> None:
        """Pass messages on in both directions until one side ends."""
        server = self.dial()
        try:
            self._pass_on(client, server)
        finally:
            self.drop(server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        asked, answered = Frames(has_startup=True), Frames(has_startup=False)
        swallows = hangs_up = False
        for is_client, data in _spoken(client, server):
            if is_client:
                fates = [(message, self._fate(message)) for message in asked.feed(data)]
                if any(fate == "before" for _, fate in fates):
                    return
                swallows = swallows or any(fate in ("after", "silent") for _, fate in fates)
                hangs_up = not any(fate == "silent" for _, fate in fates)
                server.sendall(b"".join(message for message, _ in fates))
                continue
            answers = list(answered.feed(data))
            if not swallows:
                client.sendall(b"".join(answers))
            elif hangs_up and answers and answers[-1][:1] == b"Z":
                return

    def _fate(self, message: bytes) -> When | None:
        with self._lock:
            if self._armed is None or not _is_statement(message):
                return None
            left, when = self._armed
            self._armed = None if left == 1 else (left - 1, when)
            return when if left == 1 else None


class _Session:
    """A session of the pool on the real server."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self.socket = connection
        body = struct.pack("!i", _PROTOCOL_3) + f"user\0{USER}\0database\0{name}\0application_name\0pooled\0\0".encode()
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        self.frames = Frames(has_startup=False)
        told = self.until_ready()
        self.parameters = [message for message in told if message[:1] == b"S"]
        self.pid: int = next(struct.unpack("!i", message[5:9])[0] for message in told if message[:1] == b"K")

    def ask(self, query: str) -> list[str]:
        """The texts that a query with one column answers."""
        self.socket.sendall(b"Q" + struct.pack("!i", len(query) + 5) + query.encode() + b"\0")
        answers = self.until_ready()
        assert not any(message[:1] == b"E" for message in answers), answers
        return [message[11:].decode() for message in answers if message[:1] == b"D"]

    def until_ready(self) -> list[bytes]:
        """The answers up to the one that says that the server is ready."""
        found: list[bytes] = []
        while not found or found[-1][:1] != b"Z":
            found += self.frames.feed(self.socket.recv(65536))
        return found


_LEFTOVERS = """
    select 'statement ' || name from pg_prepared_statements
    union all select 'listens to ' || pg_listening_channels()
    union all select 'setting ' || name from pg_settings where source = 'session'
"""


@dataclass
class _Pool:
    sessions: list[_Session] = field(default_factory=list)
    freed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, *, other_than: _Session | None) -> _Session:
        """The session that was free for the longest time, and not the one that this client had last."""
        with self.freed:
            self.freed.wait_for(lambda: any(session is not other_than for session in self.sessions), _PATIENCE)
            found = next(session for session in self.sessions if session is not other_than)
            self.sessions.remove(found)
            return found

    def give_back(self, session: _Session) -> None:
        with self.freed:
            self.sessions.append(session)
            self.freed.notify_all()


class TransactionPooler(_Between):
    """Gives every transaction of a client another session of the server, as poolers do in transaction mode."""

    def __init__(self, database: PostgresDatabase, sessions: int = 4) -> None:
        super().__init__(database)
        self.statements: list[str] = []
        """What clients asked for, in order."""
        self._pids = count(1)
        self._pool = _Pool()
        for _ in range(sessions):
            self._pool.give_back(_Session(self.dial(), database.name))

    def sessions_with_leftovers(self) -> list[str]:
        """What transactions have left in sessions: prepared statements, session locks, listening, changed settings."""
        pids = ", ".join(str(session.pid) for session in self._pool.sessions)
        locks = f"select 'lock of ' || pid from pg_locks where locktype = 'advisory' and pid in ({pids})"
        found = [str(row[0]) for row in self.database.query(locks)]
        for session in self._pool.sessions:
            found += session.ask(_LEFTOVERS)
        return found

    def serve(self, client: socket.socket) -> None:
        """Answer for the server, and pass on transaction by transaction."""
        asked, last = Frames(has_startup=True), None
        for message in self._messages(client, asked):
            if not last and message[:1] == b"\0":
                client.sendall(self._welcome(message))
                continue
            if message[:1] == b"X":
                return
            last = self._pool.take(other_than=last)
            self._transaction(client, asked, last, message)
            self._pool.give_back(last)

    def _messages(self, client: socket.socket, asked: Frames) -> Iterator[bytes]:
        while data := client.recv(65536):
            yield from asked.feed(data)

    def _welcome(self, startup: bytes) -> bytes:
        assert b"options\0" not in startup
        session = self._pool.take(other_than=None)
        self._pool.give_back(session)
        key = b"K" + struct.pack("!iii", 12, next(self._pids), 0)  # a number of the pooler's own
        return b"R" + struct.pack("!ii", 8, 0) + b"".join(session.parameters) + key + b"Z" + struct.pack("!i", 5) + b"I"

    def _transaction(self, client: socket.socket, asked: Frames, session: _Session, message: bytes) -> None:
        self._send(session, message)
        for is_client, data in _spoken(client, session.socket):
            if is_client:
                for one in asked.feed(data):
                    self._send(session, one)
                continue
            answers = list(session.frames.feed(data))
            client.sendall(b"".join(answers))
            if answers and answers[-1][:1] == b"Z" and answers[-1][5:] == b"I":
                return

    def _send(self, session: _Session, message: bytes) -> None:
        if _is_statement(message):
            text = message[5:] if message[:1] == b"Q" else message[5:].split(b"\0", 1)[1]
            self.statements.append(text.split(b"\0", 1)[0].decode())
        session.socket.sendall(message)


@contextmanager
def _running(between: _Between) -> Iterator[None]:
    thread = threading.Thread(target=between.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        between.close()
        thread.join(_PATIENCE)


@contextmanager
def cutting_proxy(database: PostgresDatabase) -> Iterator[CuttingProxy]:
    """A way to the database that can be cut."""
    proxy = CuttingProxy(database)
    with _running(proxy):
        yield proxy


@contextmanager
def transaction_pooler(database: PostgresDatabase) -> Iterator[TransactionPooler]:
    """A pooler in front of the database."""
    pooler = TransactionPooler(database)
    with _running(pooler):
        yield pooler
