# A foreign reader of Avro rows: fastavro, with the schema that the registry was given. From stdin: the schema as a line of JSON, then a record a line in base64
# with Confluent's five bytes. To stdout: what fastavro makes of the row, a line of JSON each.
import base64, io, json, sys
import fastavro

schema = fastavro.parse_schema(json.loads(sys.stdin.readline()))
for line in sys.stdin:
    raw = base64.b64decode(line)
    assert raw[0] == 0, "no magic byte"
    body = io.BytesIO(raw[5:])
    row = fastavro.schemaless_reader(body, schema)
    assert body.read() == b"", "bytes are left"
    assert row["op"] == "r" and row["before"] is None
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in row["after"].items()}
    print(json.dumps({"id": int.from_bytes(raw[1:5], "big"), "run": row["source"]["run"], "row": shown}, default=str))
