"""What a real server exports, read by programs that others wrote, and dropped back after they saved it."""

import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request
import uuid

import openpyxl

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXECUTABLE = os.environ.get("SHEETLINE_BIN", ROOT / "target/debug/sheetline")
PASSWORD = "correct horse battery"
TEMPLATE = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "text", "type": "string"},
        {"name": "plz", "type": "string", "constraints": {"pattern": "[0-9]{5}"}},
        {"name": "number", "type": "number"},
        {"name": "yes", "type": "boolean"},
        {"name": "day", "type": "date"},
        {"name": "clock", "type": "time"},
        {"name": "moment", "type": "datetime"},
        {"name": "kind", "type": "string", "constraints": {"enum": ["a", "b, c", "d"]}},
        {"name": "any", "type": "any"},
    ],
    "primaryKey": "id",
}
TEXTS = ["=1+1", "'=1+1", "-x", "@home", "\t=1", "007", "1e5", "12345678901234567890", "a;b,c", 'say "no"',
         "two\nlines", "Ünï 日本 🎉", "_x0041_", "+49 351 123456", "true", "2024-01-02", "'", "= "]


class Office:
    """A server of its own with one administrator."""

    def __init__(self, folder):
        self.folder = folder
        database = ["--db", str(folder / "office.db")]
        subprocess.run([EXECUTABLE, "user", "add", "root", "--admin", "--password-stdin", *database],
                       input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL)
        self.log = open(folder / "log", "w")
        self.server = subprocess.Popen([EXECUTABLE, "serve", "--listen", "127.0.0.1:0", *database],
                                       stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.server.stdout:
            if line.startswith("listening on "):
                self.url = line.split()[-1]
                break
        body = json.dumps({"username": "root", "password": PASSWORD}).encode()
        self.session = None
        self.session = json.loads(self.call("POST", "/api/auth/login", body))["session_id"]

    def call(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        request.add_header("Content-Type", kind)
        if self.session:
            request.add_header("Authorization", f"Bearer {self.session}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def process(self, name, data, **fields):
        """Uploads and processes a file; its job when that has ended."""
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
                 for key, value in fields.items()]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = b"".join(parts) + head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        kind = f"multipart/form-data; boundary={mark}"
        job = json.loads(self.call("POST", "/api/files/upload-and-process", body, kind))["job_id"]
        while True:
            told = json.loads(self.call("GET", f"/api/jobs/{job}"))["job"]
            if told["status"] not in ("pending", "processing"):
                assert told["status"] == "completed", told
                return told
            time.sleep(0.05)

    def export(self, job, name):
        return self.call("GET", f"/api/jobs/{job['job_id']}/{name}")

    def close(self):
        self.server.terminate()
        assert self.server.wait(10) == 0
        self.log.close()


def sheet_of(data, name=None):
    book = openpyxl.load_workbook(io.BytesIO(data))
    return book[name] if name else book.worksheets[0]


def told(value):
    """A cell's value as a record has it."""
    if hasattr(value, "hour") and hasattr(value, "year"):
        return value.isoformat() if (value.hour or value.minute or value.second) else value.date().isoformat()
    return value.isoformat() if hasattr(value, "isoformat") else value


def by_libre_office(folder, data, name, form):
    """A workbook as LibreOffice saves it in another form."""
    path = folder / name
    path.write_bytes(data)
    home = folder / "profile"
    subprocess.run(["soffice", f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", form,
                    "--outdir", str(folder / "saved"), str(path)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180)
    ending = form.split(":")[0]
    return (folder / "saved" / path.with_suffix("." + ending).name).read_bytes()


def main(folder):
    office = Office(folder)
    office.call("PUT", "/api/templates/kinds", json.dumps(TEMPLATE).encode())
    names = [field["name"] for field in TEMPLATE["fields"]] + ["=beside"]
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(names)
    for number, text in enumerate(TEXTS):
        # An apostrophe before a formula is taken for a defusing one.
        text = "'" + text if text.startswith("'=") else text
        table.writerow([number, text, "01067", "-1.5", "true", "2024-02-29", "10:30:00",
                        "2024-02-29T10:30:00" + ("Z" if number % 2 else ""), "b, c", text, text])
    for number in range(100, 103):
        table.writerow([number, "=bad", "1067", "x", "maybe", "2024-02-30", "9", "then", "e", "007", ""])
    job = office.process("kinds.csv", out.getvalue().encode(), template="kinds")
    counts = job["counts"]
    assert (counts["valid"], counts["invalid"]) == (len(TEXTS), 3), counts
    records = [json.loads(line) for line in office.export(job, "records.ndjson").splitlines()]
    assert [record["text"] for record in records] == TEXTS

    # CSV, by Python: nothing would run, and what is not defused is as it is.
    data = office.export(job, "records.csv")
    assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\r\n") >= len(TEXTS)
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    for record, line in zip(records, lines[1:], strict=True):
        for name, value in zip(names, line, strict=True):
            text = record[name] if isinstance(record[name], str) else json.dumps(record[name])
            assert value in (text, "'" + text), (name, value, text)
            assert not value.startswith(("=", "@", "\t", "-x")), value

    # The workbook, by openpyxl: every cell has the record's value, text is text, and nothing is a formula.
    sheet = sheet_of(office.export(job, "records.xlsx"))
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]] == names
    for record, row in zip(records, rows[1:], strict=True):
        for name, cell in zip(names, row, strict=True):
            assert cell.data_type != "f"
            value = cell.value.replace("_x005F_", "_") if isinstance(cell.value, str) else told(cell.value)
            assert value == record[name], (name, value, record[name])

    # The marked copy and the rows to fix.
    sheet = sheet_of(office.export(job, "annotated.xlsx"))
    last = [row[-1].value for row in sheet.iter_rows()]
    assert last[0] == "What is wrong" and sum(bool(text) for text in last[1:]) == 3, last
    repair = office.export(job, "repair.xlsx")
    sheet = sheet_of(repair)
    assert [cell.value for cell in sheet[1]] == ["What is wrong", "Row in the file", *names]
    assert sheet.max_row == 4 and sheet["E2"].value == "1067" and sheet["E2"].number_format == "@"
    assert "Meant 01067?" in sheet["E2"].comment.text
    assert any("K2" in rule.sqref for rule in sheet.data_validations.dataValidation), "no drop-down list"
    forms = [("to-fix.xlsx", None)]
    if shutil.which("soffice"):
        forms += [("to-fix.xlsx", "xlsx"), ("to-fix.xlsx", "ods")]
        saved = by_libre_office(folder, office.export(job, "records.xlsx"), "records.xlsx", "csv:Text - txt - csv (StarCalc):44,34,76")
        lines = list(csv.reader(io.StringIO(saved.decode(), newline="")))
        assert [line[1] for line in lines[1:]] == TEXTS, lines
    else:
        print("LibreOffice is not here: what it reads and saves was not tried")
    for name, form in forms:
        book = openpyxl.load_workbook(io.BytesIO(repair))
        sheet = book.worksheets[0]
        for row in (2, 3, 4):
            mended = ["01067", "1", "true", "2024-02-28", "10:30:00", "2024-02-28T10:30:00", "a"]
            for column, value in zip("EFGHIJK", mended, strict=True):
                sheet[f"{column}{row}"] = value
        mended = io.BytesIO()
        book.save(mended)
        data = mended.getvalue()
        if form:
            data = by_libre_office(folder, data, name, form)
        back = office.process(pathlib.Path(name).with_suffix("." + (form or "xlsx")).name, data)
        assert back["template"] == "kinds" and back["counts"]["valid"] == 3, (form, back)
        report = json.loads(office.export(back, "report"))
        assert report["repairs"]["job_id"] == job["job_id"], report["repairs"]
        office.call("POST", f"/api/jobs/{back['job_id']}/undo", b"{}")
    office.close()
    print("exports: csv, openpyxl" + (", LibreOffice" if shutil.which("soffice") else "") + " agree")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as here:
        main(pathlib.Path(here))
