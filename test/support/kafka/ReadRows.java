// A stand-in for a Kafka Connect sink: Connect's own JsonConverter and ExtractField over keys and values as they lie in a topic. From stdin a record a line, key
// and value in base64 (`-`: null); to stdout a line per field of the key (`K`) and of the row (`V`): name, type, name of the schema, value.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.ExtractField;

public class ReadRows {
  public static void main(String[] words) throws Exception {
    JsonConverter keys = new JsonConverter();
    keys.configure(Map.of("schemas.enable", "true"), true);
    JsonConverter values = new JsonConverter();
    values.configure(Map.of("schemas.enable", "true"), false);
    ExtractField.Value<SinkRecord> after = new ExtractField.Value<>();
    after.configure(Map.of("field", "after"));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    StringBuilder out = new StringBuilder();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split(" ");
      SchemaAndValue key = keys.toConnectData("t", decode(parts[0]));
      SchemaAndValue value = values.toConnectData("t", decode(parts[1]));
      if (!value.schema().name().endsWith(".Envelope")) throw new IllegalStateException("no envelope");
      if (!((Struct) value.value()).getString("op").equals("r")) throw new IllegalStateException("not r");
      SinkRecord record = after.apply(new SinkRecord("t", 0, key.schema(), key.value(), value.schema(), value.value(), 0));
      if (record.key() != null) print(out, "K", (Struct) record.key());
      print(out, "V", (Struct) record.value());
      out.append("\n");
    }
    System.out.print(out);
  }

  static byte[] decode(String text) {
    return text.equals("-") ? null : Base64.getDecoder().decode(text);
  }

  static void print(StringBuilder out, String part, Struct row) {
    row.validate();
    for (Field field : row.schema().fields()) {
      Schema schema = field.schema();
      out.append(String.join("\t", part, field.name(), schema.type().toString(), String.valueOf(schema.name()), text(row.get(field)).replace("\n", "\\n").replace("\t", "\\t"))).append("\n");
    }
  }

  static String text(Object value) {
    if (value instanceof BigDecimal number) return number.toPlainString();
    if (value instanceof byte[] bytes) return HexFormat.of().formatHex(bytes);
    if (value instanceof ByteBuffer bytes) return HexFormat.of().formatHex(bytes.array());
    if (value instanceof List<?> list) return list.stream().map(ReadRows::text).collect(Collectors.joining(",", "[", "]"));
    return String.valueOf(value);
  }
}
