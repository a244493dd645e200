"""The same load on an upload service of the usual kind (app.py) and on ours, in turn.

    service.py EXECUTABLE [ROUNDS]

Upload as JSON: 8 users, 5 times a workbook of 10,000 rows. Upload and process: 20 users, a list of 5,000 rows each.
"""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import lists

PASSWORD = "correct horse battery"
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A running service, and what it has used."""

    def __init__(self, command, **options):
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, **options)

    def wait_until_ready(self, path):
        while True:
            try:
                door = http.client.HTTPConnection(self.address)
                door.request("GET", path)
                door.getresponse().read()
                self.ready = time.perf_counter() - self.began
                return
            except OSError:
                time.sleep(0.002)

    def processor(self):
        """Seconds, with those of children that have ended."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15])) / TICKS

    def memory(self, line):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(found.split()[1]) for found in file if found.startswith(line)) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Peer(Server):
    def __init__(self, engine, folder):
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{door.getsockname()[1]}"
        texts = folder / f"{engine}-{time.monotonic_ns()}"
        texts.mkdir()
        super().__init__(
            [sys.executable, "-m", "uvicorn", "app:app", "--port", self.address.split(":")[1], "--log-level", "warning"],
            cwd=pathlib.Path(__file__).parent,
            env=dict(os.environ, ENGINE=engine, FOLDER=str(texts), PYTHONDONTWRITEBYTECODE="1"),
        )
        self.wait_until_ready("/openapi.json")

    def user(self, _number):
        return PeerUser(self.address)


class Ours(Server):
    def __init__(self, executable, folder):
        self.executable, self.db = executable, folder / f"ours-{time.monotonic_ns()}.db"
        super().__init__(
            [executable, "serve", "--db", self.db, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        told = next(line for line in self.process.stdout if line.startswith("listening on "))
        self.address = told.split("//")[1].strip()
        self.wait_until_ready("/api/health")

    def user(self, number):
        subprocess.run(
            [self.executable, "user", "add", f"p{number}", "--password-stdin", "--db", self.db],
            input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL,
        )
        return OurUser(self.address, f"p{number}")


class User:
    """Somebody with a connection of their own."""

    base = ""
    headers = {}

    def __init__(self, address):
        self.door = http.client.HTTPConnection(address, timeout=300)

    def ask(self, method, path, body=None, **headers):
        self.door.request(method, self.base + path, body, dict(self.headers, **headers))
        answer = self.door.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:200]!r}")
        return answer, text and json.loads(text)

    def upload(self, path, form):
        return self.ask("POST", path, form, **{"Content-Type": "multipart/form-data; boundary=b"})[1]


class PeerUser(User):
    def wait(self, queued):
        while True:
            status = self.ask("GET", "/status/" + queued["id"])[1]["status"]
            if status not in ("pending", "processing"):
                return status
            time.sleep(0.02)


class OurUser(User):
    base = "/api/files"

    def __init__(self, address, name):
        super().__init__(address)
        body = json.dumps({"username": name, "password": PASSWORD})
        self.door.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        self.headers = {"Authorization": "Bearer " + json.load(self.door.getresponse())["session_id"]}

    def wait(self, _queued):
        path, tag = "/processing-status", {}
        while True:
            answer, told = self.ask("GET", path, **tag)
            path, tag = "/processing-status?wait=25", {"If-None-Match": answer.getheader("ETag")}
            if told and told["processing_status"]["status"] not in ("pending", "processing"):
                return told["processing_status"]["status"]


def form(path):
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
    return head.encode() + path.read_bytes() + b"\r\n--b--\r\n"


def all_at_once(users, work):
    """Seconds that all took together."""
    threads = [threading.Thread(target=work, args=(number, user)) for number, user in enumerate(users)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def as_json(server, book):
    users = [server.user(n) for n in range(8)]
    ended = []

    def work(_number, user):
        for _ in range(5):
            user.upload("/upload-json", book)
            ended.append("completed")

    return measure(server, users, work, ended, 40)


def processed(server, texts):
    users = [server.user(n) for n in range(20)]
    ended = []
    return measure(server, users, lambda n, user: ended.append(user.wait(user.upload("/upload-and-process", texts[n]))), ended, 20)


def measure(server, users, work, ended, files):
    idle, before = server.memory("VmRSS:"), server.processor()
    took = all_at_once(users, work)
    if ended != ["completed"] * files:
        raise SystemExit(f"{len(ended)} of {files}: {set(ended)}")
    cpu = (server.processor() - before) / files
    most = server.memory("VmHWM:")
    server.stop()
    return took, cpu, server.ready, idle, most


def main():
    executable = str(pathlib.Path(sys.argv[1]).absolute())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        book = form(lists.write_xlsx(folder / "a.xlsx", 10_000))
        books = [form(lists.write_xlsx(folder / f"{n}.xlsx", 5_000, seed=n)) for n in range(20)]
        texts = [form(lists.write_csv(folder / f"{n}.csv", 5_000, seed=n)) for n in range(20)]
        servers = {
            "sheetline": lambda: Ours(executable, folder),
            "FastAPI + polars": lambda: Peer("polars", folder),
            "FastAPI + openpyxl": lambda: Peer("openpyxl", folder),
        }
        print("work | by | seconds | files/s | rows/s | beside ours | processor a file, ms | ready, ms | idle, at most, MiB")
        for name, load, files, rows in [
            ("upload as JSON, xlsx", lambda server: as_json(server, book), 40, 10_000),
            ("upload and process, xlsx", lambda server: processed(server, books), 20, 5_000),
            ("upload and process, csv", lambda server: processed(server, texts), 20, 5_000),
        ]:
            best = {}
            for _ in range(rounds):
                for who, start in servers.items():
                    if "openpyxl" in who and "csv" in name:
                        continue
                    figures = load(start())
                    best[who] = [min(pair) for pair in zip(figures, best.get(who, figures))]
            for who, (took, cpu, ready, idle, most) in best.items():
                print(
                    f"{name} | {who} | {took:.2f} | {files / took:.1f} | {files * rows / took:,.0f}"
                    f" | {took / best['sheetline'][0]:.1f} x | {cpu * 1e3:.0f} | {ready * 1e3:.0f} | {idle:.0f}, {most:.0f}"
                )


main()
