# A foreign consumer: librdkafka (confluent-kafka) with a login of its own, committed records only, and fastavro with the schemas that a registry has. From
# stdin a line of JSON: `conf` of librdkafka, `topic`, `schemas` by id. To stdout a line of JSON for each record.
import io, json, struct, sys
import fastavro
from confluent_kafka import Consumer, TopicPartition

order = json.loads(sys.stdin.readline())
schemas = {int(number): fastavro.parse_schema(json.loads(text)) for number, text in order["schemas"].items()}
consumer = Consumer({**order["conf"], "group.id": "rows", "isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True})
partitions = consumer.list_topics(order["topic"], timeout=20).topics[order["topic"]].partitions
consumer.assign([TopicPartition(order["topic"], number, 0) for number in partitions])


def decode(raw):
    magic, number = struct.unpack(">bI", raw[:5])
    assert magic == 0
    return fastavro.schemaless_reader(io.BytesIO(raw[5:]), schemas[number])


ended = 0
while ended < len(partitions):
    message = consumer.poll(20)
    assert message is not None, "nothing came"
    if message.error():
        assert message.error().name() == "_PARTITION_EOF", message.error().name()
        ended += 1
        continue
    assert message.headers() is None
    print(json.dumps({"key": decode(message.key()), "value": decode(message.value())}, default=str))
