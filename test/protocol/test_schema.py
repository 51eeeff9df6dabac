"""protocol/ against the tables of the protocol, and what is generated against protocol/."""
import csv
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TYPES = {1: "double", 2: "float", 3: "int64", 5: "int32", 8: "bool", 9: "string", 12: "bytes"}
LABELS = {1: "optional", 2: "required", 3: "repeated"}


def table(name):
    with open(ROOT / "protocol" / name, newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_messages(descriptors):
    """Every message and field: number, name, type, label, packed; nothing more, nothing less."""
    ours = set()
    for file in descriptors.file:
        for message in file.message_type:
            if not message.field:
                ours.add((message.name, "-", "-", "-", "-"))
            for f in message.field:
                kind = TYPES.get(f.type) or f.type_name.rsplit(".", 1)[1]
                label = "packed" if f.options.packed else LABELS[f.label]
                ours.add((message.name, str(f.number), f.name, kind, label))
    columns = ("message", "field_number", "field_name", "type", "label")
    assert ours == {tuple(row[c] for c in columns) for row in table("messages.tsv")}


def api_def():
    text = (ROOT / "src" / "rpc" / "api.def").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return [tuple(re.split(r",\s*", m)) for m in re.findall(r"X\((.*?)\)", text, flags=re.S)]


def test_apis():
    ours = [(row[0], row[1], row[5].replace("_", ""), row[6].replace("_", "")) for row in api_def()]
    columns = ("api_key", "name", "request_message", "response_message")
    theirs = [tuple(row[c] for c in columns) for row in table("apis.tsv")]
    assert ours == [(key, name, a.lower(), b.lower()) for key, name, a, b in theirs]


def test_served():
    """What we serve is what served.tsv says, in versions that clients of 1.0.0 know."""
    apis = {row["api_key"]: row for row in table("apis.tsv")}
    served = {row["api_key"]: row for row in table("served.tsv")}
    for key, _, flag, low, high, *_ in api_def():
        assert (flag == "1") == (key in served)
        if key in served:
            assert (low, high) == (served[key]["version_min"], served[key]["version_max"])
            assert int(apis[key]["min_version_1.0.0"]) <= int(low) <= int(high)
            assert int(high) <= int(apis[key]["max_version_1.0.0"])


def test_generated():
    subprocess.run([ROOT / "tools" / "gen-protocol", "--check"], check=True)
