import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.fluss.client.Connection;
import org.apache.fluss.client.ConnectionFactory;
import org.apache.fluss.client.metadata.KvSnapshots;
import org.apache.fluss.client.table.Table;
import org.apache.fluss.client.table.scanner.batch.BatchScanner;
import org.apache.fluss.config.Configuration;
import org.apache.fluss.metadata.TableBucket;
import org.apache.fluss.metadata.TablePath;
import org.apache.fluss.row.InternalRow;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.fluss.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.fluss.types.DataType;
import org.apache.fluss.utils.CloseableIterator;

/**
 * The newest snapshot of every bucket of a table or partition, read as Flink reads it: the client
 * downloads its files and opens them with its own RocksDB.
 *
 * <p>Arguments: bootstrap, database, table, and the name of the partition if there is one. Prints
 * [{"bucket", "snapshot", "offset", "rows"}, ...]; a bucket without a snapshot is left out.
 */
public final class Snapshots {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long WAIT_S = 60;

    private Snapshots() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8.name());
        System.setOut(System.err); // whatever the client prints stays off the answer
        Configuration conf = new Configuration();
        conf.setString("bootstrap.servers", args[0]);
        conf.setString("client.scanner.io.tmpdir", System.getProperty("java.io.tmpdir"));
        TablePath path = TablePath.of(args[1], args[2]);
        try (Connection connection = ConnectionFactory.createConnection(conf);
                Table table = connection.getTable(path)) {
            KvSnapshots found = (args.length > 3
                            ? connection.getAdmin().getLatestKvSnapshots(path, args[3])
                            : connection.getAdmin().getLatestKvSnapshots(path))
                    .get(WAIT_S, TimeUnit.SECONDS);
            out.println(JSON.writeValueAsString(read(table, found)));
        }
        System.exit(0);
    }

    private static ArrayNode read(Table table, KvSnapshots found) throws Exception {
        ArrayNode out = JSON.createArrayNode();
        List<Integer> buckets = new ArrayList<>(found.getBucketIds());
        Collections.sort(buckets);
        for (int bucket : buckets) {
            if (!found.getSnapshotId(bucket).isPresent()) {
                continue;
            }
            TableBucket where = new TableBucket(found.getTableId(), found.getPartitionId(), bucket);
            ObjectNode line = out.addObject();
            line.put("bucket", bucket);
            line.put("snapshot", found.getSnapshotId(bucket).getAsLong());
            line.put("offset", found.getLogOffset(bucket).getAsLong());
            line.set("rows", rows(table, where, found.getSnapshotId(bucket).getAsLong()));
        }
        return out;
    }

    private static ArrayNode rows(Table table, TableBucket bucket, long snapshot) throws Exception {
        List<DataType> types = table.getTableInfo().getRowType().getChildren();
        ArrayNode out = JSON.createArrayNode();
        try (BatchScanner scanner = table.newScan().createBatchScanner(bucket, snapshot)) {
            CloseableIterator<InternalRow> batch;
            while ((batch = scanner.pollBatch(Duration.ofSeconds(WAIT_S))) != null) {
                while (batch.hasNext()) {
                    out.add(Values.json(batch.next(), types));
                }
                batch.close();
            }
        }
        return out;
    }
}
