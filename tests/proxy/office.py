"""The proxy set-ups of docs/office.md, tried with the real programs before the real executable.

The blocks are taken out of the document as they stand; only ports, certificate and socket are put in.
Proxies listen on 127.0.0.1 and clients come from 127.0.0.2 and up, so that the two can be told apart.
"""

import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXECUTABLE = os.environ.get("SHEETLINE_BIN", ROOT / "target/debug/sheetline")
DOCUMENT = (ROOT / "docs/office.md").read_text()
NAME = "sheets.example.org"
ORIGIN = f"https://{NAME}"
PASSWORD = "correct horse battery"
MB = 1024 * 1024
LIMIT_MB = 24  # of this server, so that a file above it is soon sent
PATIENCE = 180  # seconds for an answer, on a machine that is slow and busy
FORGED = "203.0.113.9"  # what clients claim to be


# ---- The document

def block(first_line):
    """The indented block of the document that begins with this line."""
    lines = DOCUMENT.split("\n")
    begin = lines.index("    " + first_line)
    end = next(i for i in range(begin, len(lines)) if lines[i] and not lines[i].startswith("    "))
    return textwrap.dedent("\n".join(lines[begin:end])).strip()


def put(text, old, new):
    """Replaces what must be there."""
    assert old in text, f"docs/office.md has no {old!r}"
    return text.replace(old, new)


FLAGS = shlex.split(block(f"sheetline serve --trusted-proxy 127.0.0.1 --public-url {ORIGIN}"))[2:]


# ---- Programs

PORTS = iter(random.sample(range(15_000, 32_000), 1000))  # each once, none that the system gives to others meanwhile


def free_port():
    while True:
        port = next(PORTS)
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass  # taken


def wait_until(what, done, seconds=120):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Office:
    """A folder, a Sheetline in it, and a proxy before it."""

    def __init__(self, proxy, by_socket):
        self.title = f"{proxy}, {'unix socket' if by_socket else 'port'}"
        self.temporary = tempfile.TemporaryDirectory(prefix="sheetline-proxy-")
        self.folder = pathlib.Path(self.temporary.name)
        self.children = []
        self.inner = str(self.folder / "socket") if by_socket else free_port()
        self.port = free_port()
        self.bare_port = free_port()
        database = ["--db", str(self.folder / "office.db")]
        for name, more in [("maria", ["--admin"]), ("anna", []), ("ben", [])]:
            command = [EXECUTABLE, "user", "add", name, *more, *database, "--password-stdin"]
            subprocess.run(command, input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        listen = f"unix:{self.inner}" if by_socket else f"127.0.0.1:{self.inner}"
        self.start("sheetline", [EXECUTABLE, "serve", *database, "--listen", listen, "--max-upload-mb", str(LIMIT_MB), *FLAGS])
        wait_until("sheetline listens", lambda: "listening on" in self.log("sheetline"))
        authority = {"nginx": self.nginx, "caddy": self.caddy}[proxy](by_socket)
        wait_until(f"{proxy} listens", lambda: answers(self.port))
        self.tls = ssl.create_default_context()
        wait_until("there is a certificate", authority.exists)
        self.tls.load_verify_locations(authority)
        self.authority = authority

    def start(self, name, command, **more):
        with open(self.folder / f"{name}.log", "w") as log:
            self.children.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **more))

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def nginx(self, by_socket):
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
                        "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        server = block("server {")
        server = put(server, "listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;")
        server = put(server, f"/etc/ssl/certs/{NAME}.pem", str(certificate))
        server = put(server, f"/etc/ssl/private/{NAME}.key", str(key))
        if by_socket:
            instead = re.search(r"`(proxy_pass http://unix:[^`]*)`", DOCUMENT)[1]
            server = put(server, "proxy_pass http://127.0.0.1:8080;", put(instead, "/run/sheetline/socket", self.inner))
        else:
            server = put(server, "127.0.0.1:8080", f"127.0.0.1:{self.inner}")
        places = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        # What many begin with: it hides who asks, and stops uploads at 1 MB.
        inner = f"http://unix:{self.inner}" if by_socket else f"http://127.0.0.1:{self.inner}"
        server += f"\nserver {{ listen 127.0.0.1:{self.bare_port}; location / {{ proxy_pass {inner}; }} }}"
        user = "user root;\n" if os.getuid() == 0 else ""  # the socket belongs to whoever runs the test
        (self.folder / "nginx.conf").write_text(f"{user}daemon off;\npid {self.folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{server}\n}}\n")
        self.start("nginx", ["nginx", "-e", "stderr", "-p", self.folder, "-c", self.folder / "nginx.conf"])
        return certificate

    def caddy(self, by_socket):
        site = block(f"{NAME} {{")
        if by_socket:
            instead = re.search(r"`(reverse_proxy unix/[^`]*)`", DOCUMENT)[1]
            site = put(site, "reverse_proxy 127.0.0.1:8080", put(instead, "/run/sheetline/socket", self.inner))
        else:
            site = put(site, "127.0.0.1:8080", f"127.0.0.1:{self.inner}")
        own = f"admin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\ndefault_bind 127.0.0.1\nhttps_port {self.port}\nhttp_port {free_port()}\nstorage file_system {self.folder}/caddy"
        (self.folder / "Caddyfile").write_text(f"{{\n{own}\n}}\n{site}\n")
        self.start("caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", self.folder / "Caddyfile"], env={**os.environ, "HOME": str(self.folder)})
        return self.folder / "caddy/pki/authorities/local/root.crt"

    def end(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        self.temporary.cleanup()


# ---- Clients

class ThroughProxy(http.client.HTTPSConnection):
    """A connection to the proxy that speaks as browsers do to https://sheets.example.org."""

    def __init__(self, office, address):
        super().__init__(NAME, context=office.tls, timeout=PATIENCE)
        self.office, self.address = office, address

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.office.port), self.timeout, (self.address, 0))
        self.sock = self.office.tls.wrap_socket(plain, server_hostname=NAME)


class Straight(http.client.HTTPConnection):
    """A connection to Sheetline itself, past the proxy."""

    def __init__(self, office, address):
        super().__init__("127.0.0.1", office.inner, timeout=PATIENCE, source_address=(address, 0))


class Answer:
    def __init__(self, response):
        self.status, self.headers, body = response.status, response.headers, response.read()
        self.text = body.decode(errors="replace")
        self.json = json.loads(body) if "json" in (self.headers["Content-Type"] or "") else None

    def expect(self, status):
        assert self.status == status, f"{self.status} where {status} was expected: {self.text[:300]}"
        return self


class Client:
    """A person at a computer: an address, and a cookie after the sign-in."""

    def __init__(self, office, address, kind=ThroughProxy):
        self.connection, self.cookie = kind(office, address), None

    def ask(self, method, path, body=None, headers=None):
        headers = {"Origin": ORIGIN, "X-Forwarded-For": FORGED, **(headers or {})}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            self.connection.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # the answer may have come before the body was through; it is read now
        return Answer(self.connection.getresponse())

    def sign_in(self, name, password=PASSWORD):
        answer = self.ask("POST", "/api/auth/login", {"username": name, "password": password})
        if answer.status == 200:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return answer

    def upload(self, way, name, content, fields=()):
        edge = "edge-of-a-part"
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields]
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
        body = "".join(parts).encode() + content + f"\r\n--{edge}--\r\n".encode()
        return self.ask("POST", f"/api/files/upload-{way}", body, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def status(self, wait=None, etag=None):
        headers = {"If-None-Match": etag} if etag else {}
        return self.ask("GET", "/api/files/processing-status" + (f"?wait={wait}" if wait else ""), headers=headers)


def companies(size, rows):
    note = "x" * (size // rows)
    lines = [f"Company {i},https://www.linkedin.com/company/{i},{note}\n" for i in range(rows)]
    return ("Company Name,LinkedIn_URL,Notes\n" + "".join(lines)).encode()


# ---- What holds in every set-up

def sign_in_is_secure(office):
    anna = Client(office, "127.0.0.2")
    answer = anna.sign_in("anna").expect(200)
    cookie = answer.headers["Set-Cookie"]
    for word in ["Secure", "HttpOnly", "SameSite=Strict"]:
        assert word in cookie, cookie
    assert "max-age" in (answer.headers["Strict-Transport-Security"] or ""), dict(answer.headers)
    page = Client(office, "127.0.0.2").ask("GET", "/").expect(200)
    assert "Sheetline" in page.text and page.headers["Strict-Transport-Security"]


def own_page_may_change_things_and_others_may_not(office):
    anna = Client(office, "127.0.0.2")
    anna.sign_in("anna").expect(200)
    name = {"name": "script", "expires_in_days": 1}
    anna.ask("POST", "/api/auth/tokens", name, {"Sec-Fetch-Site": "same-origin"}).expect(201)
    anna.ask("POST", "/api/auth/tokens", name).expect(201)
    foreign = anna.ask("POST", "/api/auth/tokens", name, {"Origin": "https://elsewhere.example"}).expect(403)
    assert foreign.json["code"] == "cross-origin", foreign.text


def a_file_of_20_mb_comes_to_its_report(office):
    anna = Client(office, "127.0.0.2")
    anna.sign_in("anna").expect(200)
    content = companies(20 * MB, 2000)
    assert len(content) > 20 * MB
    queued = anna.upload("and-process", "large.csv", content).expect(202).json
    end = time.monotonic() + 600
    answer = anna.status()
    while answer.status == 304 or answer.json["processing_status"]["status"] in ("pending", "processing"):
        assert time.monotonic() < end, answer.text
        etag = answer.headers["ETag"]
        answer = anna.status(wait=25, etag=etag)
    assert answer.json["processing_status"]["status"] == "completed", answer.text
    report = anna.ask("GET", f"/api/jobs/{queued['job_id']}/report").expect(200).json
    assert report["stats"]["valid"] == 2000, report["stats"]
    original = anna.ask("GET", f"/api/files/{queued['file_upload_id']}/original").expect(200)
    assert original.text.encode() == content


def a_file_that_is_too_large_is_refused_in_our_words(office):
    anna = Client(office, "127.0.0.2")
    anna.sign_in("anna").expect(200)
    answer = anna.upload("json", "too-large.csv", companies((LIMIT_MB + 2) * MB, 2000)).expect(413)
    assert answer.json and answer.json["code"] == "too-large" and answer.json["limit"] == LIMIT_MB * MB, answer.text


def news_come_at_once_and_silence_is_not_cut(office):
    ben = Client(office, "127.0.0.5")
    ben.sign_in("ben").expect(200)
    idle = ben.status().expect(200)
    began = time.monotonic()
    answer = ben.status(wait=25, etag=idle.headers["ETag"]).expect(304)
    assert time.monotonic() - began > 20, "the wait was cut"
    # A second connection adds a file while the first one waits.
    other = Client(office, "127.0.0.5")
    other.cookie = ben.cookie
    adding = threading.Timer(1, lambda: other.upload("and-process", "news.csv", companies(1000, 10)))
    adding.start()
    began = time.monotonic()
    answer = ben.status(wait=25, etag=answer.headers["ETag"] or idle.headers["ETag"]).expect(200)
    assert time.monotonic() - began < 20, "the news were held back"
    assert answer.json["processing_status"]["filename"] == "news.csv", answer.text
    adding.join()


def addresses_are_believed_from_the_proxy_only(office):
    Client(office, "127.0.0.6").sign_in("anna").expect(200)
    if isinstance(office.inner, int):
        Client(office, "127.0.0.7", Straight).sign_in("anna").expect(200)
    maria = Client(office, "127.0.0.2")
    maria.sign_in("maria").expect(200)
    entries = maria.ask("GET", "/api/admin/audit?limit=100").expect(200).json["entries"]
    seen = {entry["address"] for entry in entries}
    assert "127.0.0.6" in seen, f"the client's address is not in the audit: {seen}"
    assert "127.0.0.7" in seen or not isinstance(office.inner, int), seen
    assert FORGED not in seen and "127.0.0.1" not in seen, f"what a client claims was believed: {seen}"


def guessing_is_slowed_down_by_address(office):
    guesser = Client(office, "127.0.0.8")
    for n in range(10):
        guesser.connection.close()
        answer = guesser.ask("POST", "/api/auth/login", {"username": "ben", "password": f"wrong guess {n}"}, {"X-Forwarded-For": f"203.0.113.{n}"})
        answer.expect(401)
    # The first wait is a second, which may be over before a slow machine asks; each further one is twice as long.
    answers = (guesser.sign_in("ben", "wrong guess") for _ in range(5))
    assert next(answer for answer in answers if answer.status != 401).expect(429).headers["Retry-After"]
    Client(office, "127.0.0.9").sign_in("ben", "wrong guess").expect(401)


def figures_stay_inside(office):
    anna = Client(office, "127.0.0.2")
    anna.ask("GET", "/metrics").expect(404)
    assert "sheetline_" not in anna.ask("GET", "/metrics", headers={"Host": "127.0.0.1"}).text, "a false Host opens them"
    anna.sign_in("anna").expect(200)
    anna.ask("GET", "/metrics").expect(404)
    if isinstance(office.inner, int):
        plain = Client(office, "127.0.0.1", Straight)
        plain.connection.request("GET", "/metrics")
        Answer(plain.connection.getresponse()).expect(200)


def checked(office, url, trusts=True):
    """What `sheetline check --through` finds: messages by whether they are sound."""
    maria = Client(office, "127.0.0.2")
    maria.sign_in("maria").expect(200)
    made = maria.ask("POST", "/api/auth/tokens", {"name": "check", "expires_in_days": 1}, {"Sec-Fetch-Site": "same-origin"})
    token = office.folder / "token"
    token.write_text(made.expect(201).json["token"])
    command = [EXECUTABLE, "check", "--json", "--db", str(office.folder / "office.db"), "--max-upload-mb", str(LIMIT_MB), *FLAGS,
               "--through", url, "--token-file", str(token)]
    trust = ["--ca", str(office.authority)] if trusts and url.startswith("https") else []
    done = subprocess.run(command + trust, capture_output=True, text=True)
    found = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "through"]
    return [one["message"] for one in found if one["sound"]], [one["message"] + " -> " + one["next"] for one in found if not one["sound"]]


def a_check_through_https_finds_all_well(office):
    url = f"https://127.0.0.1:{office.port}"
    sound, bad = checked(office, url)
    assert not bad and len(sound) == 3, (sound, bad)
    assert any(f"uploads of {LIMIT_MB} MiB" in one for one in sound) and any("by https" in one for one in sound), sound
    sound, bad = checked(office, url, trusts=False)
    assert not sound and "certificate" in bad[0] and "--ca FILE" in bad[0] and "\n" not in bad[0], (sound, bad)
    health = [EXECUTABLE, "health", "--url", url]
    assert "--ca FILE" in subprocess.run(health, capture_output=True, text=True).stdout
    assert subprocess.run([*health, "--ca", str(office.authority)], capture_output=True).returncode == 0


def a_check_through_a_bare_proxy_finds_what_is_wrong(office):
    sound, bad = checked(office, f"http://127.0.0.1:{office.bare_port}")
    words = " ".join(bad)
    assert "/metrics" in words and "X-Forwarded-For" in words, (sound, bad)
    assert "uploads over 1024 KiB are stopped" in words, (sound, bad)


CHECKS = [
    sign_in_is_secure, own_page_may_change_things_and_others_may_not, addresses_are_believed_from_the_proxy_only,
    a_file_of_20_mb_comes_to_its_report, a_file_that_is_too_large_is_refused_in_our_words,
    news_come_at_once_and_silence_is_not_cut, guessing_is_slowed_down_by_address, figures_stay_inside,
]
CHECKS_OF_NGINX = [a_check_through_https_finds_all_well, a_check_through_a_bare_proxy_finds_what_is_wrong]


def tried(proxy, by_socket):
    """How many checks fail in this set-up."""
    office = Office(proxy, by_socket)
    failures = 0
    try:
        # The test's Caddy has a certificate for its name alone, and the bare proxy is an nginx.
        for check in CHECKS + (CHECKS_OF_NGINX if proxy == "nginx" else []):
            words = f"{office.title}: {check.__name__.replace('_', ' ')}"
            began = time.monotonic()
            try:
                check(office)
                print(f"ok      {words} ({time.monotonic() - began:.1f} s)\n", end="", flush=True)
            except Exception as error:  # each is told, and the others go on
                failures += 1
                logs = "".join(textwrap.indent("\n".join(office.log(name).split("\n")[-8:]), f"        {name}: ") for name in [proxy, "sheetline"])
                print(f"FAILED  {words}\n        {type(error).__name__}: {error}\n{logs}\n", end="", flush=True)
    finally:
        office.end()
    return failures


def main():
    set_ups = [(proxy, by_socket) for proxy in ["nginx", "caddy"] for by_socket in [False, True]]
    with concurrent.futures.ThreadPoolExecutor(len(set_ups)) as pool:
        failures = sum(pool.map(lambda one: tried(*one), set_ups))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
