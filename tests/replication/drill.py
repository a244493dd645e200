"""Replicates a busy Sheetline with Litestream and restores the replica: in peace, after
a restart of the server, after a rest of Litestream, and after both were killed while jobs ran.

    drill.py SHEETLINE LITESTREAM
"""

import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SHEETLINE, LITESTREAM = (str(pathlib.Path(path).absolute()) for path in sys.argv[1:3])
PASSWORD = "correct horse battery"
# What was completed longer ago than this when the power went must be in the replica: sync-interval, and some
# more for a busy machine; for a slow one this many times what it takes in peace.
LOST_SECONDS_MAX = 5
SLOWER_AT_WORK = 4
PATIENCE = 300  # seconds, for what has to come


class Office:
    """A server on a database, and Litestream beside it."""

    def __init__(self, folder):
        self.folder = folder
        self.db = folder / "office.db"
        config = folder / "litestream.yml"
        config.write_text(
            f"dbs:\n  - path: {self.db}\n    replica:\n      path: {folder / 'replica'}\n      sync-interval: 1s\n"
        )
        subprocess.run(
            [SHEETLINE, "user", "add", "root", "--admin", "--password-stdin", "--db", str(self.db)],
            input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL,
        )
        self.config = str(config)
        self.start_server()
        self.start_litestream()
        self.token = None
        self.done = {}  # job -> when it was seen completed

    def start_server(self):
        self.server = subprocess.Popen(
            [SHEETLINE, "serve", "--db", str(self.db), "--listen", "127.0.0.1:0", "--replicated",
             "--sweep-every", "1"],
            stdout=subprocess.PIPE, stderr=(self.folder / "server.log").open("a"), text=True,
        )
        for line in self.server.stdout:
            if line.startswith("listening on "):
                self.url = line.split()[-1]
                return
        raise SystemExit("the server did not start: " + (self.folder / "server.log").read_text())

    def start_litestream(self):
        self.litestream = subprocess.Popen(
            [LITESTREAM, "replicate", "-config", self.config],
            stdout=(self.folder / "litestream.log").open("a"), stderr=subprocess.STDOUT,
        )

    def ask(self, path, body=None, kind="application/json"):
        headers = {"Content-Type": kind}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        request = urllib.request.Request(self.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def sign_in(self):
        body = json.dumps({"username": "root", "password": PASSWORD}).encode()
        self.token = self.ask("/api/auth/login", body)["session_id"]

    def job(self, number, rows=500):
        """Uploads a list, waits until its job is completed, and notes when that was seen."""
        lines = ["Company Name,LinkedIn_URL"]
        lines += [f"Firm {number} {n},https://www.linkedin.com/company/f-{number}-{n}" for n in range(rows)]
        form = (
            '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            + "\n".join(lines) + "\r\n--b--\r\n"
        ).encode()
        job = self.ask("/api/files/upload-and-process", form, "multipart/form-data; boundary=b")["job_id"]
        while True:
            state = self.ask(f"/api/jobs/{job}")["job"]["status"]
            if state == "completed":
                self.done[job] = time.monotonic()
                return
            assert state in ("pending", "processing"), state
            time.sleep(0.02)

    def restore(self):
        """The jobs that a restored replica holds as completed; the copy must be sound."""
        copy = self.folder / f"restored-{time.monotonic_ns()}.db"
        ran = subprocess.run(
            [LITESTREAM, "restore", "-config", self.config, "-o", str(copy), str(self.db)],
            capture_output=True, text=True,
        )
        if ran.returncode != 0:
            return set()
        with sqlite3.connect(copy) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            half = db.execute(
                "SELECT count(*) FROM jobs j WHERE status = 'completed'"
                " AND valid <> (SELECT count(*) FROM records r WHERE r.job_id = j.id)"
            ).fetchone()[0]
            assert half == 0, f"{half} jobs are half there"
            jobs = {row[0] for row in db.execute("SELECT id FROM jobs WHERE status = 'completed'")}
        db.close()
        self.copy = copy
        return jobs

    def all_arrive(self):
        """Seconds until a restored replica holds every completed job."""
        began = time.monotonic()
        while not set(self.done) <= self.restore():
            assert time.monotonic() - began < PATIENCE, "jobs never came to the replica"
            time.sleep(0.2)
        return time.monotonic() - began


def main():
    with tempfile.TemporaryDirectory() as folder:
        drill(Office(pathlib.Path(folder)))


def drill(office):
    try:
        office.sign_in()
        for number in range(20):
            office.job(number)
        in_peace = office.all_arrive()
        lost_seconds_max = max(LOST_SECONDS_MAX, SLOWER_AT_WORK * in_peace)
        print(f"in peace: {len(office.done)} jobs, all in the replica after {in_peace:.1f} s")

        office.server.send_signal(signal.SIGTERM)
        assert office.server.wait(PATIENCE) == 0
        office.start_server()
        for number in range(20, 30):
            office.job(number)
        print(f"after a restart: {len(office.done)} jobs, all in the replica after {office.all_arrive():.1f} s")

        office.litestream.send_signal(signal.SIGTERM)
        office.litestream.wait(PATIENCE)
        for number in range(30, 40):
            office.job(number)
        office.start_litestream()
        print(f"after a rest of Litestream: {len(office.done)} jobs, all in the replica after {office.all_arrive():.1f} s")

        before = set(office.done)
        over = threading.Event()

        def work():
            number = 100
            while not over.is_set():
                number += 1
                try:
                    office.job(number)
                except (OSError, ValueError):
                    return

        worker = threading.Thread(target=work)
        worker.start()
        time.sleep(5 + lost_seconds_max)
        killed = time.monotonic()
        office.litestream.kill()
        office.server.kill()
        over.set()
        worker.join()
        office.litestream.wait()
        there = office.restore()
        promised = {job for job, at in office.done.items() if at < killed - lost_seconds_max}
        assert promised > before, "nothing was done long enough before the kill"
        lost = set(office.done) - there
        assert promised <= there, f"lost: {sorted(promised - there)}"
        age = max((killed - office.done[job] for job in lost), default=0)
        print(f"killed at work: {len(office.done)} jobs, {len(lost)} of the last {age:.1f} s are lost")

        # The restored copy takes the place of the lost one, and an office goes on.
        place = office.folder / "new.db"
        subprocess.run([SHEETLINE, "restore", str(office.copy), "--db", str(place)], check=True)
        subprocess.run([SHEETLINE, "check", "--db", str(place)], check=True, stdout=subprocess.DEVNULL)
        office.db = place
        office.start_server()
        office.sign_in()
        # The job that was at work when everything ended runs again first.
        while office.ask("/api/files/processing-status")["queue_info"]["user_has_active_job"]:
            time.sleep(0.1)
        office.job(1000)
        office.server.send_signal(signal.SIGTERM)
        assert office.server.wait(PATIENCE) == 0
        log = (office.folder / "litestream.log").read_text()
        print(f"litestream said {log.count('level=ERROR')} errors; snapshots anew: {log.count('snapshot complete')}")
    except BaseException:
        for name in ("litestream.log", "server.log"):
            print(f"== {name}", *(office.folder / name).read_text().splitlines()[-20:], sep="\n")
        raise
    finally:
        for process in (office.litestream, office.server):
            if process.poll() is None:
                process.kill()


main()
