import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.fluss.row.BinaryString;
import org.apache.fluss.row.Decimal;
import org.apache.fluss.row.GenericArray;
import org.apache.fluss.row.GenericMap;
import org.apache.fluss.row.GenericRow;
import org.apache.fluss.row.InternalArray;
import org.apache.fluss.row.InternalMap;
import org.apache.fluss.row.InternalRow;
import org.apache.fluss.row.TimestampLtz;
import org.apache.fluss.row.TimestampNtz;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.fluss.types.ArrayType;
import org.apache.fluss.types.DataType;
import org.apache.fluss.types.DecimalType;
import org.apache.fluss.types.MapType;
import org.apache.fluss.types.RowType;

/**
 * Rows of the client to JSON and back, without loss: floating point as raw bits, bytes as hex, dates
 * as days, times as milliseconds of the day, timestamps as [milliseconds, nanoseconds of it], maps as
 * lists of pairs and rows as lists.
 */
final class Values {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Values() {}

    static GenericRow row(JsonNode values, List<DataType> types) {
        GenericRow row = new GenericRow(types.size());
        for (int i = 0; i < types.size(); i++) {
            row.setField(i, value(values.get(i), types.get(i)));
        }
        return row;
    }

    private static Object value(JsonNode v, DataType type) {
        if (v == null || v.isNull()) {
            return null;
        }
        switch (type.getTypeRoot()) {
            case BOOLEAN:
                return v.asBoolean();
            case TINYINT:
                return (byte) v.asInt();
            case SMALLINT:
                return (short) v.asInt();
            case INTEGER:
            case DATE:
            case TIME_WITHOUT_TIME_ZONE:
                return v.asInt();
            case BIGINT:
                return v.asLong();
            case FLOAT:
                return Float.intBitsToFloat(v.asInt());
            case DOUBLE:
                return Double.longBitsToDouble(v.asLong());
            case CHAR:
            case STRING:
                return BinaryString.fromString(v.asText());
            case BINARY:
            case BYTES:
                return fromHex(v.asText());
            case DECIMAL:
                DecimalType d = (DecimalType) type;
                return Decimal.fromBigDecimal(new BigDecimal(v.asText()), d.getPrecision(), d.getScale());
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                return TimestampNtz.fromMillis(v.get(0).asLong(), v.get(1).asInt());
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return TimestampLtz.fromEpochMillis(v.get(0).asLong(), v.get(1).asInt());
            case ARRAY:
                return array(v, ((ArrayType) type).getElementType());
            case MAP:
                return map(v, (MapType) type);
            case ROW:
                return row(v, ((RowType) type).getChildren());
            default:
                throw new IllegalArgumentException(type.toString());
        }
    }

    private static GenericArray array(JsonNode v, DataType element) {
        Object[] out = new Object[v.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = value(v.get(i), element);
        }
        return new GenericArray(out);
    }

    private static GenericMap map(JsonNode v, MapType type) {
        Map<Object, Object> out = new LinkedHashMap<>();
        for (JsonNode pair : v) {
            out.put(value(pair.get(0), type.getKeyType()), value(pair.get(1), type.getValueType()));
        }
        return new GenericMap(out);
    }

    static ArrayNode json(InternalRow row, List<DataType> types) {
        ArrayNode out = JSON.createArrayNode();
        for (int i = 0; i < types.size(); i++) {
            add(out, InternalRow.createFieldGetter(types.get(i), i).getFieldOrNull(row), types.get(i));
        }
        return out;
    }

    private static void add(ArrayNode out, Object v, DataType type) {
        if (v == null) {
            out.addNull();
            return;
        }
        switch (type.getTypeRoot()) {
            case FLOAT:
                out.add(Float.floatToRawIntBits((Float) v));
                break;
            case DOUBLE:
                out.add(Double.doubleToRawLongBits((Double) v));
                break;
            case BINARY:
            case BYTES:
                out.add(toHex((byte[]) v));
                break;
            case DECIMAL:
                out.add(((Decimal) v).toBigDecimal().toPlainString());
                break;
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                out.addArray().add(((TimestampNtz) v).getMillisecond())
                        .add(((TimestampNtz) v).getNanoOfMillisecond());
                break;
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                out.addArray().add(((TimestampLtz) v).getEpochMillisecond())
                        .add(((TimestampLtz) v).getNanoOfMillisecond());
                break;
            case ARRAY:
                addAll(out.addArray(), (InternalArray) v, ((ArrayType) type).getElementType());
                break;
            case MAP:
                addPairs(out.addArray(), (InternalMap) v, (MapType) type);
                break;
            case ROW:
                out.add(json((InternalRow) v, ((RowType) type).getChildren()));
                break;
            case BOOLEAN:
                out.add((Boolean) v);
                break;
            case CHAR:
            case STRING:
                out.add(v.toString());
                break;
            default:
                out.add(((Number) v).longValue());
        }
    }

    private static void addAll(ArrayNode out, InternalArray values, DataType element) {
        InternalArray.ElementGetter getter = InternalArray.createElementGetter(element);
        for (int i = 0; i < values.size(); i++) {
            add(out, getter.getElementOrNull(values, i), element);
        }
    }

    private static void addPairs(ArrayNode out, InternalMap map, MapType type) {
        InternalArray.ElementGetter keys = InternalArray.createElementGetter(type.getKeyType());
        InternalArray.ElementGetter values = InternalArray.createElementGetter(type.getValueType());
        for (int i = 0; i < map.size(); i++) {
            ArrayNode pair = out.addArray();
            add(pair, keys.getElementOrNull(map.keyArray(), i), type.getKeyType());
            add(pair, values.getElementOrNull(map.valueArray(), i), type.getValueType());
        }
    }

    private static byte[] fromHex(String text) {
        byte[] out = new byte[text.length() / 2];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
        }
        return out;
    }

    private static String toHex(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) {
            out.append(String.format("%02x", b));
        }
        return out.toString();
    }
}
