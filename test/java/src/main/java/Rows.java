import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.fluss.client.Connection;
import org.apache.fluss.client.admin.Admin;
import org.apache.fluss.client.lookup.Lookup;
import org.apache.fluss.client.lookup.LookupResult;
import org.apache.fluss.client.lookup.Lookuper;
import org.apache.fluss.client.metadata.KvSnapshots;
import org.apache.fluss.client.table.Table;
import org.apache.fluss.client.table.scanner.Scan;
import org.apache.fluss.client.table.scanner.batch.BatchScanner;
import org.apache.fluss.client.table.writer.Upsert;
import org.apache.fluss.client.table.writer.UpsertWriter;
import org.apache.fluss.metadata.Schema;
import org.apache.fluss.metadata.TableBucket;
import org.apache.fluss.metadata.TableInfo;
import org.apache.fluss.metadata.TablePath;
import org.apache.fluss.row.InternalRow;
import org.apache.fluss.rpc.protocol.MergeMode;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.fluss.types.DataType;
import org.apache.fluss.utils.CloseableIterator;

/** The tasks on rows of primary-key tables: writes, lookups, bounded scans, snapshots. */
final class Rows {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long WAIT_S = 60;

    private final Connection connection;
    private final Admin admin;
    private final JsonNode task;
    private final TablePath path;

    Rows(Connection connection, Admin admin, JsonNode task) {
        this.connection = connection;
        this.admin = admin;
        this.task = task;
        this.path = TablePath.of(task.get("db").asText(), task.get("table").asText());
    }

    Object run() throws Exception {
        try (Table table = connection.getTable(path)) {
            switch (task.get("do").asText()) {
                case "write": return write(table);
                case "lookup": return lookup(table);
                case "limit": return read(table, scan(table).limit(number("limit")).createBatchScanner(bucket(table)));
                case "read_all": return read(table, all(table));
                case "snapshots": return snapshots();
                case "read_snapshot":
                    return read(table, scan(table).createBatchScanner(bucket(table), number("snapshot")));
                default: throw new IllegalArgumentException(task.toString());
            }
        }
    }

    private static <T> T wait(CompletableFuture<T> future) throws Exception {
        return future.get(WAIT_S, TimeUnit.SECONDS);
    }

    /** "rows" is a list of ["+", row] and ["-", row]; the answer is the number of rows. */
    private Object write(Table table) throws Exception {
        Upsert upsert = table.newUpsert();
        if (task.has("columns")) {
            upsert = upsert.partialUpdate(names("columns").toArray(new String[0]));
        }
        if (task.has("mode")) {
            upsert = upsert.mergeMode(MergeMode.valueOf(task.get("mode").asText()));
        }
        List<DataType> types = table.getTableInfo().getRowType().getChildren();
        UpsertWriter writer = upsert.createWriter();
        List<CompletableFuture<?>> pending = new ArrayList<>();
        for (JsonNode change : task.get("rows")) {
            InternalRow row = Values.row(change.get(1), types);
            pending.add(change.get(0).asText().equals("+") ? writer.upsert(row) : writer.delete(row));
        }
        writer.flush();
        for (CompletableFuture<?> p : pending) {
            wait(p);
        }
        return pending.size();
    }

    /** The rows of each key; with "by" of each prefix, with "insert" made if they are missing. */
    private Object lookup(Table table) throws Exception {
        Lookup lookup = table.newLookup();
        List<String> columns = names("by");
        if (columns.isEmpty()) {
            columns = table.getTableInfo().getPrimaryKeys();
        } else {
            lookup = lookup.lookupBy(columns);
        }
        if (task.path("insert").asBoolean()) {
            lookup = lookup.enableInsertIfNotExists();
        }
        Lookuper lookuper = lookup.createLookuper();
        List<DataType> keys = chosen(table.getTableInfo(), columns);
        List<DataType> types = table.getTableInfo().getRowType().getChildren();
        List<CompletableFuture<LookupResult>> pending = new ArrayList<>();
        for (JsonNode key : task.get("keys")) {
            pending.add(lookuper.lookup(Values.row(key, keys)));
        }
        ArrayNode out = JSON.createArrayNode();
        for (CompletableFuture<LookupResult> p : pending) {
            ArrayNode rows = out.addArray();
            wait(p).getRowList().forEach(row -> rows.add(Values.json(row, types)));
        }
        return out;
    }

    private Scan scan(Table table) {
        return task.has("columns") ? table.newScan().project(names("columns")) : table.newScan();
    }

    /** The scanner of a whole table, which 0.9.1 does not have. */
    private BatchScanner all(Table table) throws Exception {
        return (BatchScanner) Scan.class.getMethod("createBatchScanner").invoke(scan(table));
    }

    private TableBucket bucket(Table table) {
        Long partition = task.has("partition") ? task.get("partition").asLong() : null;
        return new TableBucket(table.getTableInfo().getTableId(), partition, task.path("bucket").asInt(0));
    }

    private int number(String field) {
        return task.get(field).asInt();
    }

    private Object read(Table table, BatchScanner scanner) throws Exception {
        List<DataType> types = types(table);
        ArrayNode out = JSON.createArrayNode();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S);
        try (BatchScanner s = scanner) {
            for (CloseableIterator<InternalRow> rows; (rows = s.pollBatch(Duration.ofSeconds(10))) != null; ) {
                while (rows.hasNext()) {
                    out.add(Values.json(rows.next(), types));
                }
                rows.close();
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("no end after " + out.size() + " rows");
                }
            }
        }
        return out;
    }

    /** By bucket: [snapshot id, offset of the changelog], or null. */
    private Object snapshots() throws Exception {
        KvSnapshots found = wait(task.has("partition_name")
                ? admin.getLatestKvSnapshots(path, task.get("partition_name").asText())
                : admin.getLatestKvSnapshots(path));
        Map<Integer, Object> out = new LinkedHashMap<>();
        for (int bucket : found.getBucketIds()) {
            out.put(bucket, found.getSnapshotId(bucket).isPresent()
                    ? List.of(found.getSnapshotId(bucket).getAsLong(), found.getLogOffset(bucket).getAsLong())
                    : null);
        }
        return out;
    }

    private List<String> names(String field) {
        List<String> out = new ArrayList<>();
        task.path(field).forEach(v -> out.add(v.asText()));
        return out;
    }

    private List<DataType> types(Table table) {
        TableInfo info = table.getTableInfo();
        return task.has("columns") ? chosen(info, names("columns")) : info.getRowType().getChildren();
    }

    private static List<DataType> chosen(TableInfo info, List<String> columns) {
        Schema schema = info.getSchema();
        List<String> all = schema.getRowType().getFieldNames();
        List<DataType> out = new ArrayList<>();
        columns.forEach(c -> out.add(schema.getRowType().getTypeAt(all.indexOf(c))));
        return out;
    }
}
