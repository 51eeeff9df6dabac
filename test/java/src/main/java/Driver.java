import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.fluss.client.Connection;
import org.apache.fluss.client.ConnectionFactory;
import org.apache.fluss.client.admin.Admin;
import org.apache.fluss.client.admin.OffsetSpec;
import org.apache.fluss.client.table.Table;
import org.apache.fluss.client.table.scanner.Scan;
import org.apache.fluss.client.table.scanner.ScanRecord;
import org.apache.fluss.client.table.scanner.log.LogScanner;
import org.apache.fluss.client.table.scanner.log.ScanRecords;
import org.apache.fluss.client.table.writer.AppendWriter;
import org.apache.fluss.cluster.ServerNode;
import org.apache.fluss.config.Configuration;
import org.apache.fluss.metadata.AggFunctionType;
import org.apache.fluss.metadata.AggFunctions;
import org.apache.fluss.metadata.DatabaseDescriptor;
import org.apache.fluss.metadata.PartitionInfo;
import org.apache.fluss.metadata.PartitionSpec;
import org.apache.fluss.metadata.Schema;
import org.apache.fluss.metadata.SchemaInfo;
import org.apache.fluss.metadata.TableBucket;
import org.apache.fluss.metadata.TableChange;
import org.apache.fluss.metadata.TableDescriptor;
import org.apache.fluss.metadata.TableInfo;
import org.apache.fluss.metadata.TablePath;
import org.apache.fluss.rpc.protocol.ApiError;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.fluss.types.DataType;
import org.apache.fluss.types.DataTypes;

/**
 * The stock Java client, told what to do: one JSON object per line on stdin, {"do": ...}; one per line
 * on stdout, {"ok": ...} or {"code": ..., "error": ...}.
 */
public final class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long WAIT_S = 60;

    private Connection connection;
    private Admin admin;

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8.name());
        System.setOut(System.err); // whatever the client prints stays off the answers
        Driver driver = new Driver();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(JSON.writeValueAsString(driver.answer(JSON.readTree(line))));
        }
        System.exit(0);
    }

    private ObjectNode answer(JsonNode task) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            answer.set("ok", JSON.valueToTree(run(task)));
        } catch (Throwable t) {
            Throwable cause = t instanceof ExecutionException ? t.getCause() : t;
            answer.put("code", ApiError.fromThrowable(cause).error().code());
            answer.put("error", String.valueOf(cause));
        }
        return answer;
    }

    private Object run(JsonNode task) throws Exception {
        switch (task.get("do").asText()) {
            case "connect": return connect(task);
            case "close": return close();
            case "create_database": return wait(admin.createDatabase(text(task, "db"), database(task), false));
            case "drop_database": return wait(admin.dropDatabase(text(task, "db"), false, true));
            case "database": return database(wait(admin.getDatabaseInfo(text(task, "db"))).getDatabaseDescriptor());
            case "databases": return wait(admin.listDatabases());
            case "database_exists": return wait(admin.databaseExists(text(task, "db")));
            case "create_table": return wait(admin.createTable(path(task), descriptor(task), false));
            case "drop_table": return wait(admin.dropTable(path(task), false));
            case "tables": return wait(admin.listTables(text(task, "db")));
            case "table_exists": return wait(admin.tableExists(path(task)));
            case "table": return table(wait(admin.getTableInfo(path(task))));
            case "schema": return schema(task);
            case "add_column": return alter(task, addColumn(task));
            case "set": return alter(task, TableChange.set(text(task, "key"), text(task, "value")));
            case "reset": return alter(task, TableChange.reset(text(task, "key")));
            case "create_partition": return wait(admin.createPartition(path(task), spec(task), false));
            case "drop_partition": return wait(admin.dropPartition(path(task), spec(task), false));
            case "partitions": return partitions(path(task));
            case "servers": return servers();
            case "row_count": return wait(admin.getTableStats(path(task))).getRowCount();
            case "offsets": return offsets(task);
            case "append": return append(task);
            case "scan": return scan(task);
            default: return new Rows(connection, admin, task).run();
        }
    }

    private static <T> T wait(CompletableFuture<T> future) throws Exception {
        return future.get(WAIT_S, TimeUnit.SECONDS);
    }

    private static String text(JsonNode task, String key) {
        return task.get(key).asText();
    }

    private static TablePath path(JsonNode task) {
        return TablePath.of(text(task, "db"), text(task, "table"));
    }

    private static List<String> strings(JsonNode list) {
        List<String> out = new ArrayList<>();
        if (list != null) {
            list.forEach(v -> out.add(v.asText()));
        }
        return out;
    }

    private static Map<String, String> map(JsonNode object) {
        Map<String, String> out = new LinkedHashMap<>();
        if (object != null) {
            object.fields().forEachRemaining(e -> out.put(e.getKey(), e.getValue().asText()));
        }
        return out;
    }

    private Object connect(JsonNode task) throws Exception {
        close();
        Configuration conf = new Configuration();
        conf.setString("bootstrap.servers", text(task, "bootstrap"));
        map(task.get("conf")).forEach(conf::setString);
        connection = ConnectionFactory.createConnection(conf);
        admin = connection.getAdmin();
        return null;
    }

    /** Nobody waits for the two seconds in which the client's network threads listen for more work. */
    private Object close() {
        if (connection != null) {
            Connection old = connection;
            Thread closing = new Thread(() -> closeQuietly(old));
            closing.setDaemon(true);
            closing.start();
            connection = null;
        }
        return null;
    }

    private static void closeQuietly(Connection old) {
        try {
            old.close();
        } catch (Exception e) {
            System.err.println("close: " + e);
        }
    }

    private static DatabaseDescriptor database(JsonNode task) {
        DatabaseDescriptor.Builder builder = DatabaseDescriptor.builder();
        if (task.has("comment")) {
            builder.comment(text(task, "comment"));
        }
        return builder.customProperties(map(task.get("properties"))).build();
    }

    private static Object database(DatabaseDescriptor descriptor) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("comment", descriptor.getComment().orElse(null));
        out.put("properties", descriptor.getCustomProperties());
        return out;
    }

    /** "columns" is a list of [name, type] and [name, type, aggregation function, {its parameters}]. */
    private static Schema schemaOf(JsonNode task) {
        Schema.Builder schema = Schema.newBuilder();
        for (JsonNode c : task.get("columns")) {
            DataType type = DataTypes.parse(c.get(1).asText());
            if (c.has(2)) {
                AggFunctionType function = AggFunctionType.fromString(c.get(2).asText());
                schema.column(c.get(0).asText(), type, AggFunctions.of(function, map(c.get(3))));
            } else {
                schema.column(c.get(0).asText(), type);
            }
        }
        if (task.has("primary_key")) {
            schema.primaryKey(strings(task.get("primary_key")));
        }
        if (task.has("auto_increment")) {
            schema.enableAutoIncrement(text(task, "auto_increment"));
        }
        return schema.build();
    }

    private static TableDescriptor descriptor(JsonNode task) {
        TableDescriptor.Builder builder = TableDescriptor.builder()
                .schema(schemaOf(task))
                .partitionedBy(strings(task.get("partition_keys")))
                .distributedBy(task.path("buckets").asInt(1), strings(task.get("bucket_keys")))
                .properties(map(task.get("properties")))
                .customProperties(map(task.get("custom")));
        if (task.has("comment")) {
            builder.comment(text(task, "comment"));
        }
        return builder.build();
    }

    private static Object columns(Schema schema) {
        List<Object> out = new ArrayList<>();
        for (Schema.Column c : schema.getColumns()) {
            out.add(List.of(c.getName(), c.getDataType().toString(), c.getColumnId()));
        }
        return out;
    }

    private static Object table(TableInfo info) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("id", info.getTableId());
        out.put("schema_id", info.getSchemaId());
        out.put("columns", columns(info.getSchema()));
        out.put("buckets", info.getNumBuckets());
        out.put("bucket_keys", info.getBucketKeys());
        out.put("partition_keys", info.getPartitionKeys());
        out.put("properties", info.getProperties().toMap());
        out.put("custom", info.getCustomProperties().toMap());
        out.put("comment", info.getComment().orElse(null));
        return out;
    }

    private Object schema(JsonNode task) throws Exception {
        SchemaInfo info = wait(task.has("id")
                ? admin.getTableSchema(path(task), task.get("id").asInt())
                : admin.getTableSchema(path(task)));
        return Map.of("id", info.getSchemaId(), "columns", columns(info.getSchema()));
    }

    private static TableChange addColumn(JsonNode task) {
        return TableChange.addColumn(text(task, "name"), DataTypes.parse(text(task, "type")), null,
                TableChange.ColumnPosition.last());
    }

    private Object alter(JsonNode task, TableChange change) throws Exception {
        return wait(admin.alterTable(path(task), Collections.singletonList(change), false));
    }

    private static PartitionSpec spec(JsonNode task) {
        return new PartitionSpec(map(task.get("spec")));
    }

    private Map<String, Long> partitions(TablePath path) throws Exception {
        Map<String, Long> out = new LinkedHashMap<>();
        for (PartitionInfo p : wait(admin.listPartitionInfos(path))) {
            out.put(p.getPartitionName(), p.getPartitionId());
        }
        return out;
    }

    private Object servers() throws Exception {
        List<String> out = new ArrayList<>();
        for (ServerNode node : wait(admin.getServerNodes())) {
            out.add(node.serverType().name());
        }
        return out;
    }

    private Map<Integer, Long> offsets(TablePath path, String partition, OffsetSpec spec) throws Exception {
        List<Integer> buckets = new ArrayList<>();
        for (int i = 0; i < wait(admin.getTableInfo(path)).getNumBuckets(); i++) {
            buckets.add(i);
        }
        return wait((partition == null
                ? admin.listOffsets(path, buckets, spec)
                : admin.listOffsets(path, partition, buckets, spec)).all());
    }

    private Object offsets(JsonNode task) throws Exception {
        OffsetSpec spec;
        switch (text(task, "at")) {
            case "earliest": spec = new OffsetSpec.EarliestSpec(); break;
            case "latest": spec = new OffsetSpec.LatestSpec(); break;
            default: spec = new OffsetSpec.TimestampSpec(task.get("at").asLong());
        }
        String partition = task.has("partition") ? text(task, "partition") : null;
        return offsets(path(task), partition, spec);
    }

    private Object append(JsonNode task) throws Exception {
        try (Table table = connection.getTable(path(task))) {
            List<DataType> types = table.getTableInfo().getRowType().getChildren();
            AppendWriter writer = table.newAppend().createWriter();
            List<CompletableFuture<?>> pending = new ArrayList<>();
            for (JsonNode row : task.get("rows")) {
                pending.add(writer.append(Values.row(row, types)));
            }
            writer.flush();
            for (CompletableFuture<?> p : pending) {
                wait(p);
            }
            return pending.size();
        }
    }

    /** Everything up to the present end: a list of {bucket, partition, offset, kind, row}. */
    private Object scan(JsonNode task) throws Exception {
        TablePath path = path(task);
        try (Table table = connection.getTable(path)) {
            List<DataType> types = new ArrayList<>(table.getTableInfo().getRowType().getChildren());
            Scan scan = table.newScan();
            if (task.has("columns")) {
                List<String> names = strings(task.get("columns"));
                List<String> all = table.getTableInfo().getRowType().getFieldNames();
                List<DataType> chosen = new ArrayList<>();
                names.forEach(n -> chosen.add(table.getTableInfo().getRowType().getTypeAt(all.indexOf(n))));
                types = chosen;
                scan = scan.project(names);
            }
            Map<TableBucket, Long> ends = new HashMap<>();
            try (LogScanner scanner = scan.createLogScanner()) {
                subscribe(scanner, table.getTableInfo(), task.path("from").asLong(-2), ends);
                return read(scanner, ends, types);
            }
        }
    }

    private void subscribe(LogScanner scanner, TableInfo info, long from, Map<TableBucket, Long> ends)
            throws Exception {
        long id = info.getTableId();
        OffsetSpec latest = new OffsetSpec.LatestSpec();
        if (!info.isPartitioned()) {
            for (Map.Entry<Integer, Long> e : offsets(info.getTablePath(), null, latest).entrySet()) {
                scanner.subscribe(e.getKey(), from);
                ends.put(new TableBucket(id, e.getKey()), e.getValue());
            }
            return;
        }
        for (Map.Entry<String, Long> p : partitions(info.getTablePath()).entrySet()) {
            for (Map.Entry<Integer, Long> e : offsets(info.getTablePath(), p.getKey(), latest).entrySet()) {
                scanner.subscribe(p.getValue(), e.getKey(), from);
                ends.put(new TableBucket(id, p.getValue(), e.getKey()), e.getValue());
            }
        }
    }

    private static Object read(LogScanner scanner, Map<TableBucket, Long> ends, List<DataType> types) {
        ArrayNode out = JSON.createArrayNode();
        ends.values().removeIf(end -> end == 0);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S);
        while (!ends.isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("buckets that never reached their end: " + ends);
            }
            ScanRecords records = scanner.poll(Duration.ofMillis(200));
            for (TableBucket bucket : records.buckets()) {
                for (ScanRecord record : records.records(bucket)) {
                    ObjectNode line = out.addObject();
                    line.put("bucket", bucket.getBucket());
                    line.put("partition", bucket.getPartitionId());
                    line.put("offset", record.logOffset());
                    line.put("kind", record.getChangeType().shortString());
                    line.set("row", Values.json(record.getRow(), types));
                    if (record.logOffset() + 1 >= ends.getOrDefault(bucket, Long.MAX_VALUE)) {
                        ends.remove(bucket);
                    }
                }
            }
        }
        return out;
    }
}
