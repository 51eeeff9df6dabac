// Makes roaring.json: pairs of bitmaps and their unions as RoaringBitmap for Java 1.3.0 writes them.
//   javac -cp RoaringBitmap-1.3.0.jar MakeRoaring.java
//   java -cp RoaringBitmap-1.3.0.jar:. MakeRoaring > roaring.json
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Random;
import java.util.function.LongConsumer;
import org.roaringbitmap.RoaringBitmap;
import org.roaringbitmap.longlong.Roaring64Bitmap;

public class MakeRoaring {
    static final Random random = new Random(7);
    static boolean first = true;

    interface Numbers {
        void into(LongConsumer sink);
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }

    static byte[] write(RoaringBitmap bitmap) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        bitmap.serialize(new DataOutputStream(out));
        return out.toByteArray();
    }

    static byte[] write(Roaring64Bitmap bitmap) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        bitmap.serialize(new DataOutputStream(out));
        return out.toByteArray();
    }

    static void emit(String name, int bits, byte[] a, byte[] b, byte[] union) {
        System.out.printf("%s  {\"name\":\"%s\",\"bits\":%d,\"a\":\"%s\",\"b\":\"%s\",\"union\":\"%s\"}",
                first ? "" : ",\n", name, bits, hex(a), hex(b), hex(union));
        first = false;
    }

    static RoaringBitmap bitmap32(Numbers numbers, boolean optimize) {
        RoaringBitmap bitmap = new RoaringBitmap();
        numbers.into(n -> bitmap.add((int) n));
        if (optimize) {
            bitmap.runOptimize();
        }
        return bitmap;
    }

    static Roaring64Bitmap bitmap64(Numbers numbers, boolean optimize) {
        Roaring64Bitmap bitmap = new Roaring64Bitmap();
        numbers.into(bitmap::addLong);
        if (optimize) {
            bitmap.runOptimize();
        }
        return bitmap;
    }

    static void both(String name, Numbers a, Numbers b) throws IOException {
        RoaringBitmap a32 = bitmap32(a, false);
        RoaringBitmap b32 = bitmap32(b, true);
        byte[] left = write(a32);
        a32.or(b32);
        a32.runOptimize();
        emit(name, 32, left, write(b32), write(a32));
        only64(name, a, b);
    }

    static void only64(String name, Numbers a, Numbers b) throws IOException {
        Roaring64Bitmap a64 = bitmap64(a, true);
        Roaring64Bitmap b64 = bitmap64(b, false);
        byte[] left = write(a64);
        byte[] right = write(b64);
        a64.or(b64);
        a64.runOptimize();
        emit(name, 64, left, right, write(a64));
    }

    static Numbers range(long from, long to, long step) {
        return sink -> {
            for (long n = from; n < to; n += step) {
                sink.accept(n);
            }
        };
    }

    static Numbers spread(int count, int shift, long mask) {
        return sink -> {
            for (int i = 0; i < count; i++) {
                sink.accept((random.nextLong() & mask) << shift);
            }
        };
    }

    public static void main(String[] args) throws IOException {
        Numbers none = sink -> { };
        System.out.println("{\n \"description\":\"Roaring bitmaps a and b and their union, bits 32 or 64.\",");
        System.out.println(" \"source_version\":\"RoaringBitmap 1.3.0\",\n \"cases\":[");
        both("empty", none, none);
        both("empty and one", none, range(7, 8, 1));
        both("two arrays", range(0, 100, 3), range(1, 90, 2));
        both("arrays of other containers", range(0, 10, 3), range(1L << 20, (1L << 20) + 5, 2));
        both("array and bitset", range(100, 200, 7), range(0, 60000, 7));
        both("arrays that become a bitset", range(0, 12000, 3), range(1, 12000, 3));
        both("bitset and bitset", range(0, 65536, 9), range(5, 65536, 11));
        both("runs", range(1000, 70000, 1), range(500, 1500, 1));
        both("run and array", range(1000, 3000, 1), range(0, 5000, 100));
        both("many containers", range(0, 1000000, 70001), range(65536, 2000000, 131072));
        both("full container", range(0, 65536, 2), range(1, 65536, 2));
        both("upper half", range(0xfffffff0L, 0x100000000L, 1), range(0x80000000L, 0x80000010L, 5));
        only64("wide", spread(5, 0, -1L), spread(5, 0, -1L));
        only64("nodes of 16", spread(12, 40, 0xfff), spread(12, 40, 0xfff));
        only64("nodes of 48", spread(40, 24, 0xff), spread(20, 24, 0xff));
        only64("nodes of 256", range(0, 100L << 32, 1L << 32), range(80L << 32, 256L << 32, 1L << 32));
        only64("prefixes", spread(8, 16, 0xffff_0000_0003L), spread(8, 16, 0x3_0000_0f00L));
        System.out.println("\n ]}");
    }
}
