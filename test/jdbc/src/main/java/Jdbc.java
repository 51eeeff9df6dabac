import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Objects;
import java.util.UUID;

/**
 * The stock JDBC driver, told what to do: one JSON object per line on stdin, {"do": ...}; one per line
 * on stdout, {"ok": ...} or {"state": ..., "error": ...}.
 */
public final class Jdbc {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Connection connection;

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8.name());
        Jdbc jdbc = new Jdbc();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                answer.set("ok", jdbc.run(JSON.readTree(line)));
            } catch (SQLException e) {
                answer.put("state", String.valueOf(e.getSQLState())).put("error", String.valueOf(e.getMessage()));
            }
            out.println(answer);
        }
    }

    private JsonNode run(JsonNode task) throws Exception {
        switch (task.get("do").asText()) {
        case "connect":
            connection = DriverManager.getConnection(task.get("url").asText());
            return null;
        case "close":
            connection.close();
            return null;
        case "valid":
            return JSON.getNodeFactory().booleanNode(connection.isValid(10));
        case "autocommit":
            connection.setAutoCommit(task.get("on").asBoolean());
            return null;
        case "query":
            return query(task);
        case "follow":
            return follow(task);
        case "metadata":
            return metadata(task);
        case "echo":
            return echo(task.get("binary").asBoolean());
        case "cancel":
            return cancel(task.get("sql").asText());
        default:
            throw new IllegalArgumentException(task.toString());
        }
    }

    private JsonNode query(JsonNode task) throws SQLException {
        try (PreparedStatement s = connection.prepareStatement(task.get("sql").asText())) {
            s.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(task.path("threshold").asInt(5));
            s.setFetchSize(task.path("fetch").asInt(0));
            int number = 1;
            for (JsonNode parameter : task.path("parameters")) {
                s.setObject(number++, value(parameter));
            }
            for (int i = 1; i < task.path("times").asInt(1); i++) {
                s.executeQuery().close();
            }
            try (ResultSet rows = s.executeQuery()) {
                return table(rows);
            }
        }
    }

    /** The first values of a query without end, and the state that cancelling it ends with. */
    private JsonNode follow(JsonNode task) throws Exception {
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode values = answer.putArray("values");
        try (PreparedStatement s = connection.prepareStatement(task.get("sql").asText())) {
            Thread canceller = canceller();
            s.setFetchSize(task.get("fetch").asInt());
            try (ResultSet rows = s.executeQuery()) {
                while (rows.next()) {
                    if (values.size() < task.get("count").asInt()) {
                        values.add(rows.getString(1));
                    }
                    if (values.size() == task.get("count").asInt() && !canceller.isAlive()) {
                        canceller.start();
                    }
                }
            } catch (SQLException e) {
                answer.put("state", e.getSQLState());
            }
            canceller.interrupt();
            canceller.join();
        }
        return answer;
    }

    /**
     * Cancels until it is interrupted: between two portions of rows there is nothing to cancel, and the
     * driver's Statement.cancel knows of the first portion only.
     */
    private Thread canceller() {
        return new Thread(() -> {
            try {
                while (true) {
                    connection.unwrap(org.postgresql.PGConnection.class).cancelQuery();
                    Thread.sleep(100);
                }
            } catch (InterruptedException e) {
                return;
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static Object value(JsonNode node) {
        if (node.isTextual()) {
            return node.asText();
        }
        if (node.isBoolean()) {
            return node.asBoolean();
        }
        if (node.isIntegralNumber()) {
            return node.canConvertToInt() ? (Object) node.asInt() : (Object) node.asLong();
        }
        return node.isNull() ? null : node.asDouble();
    }

    /** Any method of DatabaseMetaData: its result as rows of texts, or as text. */
    private JsonNode metadata(JsonNode task) throws Exception {
        DatabaseMetaData m = connection.getMetaData();
        JsonNode given = task.path("arguments");
        for (Method method : DatabaseMetaData.class.getMethods()) {
            if (!method.getName().equals(task.get("call").asText()) || method.getParameterCount() != given.size()) {
                continue;
            }
            Object[] arguments = new Object[given.size()];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = given.get(i).isArray() ? JSON.treeToValue(given.get(i), String[].class) : value(given.get(i));
            }
            Object result;
            try {
                result = method.invoke(m, arguments);
            } catch (java.lang.reflect.InvocationTargetException e) {
                throw (Exception) e.getCause();
            }
            return result instanceof ResultSet ? table((ResultSet) result)
                : JSON.getNodeFactory().textNode(String.valueOf(result));
        }
        throw new IllegalArgumentException(task.toString());
    }

    private static JsonNode table(ResultSet rows) throws SQLException {
        ResultSetMetaData m = rows.getMetaData();
        ArrayNode all = JSON.createArrayNode();
        while (rows.next()) {
            ObjectNode row = all.addObject();
            for (int i = 1; i <= m.getColumnCount(); i++) {
                row.put(m.getColumnLabel(i), rows.getString(i));
            }
        }
        return all;
    }

    /** Values there and back; the list of those that came back otherwise. */
    private ArrayNode echo(boolean binary) throws SQLException {
        Object[][] values = {
            {7L, "bigint"}, {Long.MIN_VALUE, "bigint"}, {Integer.MAX_VALUE, "integer"}, {-7, "integer"},
            {1.25, "double precision"}, {Double.NEGATIVE_INFINITY, "double precision"}, {0.1f, "real"},
            {true, "boolean"}, {false, "boolean"}, {"it's \u00fc\u20ac\ud83d\ude00", "text"}, {"", "varchar"},
            {new BigDecimal("-12345678901234.000150"), "decimal(30, 6)"}, {new BigDecimal("0.00"), "decimal(4, 2)"},
            {LocalDate.of(1, 1, 1), "date"}, {LocalDate.of(9999, 12, 31), "date"},
            {LocalTime.of(23, 59, 59, 123456000), "time"},
            {LocalDateTime.of(2026, 8, 22, 13, 14, 15, 123456000), "timestamp"},
            {LocalDateTime.of(1815, 6, 18, 11, 35, 0, 1000), "timestamp"},
            {OffsetDateTime.of(2026, 8, 22, 13, 14, 15, 123456000, ZoneOffset.UTC), "timestamptz"},
            {UUID.fromString("12345678-1234-5678-9234-567812345678"), "uuid"},
        };
        ArrayNode wrong = JSON.createArrayNode();
        for (Object[] v : values) {
            check(wrong, v[0], (String) v[1], binary);
        }
        checkBytes(wrong, binary);
        checkArray(wrong, new Integer[] {1, null, -3}, "int4", binary);
        checkArray(wrong, new String[] {"a", "b,\"c\"", null, ""}, "text", binary);
        for (String type : new String[] {"bigint", "text", "date", "numeric", "timestamptz", "bytea", "boolean"}) {
            try (PreparedStatement s = prepared("select cast(? as " + type + ")", binary)) {
                s.setObject(1, null);
                try (ResultSet r = s.executeQuery()) {
                    if (!r.next() || r.getObject(1) != null || !r.wasNull()) {
                        wrong.add("null as " + type);
                    }
                }
            }
        }
        return wrong;
    }

    private PreparedStatement prepared(String sql, boolean binary) throws SQLException {
        PreparedStatement s = connection.prepareStatement(sql);
        s.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(binary ? -1 : 0);
        return s;
    }

    private void check(ArrayNode wrong, Object value, String type, boolean binary) throws SQLException {
        try (PreparedStatement s = prepared("select cast(? as " + type + ")", binary)) {
            s.setObject(1, value);
            for (int i = 0; i < 2; i++) {
                try (ResultSet r = s.executeQuery()) {
                    Object found = r.next() ? r.getObject(1, value.getClass()) : "no row";
                    if (!Objects.equals(found, value)) {
                        wrong.add(value + " as " + type + ": " + found);
                    }
                }
            }
        }
    }

    private void checkBytes(ArrayNode wrong, boolean binary) throws SQLException {
        byte[] value = new byte[256];
        for (int i = 0; i < value.length; i++) {
            value[i] = (byte) i;
        }
        try (PreparedStatement s = prepared("select cast(? as bytea)", binary)) {
            s.setBytes(1, value);
            try (ResultSet r = s.executeQuery()) {
                if (!r.next() || !Arrays.equals(r.getBytes(1), value)) {
                    wrong.add("bytea");
                }
            }
        }
    }

    private void checkArray(ArrayNode wrong, Object[] value, String type, boolean binary) throws SQLException {
        try (PreparedStatement s = prepared("select cast(? as " + type + "[])", binary)) {
            s.setArray(1, connection.createArrayOf(type, value));
            try (ResultSet r = s.executeQuery()) {
                Array found = r.next() ? r.getArray(1) : null;
                if (found == null || !Arrays.equals((Object[]) found.getArray(), value)) {
                    wrong.add(Arrays.toString(value) + ": " + found);
                }
            }
        }
    }

    /** The state of the error that ends it. */
    private JsonNode cancel(String sql) throws Exception {
        try (Statement s = connection.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    while (true) { // one that comes before the statement ends nothing
                        Thread.sleep(500);
                        s.cancel();
                    }
                } catch (InterruptedException e) {
                    return;
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            other.start();
            try {
                s.executeQuery(sql);
                return null;
            } catch (SQLException e) {
                return JSON.getNodeFactory().textNode(e.getSQLState());
            } finally {
                other.interrupt();
                other.join();
            }
        }
    }
}
