"""Holds the running binary to its OpenAPI documents.

1. The documents are valid OpenAPI 3.1, and every example in them fits its schema.
2. Requests made from the document by schemathesis are answered as the document says, and never with a 5xx.
3. A client generated from the document works, without a line of it written by hand (client.py).

Everything is captured: nothing leaves the machine.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import jsonschema
import openapi_spec_validator

HERE = Path(__file__).resolve().parent
PLACE = Path("target/contract")
DOCUMENTS = ["/openapi.json", "/api/admin/v1/openapi.json", "/api/v1.3/openapi.json"]
# Not asked: whether everything that fits a schema is accepted. The rules of the APIs reach further than a schema, such as
# an address that must exist; and rights over single objects, which keys do not have.
EXCLUDED = "positive_data_acceptance,object_level_authorization"


def start(binary, directory):
    """The appliance on a port of its choice; its address comes from its own log."""
    environment = {"PATH": os.environ["PATH"], "HERALD_DATA_DIR": directory, "HERALD_REQUESTS_PER_MINUTE": "0"}
    command = [binary, "client", "create", "--label", "contract", "--scope", "relesys.api", "--json"]
    client = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    log = PLACE / "herald.log"
    with log.open("w") as out:
        server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0"], env=environment, stderr=out)
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
        if server.poll() is not None:
            sys.exit(f"{binary} serve ended:\n{log.read_text()}")
        try:
            server.wait(0.05)
        except subprocess.TimeoutExpired:
            pass
    return server, found.group(), client


def fetch(url):
    with urllib.request.urlopen(url) as reply:
        return json.load(reply)


def check_document(path, document):
    """OpenAPI's own meta-schema, then each example against the schema beside it."""
    openapi_spec_validator.validate(document)
    examples = 0
    for where, media in media_types(document):
        if "example" in media:
            schema = {**media["schema"], "components": document["components"]}
            try:
                jsonschema.Draft202012Validator(schema).validate(media["example"])
            except jsonschema.ValidationError as fault:
                sys.exit(f"{path}: the example of {where} does not fit its schema: {fault}")
            examples += 1
    print(f"{path}: valid, with {sum(map(len, document['paths'].values()))} operations and {examples} examples")


def media_types(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            places = {"request": operation.get("requestBody", {}), **operation["responses"]}
            for name, place in places.items():
                for media in place.get("content", {}).values():
                    yield f"{method} {path} {name}", media


def fuzz(url, key, examples, seed, at_least):
    """Schemathesis, all phases. Its exit status is the verdict; the count is checked so that a run of nothing fails."""
    command = ["schemathesis", "run", f"{url}/openapi.json", "--phases", "examples,coverage,fuzzing,stateful",
               "--checks", "all", "--exclude-checks", EXCLUDED, "--max-examples", str(examples),
               "--header", f"Authorization: Bearer {key}", "--suppress-health-check", "all", "--warnings", "off",
               # A stream has no end, and a download of this size is no JSON: they have tests of their own.
               "--exclude-path-regex", "/(events|backup)$",
               "--continue-on-failure", "--no-color"]
    if seed is not None:
        command += ["--seed", str(seed)]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    shutil.rmtree(PLACE / ".schemathesis", ignore_errors=True)
    with subprocess.Popen(command, env=environment, cwd=PLACE, stdout=subprocess.PIPE, text=True) as run:
        text = ""
        for line in run.stdout:
            print(line, end="")
            text += line
    counted = re.search(r"(\d+) generated", text)
    cases = int(counted.group(1)) if counted else 0
    if run.returncode or cases < at_least:
        sys.exit(f"schemathesis: status {run.returncode} after {cases} cases, of at least {at_least}")
    print(f"schemathesis: {cases} cases, no failure")


def generate(url):
    """A client of the served document, anew each time."""
    made = PLACE / "generated"
    shutil.rmtree(made, ignore_errors=True)
    config = PLACE / "generator.yml"
    # The generator knows neither mail nor lists nor events, which are text to it, nor databases.
    config.write_text("package_name_override: herald_client\npost_hooks: []\nliteral_enums: true\n"
                      "content_type_overrides:\n  message/rfc822: text/plain\n  text/event-stream: text/plain\n"
                      "  text/csv: application/octet-stream\n  application/vnd.sqlite3: application/octet-stream\n")
    subprocess.run(["openapi-python-client", "generate", "--url", f"{url}/openapi.json", "--meta", "none",
                    "--output-path", str(made / "herald_client"), "--config", str(config), "--fail-on-warning"], check=True)
    return made


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", default="target/debug/herald")
    arguments.add_argument("--examples", type=int, default=200, help="schemathesis' --max-examples")
    arguments.add_argument("--at-least", type=int, default=10_000, help="cases below which the run does not count")
    arguments.add_argument("--seed", type=int, help="repeats a run")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server, url, client = start(chosen.binary, f"{directory}/data")
        try:
            for path in DOCUMENTS:
                check_document(path, fetch(url + path))
            made = generate(url)
            script = [sys.executable, HERE / "client.py", url, client["client_id"], client["client_secret"]]
            if subprocess.run(script, env={**os.environ, "PYTHONPATH": str(made)}).returncode:
                sys.exit("the generated client does not work")
            fuzz(url, client["key"], chosen.examples, chosen.seed, chosen.at_least)
            if server.poll() is not None:
                sys.exit("the appliance ended during the run")
        finally:
            server.terminate()
            server.wait()


main()
