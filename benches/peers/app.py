"""An upload service of the usual kind: FastAPI, one worker thread, a queue in memory, one JSON text a file.

No users, no original kept, no rows, no report, nothing synced. ENGINE is `openpyxl` or `polars`, FOLDER where
the texts go; run by service.py.
"""

import io
import os
import queue
import re
import threading
import uuid

import openpyxl
import orjson
import polars
from fastapi import FastAPI, File, UploadFile

FOLDER = os.environ["FOLDER"]
URL = r"^https?://[^\s/$.?#].[^\s]*$"
app = FastAPI()
jobs = {}
waiting = queue.Queue()


class WithPolars:
    @staticmethod
    def read(data, name):
        if name.endswith(".csv"):
            return polars.read_csv(io.BytesIO(data), infer_schema=False)
        return polars.read_excel(io.BytesIO(data), engine="calamine", infer_schema_length=0)

    @staticmethod
    def check(frame):
        column = polars.col
        valid = (
            column("Company Name").is_not_null()
            & column("LinkedIn_URL").str.contains(URL)
            & column("Website_URL").str.contains(URL).fill_null(True)
        )
        return frame.filter(valid).unique(subset=["LinkedIn_URL"], keep="first", maintain_order=True)

    @staticmethod
    def text(frame):
        return frame.write_json().encode()


class WithOpenpyxl:
    url = re.compile(URL)

    @staticmethod
    def read(data, _name):
        rows = openpyxl.load_workbook(io.BytesIO(data), read_only=True).worksheets[0].iter_rows(values_only=True)
        header = next(rows)
        return [dict(zip(header, row)) for row in rows]

    @classmethod
    def check(cls, rows):
        valid = {}
        for row in rows:
            key, site = row["LinkedIn_URL"], row["Website_URL"]
            if row["Company Name"] and key and cls.url.match(key) and (not site or cls.url.match(site)):
                valid.setdefault(key, row)
        return list(valid.values())

    @staticmethod
    def text(rows):
        return orjson.dumps(rows)


engine = {"polars": WithPolars, "openpyxl": WithOpenpyxl}[os.environ["ENGINE"]]


def keep(name, content):
    with open(f"{FOLDER}/{name}.json", "wb") as file:
        file.write(engine.text(content))


def work():
    while True:
        job, data, filename = waiting.get()
        jobs[job] = "processing"
        try:
            keep(job, engine.check(engine.read(data, filename)))
            jobs[job] = "completed"
        except Exception as error:
            jobs[job] = f"failed: {error}"


threading.Thread(target=work, daemon=True).start()


@app.post("/upload-json")
def upload_json(file: UploadFile = File(...)):
    name = str(uuid.uuid4())
    keep(name, engine.read(file.file.read(), file.filename))
    return {"id": name}


@app.post("/upload-and-process")
def upload_and_process(file: UploadFile = File(...)):
    job = str(uuid.uuid4())
    jobs[job] = "pending"
    waiting.put((job, file.file.read(), file.filename))
    return {"id": job}


@app.get("/status/{job}")
def status(job: str):
    return {"status": jobs[job]}
